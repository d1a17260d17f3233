// Draws Slack's charts (data_visualization) as SVG: axes, labels, legend, and a title on every point.

import { el, svg } from "./dom.js";

const WIDTH = 560;
const HEIGHT = 240;
const INSET = { left: 62, right: 14, top: 12, bottom: 42 };
const LABEL_WIDTH = 76;

const full = new Intl.NumberFormat();
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumSignificantDigits: 4 });

/** Return the drawing of a data_visualization block. */
export function chart(block) {
  const { type } = block.chart;
  const [picture, names] = type === "pie" ? pie(block.chart) : axes(block.chart);
  return el("figure", { class: "chart", dataset: { testid: "chart", type } }, el("figcaption", {}, block.title), labelled(picture, block), legend(names));
}

function labelled(picture, block) {
  const parts = block.chart.type === "pie" ? block.chart.segments.map(point) : block.chart.series.map((series) => `${series.name}: ${series.data.map(point).join(", ")}`);
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", `${block.title}. ${parts.join("; ")}`);
  return picture;
}

const point = ({ label, value }) => `${label} ${full.format(value)}`;

function legend(names) {
  return el("ul", { class: "legend" }, names.map((name, index) => el("li", {}, el("span", { class: `swatch series-${index}` }), name)));
}

function axes({ type, series, axis_config: config }) {
  const categories = config.categories;
  const values = series.flatMap((one) => one.data.map((item) => item.value));
  const ticks = niceTicks(values, type !== "line");
  const [low, high] = [ticks[0], ticks.at(-1)];
  const inner = { width: WIDTH - INSET.left - INSET.right, height: HEIGHT - INSET.top - INSET.bottom };
  const step = inner.width / categories.length;
  const x = (index) => INSET.left + step * (index + 0.5);
  const y = (value) => INSET.top + inner.height * (1 - (value - low) / (high - low));
  const plot = { categories, x, y, step, base: y(Math.max(low, Math.min(0, high))) };
  const drawn = series.map((one, index) => (type === "bar" ? bars(one, index, series.length, plot) : line(one, index, plot, type === "area")));
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${config.x_label ? HEIGHT : HEIGHT - 18}` }, grid(ticks, y), xLabels(plot), axisNames(config), drawn);
  return [picture, series.map((one) => one.name)];
}

function grid(ticks, y) {
  return ticks.map((tick) =>
    svg("g", { class: "tick" }, svg("line", { x1: INSET.left, x2: WIDTH - INSET.right, y1: y(tick), y2: y(tick) }), svg("text", { x: INSET.left - 8, y: y(tick) + 4, "text-anchor": "end" }, short.format(tick))),
  );
}

function xLabels({ categories, x, step }) {
  const every = Math.ceil(LABEL_WIDTH / step);
  return categories.map((category, index) => (index % every ? null : svg("text", { class: "category", x: x(index), y: HEIGHT - INSET.bottom + 16, "text-anchor": "middle" }, category)));
}

function axisNames({ x_label: across, y_label: up }) {
  return [
    across && svg("text", { class: "axis", x: WIDTH / 2, y: HEIGHT - 6, "text-anchor": "middle" }, across),
    up && svg("text", { class: "axis", x: 12, y: HEIGHT / 2 - 14, "text-anchor": "middle", transform: `rotate(-90 12 ${HEIGHT / 2 - 14})` }, up),
  ];
}

function inOrder(series, categories) {
  const byLabel = new Map(series.data.map((item) => [item.label, item.value]));
  return categories.map((category) => byLabel.get(category));
}

const tip = (name, category, value) => svg("title", {}, `${name}, ${category}: ${full.format(value)}`);

function line(series, index, { categories, x, y, base }, filled) {
  const values = inOrder(series, categories);
  const path = values.map((value, at) => `${at ? "L" : "M"}${x(at)} ${y(value)}`).join("");
  const area = `${path}L${x(values.length - 1)} ${base}L${x(0)} ${base}Z`;
  return svg(
    "g",
    { class: `series-${index}` },
    filled && svg("path", { class: "area", d: area }),
    svg("path", { class: "line", d: path }),
    values.map((value, at) => svg("circle", { class: "point", cx: x(at), cy: y(value), r: 3.5 }, tip(series.name, categories[at], value))),
  );
}

function bars(series, index, count, { categories, x, y, step, base }) {
  const width = (step * 0.7) / count;
  return svg(
    "g",
    { class: `series-${index}` },
    inOrder(series, categories).map((value, at) =>
      svg("rect", { class: "bar", x: x(at) - step * 0.35 + width * index, width: Math.max(width - 1, 1), y: Math.min(y(value), base), height: Math.abs(base - y(value)) }, tip(series.name, categories[at], value)),
    ),
  );
}

/** Return round steps around the values. Bars and areas begin at zero, or their sizes would mislead. */
function niceTicks(values, fromZero) {
  const low = fromZero ? Math.min(0, ...values) : Math.min(...values);
  const high = fromZero ? Math.max(0, ...values) : Math.max(...values);
  const rough = (high - low || Math.abs(high) || 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough);
  const first = Math.floor(low / step);
  const last = Math.max(Math.ceil(high / step), first + 1);
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
}

function pie({ segments }) {
  const total = segments.reduce((sum, { value }) => sum + value, 0);
  const [cx, cy, radius] = [WIDTH / 2, HEIGHT / 2, HEIGHT / 2 - 14];
  let turned = 0;
  const at = (share) => `${cx + radius * Math.sin(2 * Math.PI * share)} ${cy - radius * Math.cos(2 * Math.PI * share)}`;
  const slices = segments.map(({ label, value }, index) => {
    const share = value / total;
    const [from, to] = [turned, (turned += share)];
    const path = `M${cx} ${cy}L${at(from)}A${radius} ${radius} 0 ${share > 0.5 ? 1 : 0} 1 ${at(to)}Z`;
    const title = svg("title", {}, `${label}: ${full.format(value)} (${(share * 100).toFixed(1)}%)`);
    const shape = share > 0.9999 ? svg("circle", { cx, cy, r: radius }, title) : svg("path", { d: path }, title);
    return svg("g", { class: `slice series-${index}` }, shape);
  });
  const names = segments.map(({ label, value }) => `${label} ${((value / total) * 100).toFixed(1)}%`);
  return [svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}` }, slices), names];
}
