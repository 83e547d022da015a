// The previewer writes numbers as Grafana does, and knows every unit and every kind of panel of the dashboards.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { written } from './page/units.js';

test('three digits count, unless the panel says how many decimals', () => {
  const cases = [
    [0.9946, 'percentunit', undefined, '99.5%'], [0.9946, 'percentunit', 2, '99.46%'],
    [0, 's', undefined, '0 s'], [0.00025, 's', undefined, '250 µs'], [0.25, 's', undefined, '250 ms'], [90, 's', undefined, '1.50 min'],
    [0.3, 'ms', undefined, '0.300 ms'], [1_500, 'ms', undefined, '1.50 s'], [0, 'ms', undefined, '0 ms'],
    [1_234, 'short', undefined, '1.23 K'], [0.05, 'count:/s', undefined, '0.0500 /s'], [0.00012, 'currencyUSD', undefined, '$0.000120'],
  ];
  for (const [value, unit, decimals, expected] of cases) assert.equal(written(value, unit, decimals), expected);
  assert.throws(() => written(1, 'furlongs'), /furlongs/);
});

for (const board of ['on-call', 'product', 'cost']) {
  test(`${board} has nothing that is not drawn`, async () => {
    const { panels } = JSON.parse(await readFile(new URL(`../${board}.json`, import.meta.url)));
    for (const { type, fieldConfig: { defaults, overrides } } of panels) {
      assert.ok(['stat', 'timeseries'].includes(type), type);
      assert.ok(written(1, defaults.unit, defaults.decimals));
      for (const { matcher, properties } of overrides) {
        assert.deepEqual([matcher.id, properties.map(({ id }) => id)], ['byRegexp', ['color']]);
      }
    }
  });
}
