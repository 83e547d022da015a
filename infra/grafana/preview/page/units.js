// Numbers as Grafana writes them, in the units that the dashboards use.

const SECONDS = [[604_800, 'week'], [86_400, 'day'], [3_600, 'hour'], [60, 'min'], [1, 's'], [1e-3, 'ms'], [1e-6, 'µs']];
const THOUSANDS = [[1e12, 'T'], [1e9, 'B'], [1e6, 'M'], [1e3, 'K']];
const NAMED = [[1e12, ' Tri'], [1e9, ' Bil'], [1e6, ' Mil'], [1e3, ' K']];

/** How a number is written in each unit; `decimals` may be undefined. */
const UNITS = {
  short: (value, decimals) => scaled(value, decimals, NAMED),
  'count:/s': (value, decimals) => `${scaled(value, decimals, THOUSANDS)} /s`,
  percentunit: (value, decimals) => `${digits(value * 100, decimals)}%`,
  currencyUSD: (value, decimals) => `$${scaled(value, decimals, THOUSANDS)}`,
  s: seconds,
  ms: (value, decimals) => (value === 0 ? '0 ms' : seconds(value / 1_000, decimals, 1e-3)),
};

/** Writes `value`, with three digits that count unless the panel sets `decimals`. */
export function written(value, unit, decimals) {
  if (!UNITS[unit]) throw new Error(`the previewer cannot write the unit ${unit}`);
  return UNITS[unit](value, decimals);
}

function digits(value, decimals) {
  if (decimals !== undefined) return value.toFixed(decimals);
  if (Number.isInteger(value)) return String(value);
  return value.toFixed(Math.min(Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value)))), 20));
}

function scaled(value, decimals, steps) {
  const [size, suffix] = steps.find(([least]) => Math.abs(value) >= least) ?? [1, ''];
  return digits(value / size, decimals) + suffix;
}

function seconds(value, decimals, least = 1e-6) {
  const [size, name] = SECONDS.find(([size]) => Math.abs(value) >= size || size === (value === 0 ? 1 : least));
  return `${digits(value / size, decimals)} ${name}`;
}
