// The page: which view is shown, over which time range, how often.
import * as api from "./api.js";
import { resize, sweep } from "./charts.js";
import { dashboards } from "./dashboards.js";
import { h, said } from "./dom.js";
import { alerts, logs, sql, trace, traces } from "./views.js";

const VIEWS = { dashboards: ["Dashboards", dashboards], alerts: ["Alerts", alerts], logs: ["Logs", logs], traces: ["Traces", traces], sql: ["SQL", sql] };
const HIDDEN = { trace: [traces, trace] };
const element = (id) => document.getElementById(id);
const main = element("main");
let timer = 0, turn = 0;

function place() {
  const [name, ...rest] = location.hash.slice(1).split("/").map(decodeURIComponent);
  return VIEWS[name] || HIDDEN[name] ? [name, rest] : ["dashboards", []];
}

async function show() {
  const mine = ++turn, [name, rest] = place();
  const view = HIDDEN[name]?.[1] ?? VIEWS[name][1];
  document.body.dataset.ready = "false";
  for (const link of element("nav").children) {
    const current = link.hash === `#${name === "trace" ? "traces" : name}`;
    if (current) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
  }
  const seconds = Number(element("range").value), end = api.now() + 1e6, start = end - seconds * 1e6;
  // A view that was overtaken by another one writes nothing any more.
  const mounted = { replaceChildren: (...nodes) => { if (mine === turn) main.replaceChildren(...nodes); } };
  try {
    await view(mounted, rest, { start, end, step: Math.max(Math.round(seconds / 120), 1), again: show });
  } catch (error) {
    if (mine !== turn) return;
    if (error instanceof api.Refused) { ask(error.message); return; }
    main.replaceChildren(h("div", { class: "card" }, said(error.message, true)));
  }
  if (mine !== turn) return;
  sweep();
  document.body.dataset.ready = "true";
}

function ask(reason) {
  document.querySelector("dialog")?.remove();
  const user = h("input", { name: "user", autocomplete: "username", value: "root@example.com", required: true });
  const secret = h("input", { name: "secret", type: "password", autocomplete: "current-password", required: true });
  const dialog = h("dialog", {}, h("form", { method: "dialog", submit: () => { if (api.login(user.value, secret.value)) show(); dialog.remove(); } },
    h("h1", {}, "Who are you?"), h("p", { class: "note" }, reason),
    h("label", {}, "User ", user), h("label", {}, "Secret ", secret), h("button", { class: "primary" }, "Look"),
    h("p", { class: "note" }, "Both are in the OPENOBSERVE_TOKEN that the server printed, with a colon between them.")));
  document.body.append(dialog);
  dialog.showModal();
}

function theme(next) {
  const wanted = next ?? localStorage.getItem("cqrs-local-theme") ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  document.documentElement.dataset.theme = wanted;
  if (next) { localStorage.setItem("cqrs-local-theme", next); show(); }
}

const other = () => theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");

function schedule() {
  clearInterval(timer);
  const seconds = Number(element("refresh").value);
  if (seconds) timer = setInterval(() => { if (!document.hidden && document.body.dataset.ready === "true") show(); }, seconds * 1000);
}

function key(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
  const at = Number(event.key) - 1, names = Object.keys(VIEWS);
  if (names[at]) location.hash = `#${names[at]}`;
  else if (event.key === "r") show();
  else if (event.key === "t") other();
  else if (event.key === "/" && element("filter")) { event.preventDefault(); element("filter").focus(); }
}

element("nav").append(...Object.entries(VIEWS).map(([name, [label]]) => h("a", { href: `#${name}` }, label)));
const asked = new URLSearchParams(location.search);
if (asked.has("range")) element("range").value = asked.get("range");
theme(asked.get("theme") ? null : undefined);
if (asked.get("theme")) document.documentElement.dataset.theme = asked.get("theme");
element("range").addEventListener("change", show);
element("refresh").addEventListener("change", schedule);
element("again").addEventListener("click", show);
element("theme").addEventListener("click", other);
addEventListener("hashchange", show);
addEventListener("resize", resize);
addEventListener("keydown", key);
if (api.remember()) show(); else ask("The server wants the credentials that it printed.");
