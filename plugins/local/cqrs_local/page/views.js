// Alerts, logs, traces and the search box.
import * as api from "./api.js";
import { h, said, shown, table, time } from "./dom.js";

// --- alerts ---------------------------------------------------------------------------------------

const STATES = { firing: ["bad", "firing"], error: ["warn", "cannot be evaluated"], quiet: ["good", "quiet"], disabled: ["", "off"], waiting: ["", "not evaluated yet"] };

export async function alerts(main) {
  const rules = await api.alerts();
  const cards = rules.map((rule) => {
    const [tone, word] = STATES[rule.state];
    const values = Object.entries(rule.value).filter(([name]) => !name.startsWith("zo_sql"));
    return h("article", { class: "card", id: rule.id, "data-state": rule.state },
      h("div", { class: "bar" }, h("h2", { class: "grow" }, rule.name), h("span", { class: `tag ${tone}` }, word)),
      h("p", { class: "note" }, rule.description),
      values.length ? h("p", {}, values.map(([name, value]) => `${name} ${shown(value)}`).join(" · ")) : null,
      rule.error ? h("pre", { class: "note" }, rule.error) : null,
      h("p", { class: "note" }, rule.last_evaluated_at ? `evaluated ${time(rule.last_evaluated_at)}` : "",
        rule.last_satisfied_at ? h("span", {}, ` · last fired ${time(rule.last_satisfied_at)}`) : ""),
      h("div", { class: "history", role: "img", "aria-label": `${rule.history.length} evaluations, ${rule.history.filter((each) => each.fired).length} fired` },
        rule.history.map((each) => h("i", { class: each.fired ? "bad" : each.error ? "warn" : "", title: `${time(each.at)}: ${each.rows} rows ${each.error}` }))),
      h("details", {}, h("summary", { class: "note" }, "query"), h("pre", {}, rule.sql)));
  });
  main.replaceChildren(h("div", { class: "bar" }, h("h1", {}, "Alerts"), h("span", { class: "note" }, "evaluated on their schedule, sent to their destinations")),
    cards.length ? h("div", { class: "cards" }, cards) : h("div", { class: "card" }, said("No alert rules yet: cqrs openobserve init makes them.")));
}

// --- logs -----------------------------------------------------------------------------------------

const FIRST = ["_timestamp", "level", "severity", "message", "body", "message_type", "outcome", "duration_ms", "trace_id"];
const FOLLOW_MS = 2000;
const log = { stream: "", filter: "", follow: false, timer: 0 };

const traced = (name, entry) => (name === "trace_id" && entry[name] ? h("a", { class: "mono", href: `#trace/${entry[name]}` }, entry[name].slice(0, 12)) : null);

function opening(entry, cells) {
  const row = h("tr", { class: "row", tabindex: 0 }, cells);
  const detail = () => {
    if (row.nextSibling?.classList.contains("detail")) { row.nextSibling.remove(); return; }
    row.after(h("tr", { class: "detail" }, h("td", { colspan: cells.length }, h("pre", {}, JSON.stringify(entry, null, 2)))));
  };
  row.addEventListener("click", (event) => { if (event.target.tagName !== "A") detail(); });
  row.addEventListener("keydown", (event) => { if (event.key === "Enter" && event.target === row) detail(); });
  return row;
}

export async function logs(main, _, { start, end, again }) {
  clearTimeout(log.timer);
  const later = () => { log.timer = setTimeout(next, FOLLOW_MS); };
  const next = () => {
    if (!log.follow || location.hash !== "#logs") return;
    if (document.activeElement?.id === "filter" || document.hidden) later(); // nobody loses what they are typing
    else again();
  };
  const names = (await api.streams("logs")).map((stream) => stream.name);
  if (!names.includes(log.stream)) [log.stream] = [names.find((name) => name === "cqrs_commands") ?? names[0] ?? ""];
  const picker = h("select", { "aria-label": "Stream", change: (event) => { log.stream = event.target.value; again(); } },
    names.map((name) => h("option", { selected: name === log.stream }, name)));
  const filter = h("input", { id: "filter", class: "grow", placeholder: "SQL condition, e.g. outcome = 'error'", value: log.filter, "aria-label": "Filter",
    change: (event) => { log.filter = event.target.value; again(); } });
  const place = h("div", { class: "card scroll" });
  const follow = h("input", { type: "checkbox", id: "follow", checked: log.follow, change: (event) => { log.follow = event.target.checked; again(); } });
  main.replaceChildren(h("div", { class: "bar" }, h("h1", {}, "Logs"), picker, filter, h("label", { class: "note" }, follow, " follow"), h("span", { class: "note" }, "newest first")), place);
  if (log.follow) later();
  if (!log.stream) { place.append(said("No records yet.")); return; }
  try {
    const where = log.filter ? ` WHERE ${log.filter}` : "";
    const { hits } = await api.search(`SELECT * FROM "${log.stream}"${where}`, { start, end, size: 200 });
    const present = new Set(hits.flatMap(Object.keys));
    const columns = FIRST.filter((name) => present.has(name));
    const all = columns.length > 2 ? columns : ["_timestamp", ...[...present].filter((name) => name !== "_timestamp").slice(0, 7)];
    place.append(hits.length ? table(hits, all, { row: opening, link: (name, entry) => traced(name, entry) ?? (name === "level" ? h("span", { class: `level-${entry.level}` }, shown(entry.level)) : null) }) : said("nothing in this time range"));
  } catch (error) {
    if (error instanceof api.Refused) throw error;
    place.append(said(error.message, true));
  }
}

// --- traces ---------------------------------------------------------------------------------------

export async function traces(main, _, { start, end }) {
  const names = (await api.streams("traces")).map((stream) => stream.name);
  const lists = await Promise.all(names.map((name) => api.traces(name, start, end)));
  const hits = lists.flat().sort((a, b) => b.start_time - a.start_time);
  const rows = hits.map((hit) => ({
    _timestamp: Math.floor(hit.start_time / 1000), trace_id: hit.trace_id, began: `${hit.first_event.service_name}: ${hit.first_event.operation_name}`,
    spans: hit.spans[0], errors: hit.spans[1], "duration ms": hit.duration / 1000,
  }));
  main.replaceChildren(h("div", { class: "bar" }, h("h1", {}, "Traces")), h("div", { class: "card scroll" },
    rows.length ? table(rows, ["_timestamp", "trace_id", "began", "spans", "errors", "duration ms"], { link: traced }) : said("no traces in this time range")));
}

/** Spans in the order of a tree, each with its depth; one whose parent is missing is a root. */
export function tree(spans) {
  const known = new Set(spans.map((span) => span.span_id));
  const children = new Map();
  for (const span of [...spans].sort((a, b) => a.start_time - b.start_time)) {
    const parent = known.has(span.reference_parent_span_id) && span.reference_parent_span_id !== span.span_id ? span.reference_parent_span_id : "";
    children.set(parent, [...(children.get(parent) ?? []), span]);
  }
  const found = [], seen = new Set();
  const walk = (id, depth) => {
    for (const span of children.get(id) ?? []) {
      if (seen.has(span)) continue;
      seen.add(span);
      found.push({ span, depth });
      walk(span.span_id, depth + 1);
    }
  };
  walk("", 0);
  return [...found, ...spans.filter((span) => !seen.has(span)).map((span) => ({ span, depth: 0 }))];
}

export async function trace(main, [id], { start, end }) {
  const safe = String(id).replace(/[^0-9a-fA-F]/g, "");
  const wide = { start: Math.min(start, end - 7 * 86_400e6), end, size: 5000 };
  const names = (await api.streams("traces")).map((stream) => stream.name);
  const lists = await Promise.all(names.map((name) => api.search(`SELECT * FROM "${name}" WHERE trace_id = '${safe}'`, { ...wide, type: "traces" })));
  const spans = lists.flatMap((list) => list.hits);
  const records = await related(safe, wide);
  const first = Math.min(...spans.map((span) => span.start_time)), last = Math.max(...spans.map((span) => span.end_time));
  main.replaceChildren(
    h("div", { class: "bar" }, h("h1", {}, "Trace"), h("span", { class: "mono note" }, safe), h("span", { class: "note" }, spans.length ? `${spans.length} spans, ${shown((last - first) / 1e6)} ms` : "")),
    h("div", { class: "card", id: "waterfall" }, spans.length ? tree(spans).map((each) => lane(each, first, last - first || 1)) : said("no span of this trace is stored")),
    h("div", { class: "card scroll" }, h("h2", {}, "Records of this trace"), records.length ? table(records, FIRST.filter((name) => name !== "trace_id" && records.some((row) => row[name] !== undefined)), { row: opening }) : said("none")));
}

async function related(id, wide) {
  const found = (await api.streams("logs", true)).filter((stream) => stream.schema.some((column) => column.name === "trace_id"));
  const lists = await Promise.all(found.map((stream) => api.search(`SELECT * FROM "${stream.name}" WHERE trace_id = '${id}'`, wide)));
  return lists.flatMap((list) => list.hits).sort((a, b) => a._timestamp - b._timestamp);
}

function lane({ span, depth }, first, whole) {
  const left = ((span.start_time - first) / whole) * 100, width = ((span.end_time - span.start_time) / whole) * 100;
  const bad = span.span_status === "ERROR";
  const block = h("div", { class: bad ? "block bad" : "block" }), label = h("span", { class: "time" }, `${shown(span.duration / 1000)} ms`);
  block.style.left = `${left}%`;
  block.style.width = `${width}%`;
  if (left + width > 80) label.style.right = `${100 - left}%`; else label.style.left = `${left + width}%`;
  const name = h("div", { class: "name", title: span.operation_name }, h("span", { class: bad ? "level-ERROR" : "" }, span.operation_name), h("span", { class: "note" }, ` ${span.service_name}`));
  name.style.paddingLeft = `${depth * 14}px`;
  const row = h("div", { class: "span" }, name, h("div", { class: "lane" }, block, label));
  return h("details", {}, h("summary", { style: "list-style: none; cursor: pointer" }, row), h("pre", {}, JSON.stringify(span, null, 2)));
}

// --- search box -----------------------------------------------------------------------------------

const asked = { sql: "", type: "logs" };

export async function sql(main, _, { start, end }) {
  const names = (await api.streams(asked.type)).map((stream) => stream.name);
  if (!asked.sql) asked.sql = names.length ? `SELECT * FROM "${names.find((name) => name === "cqrs_commands") ?? names[0]}" LIMIT 50` : "";
  const place = h("div", { class: "card scroll" });
  const run = async () => {
    asked.sql = box.value;
    place.replaceChildren(said("running"));
    try {
      const answer = await api.search(asked.sql, { type: asked.type, start, end });
      const columns = [...new Set(answer.hits.flatMap(Object.keys))];
      place.replaceChildren(h("p", { class: "note" }, `${answer.hits.length} rows, ${answer.took} ms`), answer.hits.length ? table(answer.hits, columns, { link: traced }) : said("no rows"));
    } catch (error) {
      place.replaceChildren(said(error.message, true));
    }
  };
  const box = h("textarea", { id: "filter", spellcheck: "false", "aria-label": "SQL", keydown: (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); run(); }
  } });
  box.value = asked.sql;
  const type = h("select", { "aria-label": "Type of stream", change: (event) => { asked.type = event.target.value; } },
    ["logs", "metrics", "traces"].map((name) => h("option", { selected: name === asked.type }, name)));
  main.replaceChildren(h("div", { class: "bar" }, h("h1", {}, "SQL"), type, h("button", { type: "button", class: "primary", click: run }, "Run"), h("span", { class: "note" }, `Ctrl+Enter runs; streams: ${names.join(", ") || "none"}`)),
    h("div", { class: "card" }, box), place);
  if (asked.sql) await run();
}
