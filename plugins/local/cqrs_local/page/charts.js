// Panels: from the JSON of a dashboard and the rows of its query to something to look at.
import { h, said, shown, table, UNITS } from "./dom.js";
import { init } from "./vendor/echarts.js";

const MEANT = { success: "#2f9e68", rejected: "#d59b2c", error: "#cf4a41", cancelled: "#8a94a3", hit: "#2f9e68", fresh: "#2f9e68", negative: "#7cbf9e", stale: "#d59b2c", stale_error: "#c2703d", collapsed: "#a15fc0", miss: "#5b84d6", bypass: "#8a94a3" };
const OTHERS = ["#4479d0", "#e0843b", "#2a9d8f", "#a15fc0", "#c9a227", "#d0577f", "#5aa7d6", "#7a8f3c"];
const open = new Set();

/** A value with its unit; many milliseconds are read as seconds. */
const measured = (value, unit) => (unit === "ms" && Math.abs(value) >= 10000 ? measured(value / 1000, "s") : `${shown(value)}${unit && ` ${unit}`}`);
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const moment = (value) => (typeof value === "number" ? value / 1000 : Date.parse(value.endsWith("Z") ? value : `${value}Z`));

/** Let go of every chart that is no longer on the page. */
export function sweep() {
  for (const chart of open) {
    if (!chart.getDom().isConnected) { chart.dispose(); open.delete(chart); }
  }
}

export const resize = () => open.forEach((chart) => chart.resize());

/** Curves out of rows: one for each value column, or one for each value of the breakdown. */
export function curves(rows, fields, spread) {
  const [x] = fields.x.map((axis) => axis.alias);
  const split = fields.breakdown?.[0]?.alias;
  const found = new Map();
  for (const row of rows) {
    for (const axis of fields.y) {
      const name = split ? shown(row[split]) || "(none)" : axis.label;
      if (!found.has(name)) found.set(name, []);
      if (row[axis.alias] !== undefined || spread) found.get(name).push([moment(row[x]), row[axis.alias] ?? null]);
    }
  }
  const order = Object.keys(MEANT), rank = ([name]) => (order.includes(name) ? order.indexOf(name) : order.length);
  return new Map([...found].sort((a, b) => rank(a) - rank(b)));
}

function option(panel, series, stacked, kind, { start, end }) {
  const unit = UNITS[panel.config.unit] ?? "";
  const quiet = css("--quiet"), line = css("--line"), ink = css("--ink");
  return {
    animation: false, aria: { enabled: true }, color: OTHERS, textStyle: { fontFamily: "inherit" },
    grid: { left: 8, right: 12, top: 12, bottom: panel.config.show_legends ? 30 : 8, containLabel: true },
    legend: panel.config.show_legends ? { bottom: 0, type: "scroll", textStyle: { color: quiet }, itemHeight: 8, itemWidth: 14, icon: "roundRect" } : undefined,
    tooltip: { trigger: "axis", confine: true, backgroundColor: css("--card"), borderColor: line, textStyle: { color: ink, fontSize: 12 }, valueFormatter: (value) => measured(value ?? 0, unit) },
    xAxis: { type: "time", min: start / 1000, max: end / 1000, axisLabel: { color: quiet, hideOverlap: true }, axisLine: { lineStyle: { color: line } }, splitLine: { show: false } },
    yAxis: { type: "value", min: 0, axisLabel: { color: quiet, formatter: (value) => measured(value, unit) }, splitLine: { lineStyle: { color: line } } },
    series: [...series].map(([name, data]) => ({
      name, data, type: kind, stack: stacked ? "all" : undefined, areaStyle: stacked || panel.type === "area" ? { opacity: 0.35 } : undefined,
      showSymbol: data.length < 3, symbolSize: 5, lineStyle: { width: 1.8 }, barMaxWidth: 18, color: MEANT[name],
    })),
  };
}

/** Stacked curves need a value at every time that any of them has one. */
function filled(series) {
  const times = [...new Set([...series.values()].flatMap((data) => data.map(([at]) => at)))].sort((a, b) => a - b);
  return new Map([...series].map(([name, data]) => {
    const known = new Map(data);
    return [name, times.map((at) => [at, known.get(at) ?? 0])];
  }));
}

function plot(place, panel, series, span) {
  const stacked = ["area-stacked", "stacked"].includes(panel.type);
  const kind = ["bar", "stacked"].includes(panel.type) ? "bar" : "line";
  const chart = init(place, null, { renderer: "canvas" });
  open.add(chart);
  chart.setOption(option(panel, stacked ? filled(series) : series, stacked, kind, span));
}

function parts(place, panel, rows, fields) {
  const [x] = fields.x.map((axis) => axis.alias), [y] = fields.y.map((axis) => axis.alias);
  const chart = init(place, null, { renderer: "canvas" });
  open.add(chart);
  const quiet = css("--quiet");
  const flat = { animation: false, color: OTHERS, tooltip: { confine: true } };
  if (panel.type === "h-bar") {
    chart.setOption({
      ...flat, grid: { left: 8, right: 16, top: 6, bottom: 6, containLabel: true }, xAxis: { type: "value", axisLabel: { color: quiet } },
      yAxis: { type: "category", inverse: true, data: rows.map((row) => shown(row[x])), axisLabel: { color: quiet } },
      series: [{ type: "bar", data: rows.map((row) => row[y]), barMaxWidth: 18 }],
    });
  } else {
    const radius = panel.type === "donut" ? ["45%", "70%"] : "70%";
    chart.setOption({ ...flat, series: [{ type: "pie", radius, label: { color: quiet }, data: rows.map((row) => ({ name: shown(row[x]), value: row[y] })) }] });
  }
}

function figure(panel, rows, fields) {
  const value = rows[0]?.[fields.y[0].alias];
  const unit = UNITS[panel.config.unit] ?? "";
  return h("div", { class: "figure" }, shown(typeof value === "number" ? Number(value.toFixed(panel.config.decimals ?? 2)) : value ?? "–"), h("small", {}, unit));
}

function listing(panel, rows, fields) {
  const axes = [...fields.x, ...fields.y];
  const labels = Object.fromEntries(axes.map((axis) => [axis.alias, axis.label]));
  return table(rows, axes.map((axis) => axis.alias), { labels });
}

/** Draw one panel; what the element's `data-state` says is what became of it. */
export function draw(element, panel, rows, span) {
  const place = element.querySelector(".plot");
  const [{ fields }] = panel.queries;
  place.replaceChildren();
  element.dataset.state = rows.length ? "data" : "empty";
  if (!rows.length) { place.append(said("nothing in this time range")); return; }
  if (panel.type === "metric") place.append(figure(panel, rows, fields));
  else if (panel.type === "table") place.append(listing(panel, rows, fields));
  else if (["pie", "donut", "h-bar"].includes(panel.type)) parts(place, panel, rows, fields);
  else if (["line", "area", "area-stacked", "bar", "stacked"].includes(panel.type)) plot(place, panel, curves(rows, fields), span);
  else { element.dataset.state = "error"; place.append(said(`panels of type ${panel.type} are not drawn here`, true)); }
}

/** Draw the answer of PromQL. */
export function drawMatrix(element, panel, result, span) {
  const legend = panel.queries[0].config.promql_legend;
  const named = (metric) => (legend ? legend.replace(/\{(\w+)\}/g, (_, label) => metric[label] ?? "") : Object.entries(metric).map(([k, v]) => `${k}=${v}`).join(" "));
  const series = new Map(result.map((each) => [named(each.metric), each.values.map(([at, value]) => [at * 1000, Number(value)])]));
  element.dataset.state = series.size ? "data" : "empty";
  const place = element.querySelector(".plot");
  place.replaceChildren();
  if (series.size) plot(place, panel, series, span);
  else place.append(said("nothing in this time range"));
}
