// Draws a dashboard of Grafana as its JSON says: `?board=on-call&from=SECONDS&to=SECONDS&scrape=SECONDS`.

import uPlot from '/uPlot.esm.js';
import { written } from '/units.js';

const COLORS = ['#56a64b', '#e0a800', '#3274d9', '#e0752d', '#c4162a', '#8f3bb8', '#1f9e9e', '#7f6a4d', '#6a7178', '#b5338a'];
const NAMED_COLORS = { green: '#37872d', red: '#c4162a', orange: '#fa6400', yellow: '#e0b400', blue: '#1f60c4' };
const MAX_POINTS = 300;

const query = new URLSearchParams(location.search);
const [from, to, scrape] = ['from', 'to', 'scrape'].map((name) => Number(query.get(name)));
const step = Math.max(scrape, Math.ceil((to - from) / MAX_POINTS));
const times = Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, at) => from + at * step);
const clock = (time) => new Date(time * 1_000).toISOString().slice(0, 16).replace('T', ' ');
const KINDS = { stat, timeseries };

/** Adds an element with a text, or with nothing in it. */
function add(parent, name, text = '', attributes = {}) {
  const element = Object.assign(document.createElement(name), { textContent: text, ...attributes });
  return parent.appendChild(element);
}

/** Returns what a target's query finds, `{ name, values }` a series, with null where there is nothing. */
async function found({ expr, legendFormat }) {
  // As Grafana's data source for Prometheus works it out.
  const window = `${Math.max(step + scrape, 4 * scrape)}s`;
  const parameters = new URLSearchParams({ query: expr.replaceAll('$__rate_interval', window), start: from, end: to, step });
  const answer = await (await fetch(`/api/v1/query_range?${parameters}`)).json();
  if (answer.status !== 'success') throw new Error(answer.error);
  return answer.data.result.map(({ metric, values }) => {
    const at = new Map(values.map(([time, value]) => [time, Number(value)]));
    const name = legendFormat.replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (_, label) => metric[label] ?? '');
    return { name, values: times.map((time) => (Number.isNaN(at.get(time) ?? NaN) ? null : at.get(time))) };
  });
}

function stat(place, series, { defaults: { unit, decimals, thresholds } }) {
  const stats = add(place, 'div', '', { className: 'stats' });
  for (const { name, values } of series) {
    const last = values.findLast((value) => value !== null);
    const { color } = thresholds.steps.findLast(({ value }) => value === null || last >= value);
    const shown = add(stats, 'div', name);
    add(shown, 'b', written(last, unit, decimals)).style.color = NAMED_COLORS[color];
  }
}

function timeseries(place, series, { defaults: { unit, decimals, min, max, thresholds, custom }, overrides }) {
  const plot = add(place, 'div', '', { className: 'plot' });
  const legend = add(place, 'div', '', { className: 'legend' });
  const stroke = (at) => {
    const own = overrides.find(({ matcher }) => new RegExp(matcher.options.slice(1, -1)).test(series[at].name));
    return own ? NAMED_COLORS[own.properties[0].value.fixedColor] : COLORS[at % COLORS.length];
  };
  series.forEach(({ name }, at) => {
    const entry = add(legend, 'span');
    add(entry, 'i').style.background = stroke(at);
    entry.append(name);
  });
  const range = (_, low, high) => {
    const [bottom, top] = uPlot.rangeNum(low ?? 0, high || 1, 0.1, true);
    return [min ?? bottom, max ?? top];
  };
  // A tick is a round number: no digit of it is noise.
  const tick = (value) => written(Number(value.toPrecision(6)), unit, decimals).replace(/(\.\d*?)0+(?=\D*$)/, '$1').replace(/\.(?=\D*$)/, '');
  // Grafana draws a line at each step but the first.
  const lines = custom.thresholdsStyle.mode === 'dashed' ? thresholds.steps.slice(1) : [];
  const drawLines = ({ ctx, bbox, valToPos }) => {
    for (const { value, color } of lines) {
      const y = valToPos(value, 'y', true);
      if (y < bbox.top) continue;
      ctx.save();
      Object.assign(ctx, { strokeStyle: NAMED_COLORS[color], lineWidth: 1 });
      ctx.setLineDash([6, 4]);
      ctx.stroke(new Path2D(`M ${bbox.left} ${y} h ${bbox.width}`));
      ctx.restore();
    }
  };
  new uPlot({
    width: plot.clientWidth, height: plot.clientHeight, legend: { show: false }, cursor: { show: false },
    scales: { y: { range } }, hooks: { draw: [drawLines] },
    axes: [{ size: 24, font: '11px sans-serif', values: (_, ticks) => ticks.map((time) => clock(time).slice(11)) }, { size: 72, font: '11px sans-serif', values: (_, ticks) => ticks.map(tick) }],
    series: [{}, ...series.map((_, at) => ({ stroke: stroke(at), width: 1.5 }))],
  }, [times, ...series.map(({ values }) => values)], plot);
}

/** Draws a panel; returns what is to be said of it. */
async function drawn(panel) {
  const { title, description, type, gridPos: { x, y, w, h } } = panel;
  const place = add(document.querySelector('main'), 'section', '', { title: description });
  place.style.gridArea = `${y + 1} / ${x + 1} / span ${h} / span ${w}`;
  add(place, 'h2', title);
  try {
    const series = (await Promise.all(panel.targets.map(found))).flat().filter(({ values }) => values.some((value) => value !== null));
    if (series.length > 0) KINDS[type](place, series, panel.fieldConfig);
    else add(place, 'p', 'No data', { className: 'empty' });
    return { title, names: series.map(({ name }) => name) };
  } catch (error) {
    add(place, 'p', error.message, { className: 'error' });
    return { title, names: [], error: error.message };
  }
}

const board = await (await fetch(`/${query.get('board')}.json`)).json();
add(Object.assign(document.querySelector('h1'), { textContent: board.title }), 'small', `${clock(from)} to ${clock(to)} UTC`);
window.drawn = await Promise.all(board.panels.map(drawn));
