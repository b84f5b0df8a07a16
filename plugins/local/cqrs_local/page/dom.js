// Small pieces of the page; texts are always set as texts.

/** An element: `h("p", { class: "note" }, "text", child)`; functions become listeners. */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

export const said = (text, bad = false) => h("div", { class: bad ? "said bad" : "said" }, text);

export function shown(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") {
    return Number.isInteger(value) ? value.toLocaleString("en") : value.toLocaleString("en", { maximumFractionDigits: Math.abs(value) < 1 ? 4 : 2 });
  }
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

const pad = (number, size = 2) => String(number).padStart(size, "0");

export function time(microseconds, seconds = true) {
  const moment = new Date(microseconds / 1000);
  const day = `${moment.getFullYear()}-${pad(moment.getMonth() + 1)}-${pad(moment.getDate())}`;
  const clock = `${pad(moment.getHours())}:${pad(moment.getMinutes())}`;
  return seconds ? `${day} ${clock}:${pad(moment.getSeconds())}.${pad(moment.getMilliseconds(), 3)}` : `${day} ${clock}`;
}

export const UNITS = { percent: "%", milliseconds: "ms", seconds: "s" };

/** A table of rows; `link` may turn a cell into an element. */
export function table(rows, columns, { labels = {}, link = () => null, row = null } = {}) {
  const numeric = new Set(columns.filter((name) => rows.every((entry) => entry[name] === undefined || typeof entry[name] === "number")));
  const align = (name) => (numeric.has(name) && name !== "_timestamp" ? "number" : null);
  const head = h("tr", {}, columns.map((name) => h("th", { class: align(name), scope: "col" }, labels[name] ?? name)));
  const body = rows.map((entry) => {
    const cells = columns.map((name) => {
      const value = name === "_timestamp" ? time(entry[name]) : shown(entry[name]);
      return h("td", { class: align(name) }, link(name, entry) ?? value);
    });
    return row ? row(entry, cells) : h("tr", {}, cells);
  });
  return h("table", {}, h("thead", {}, head), h("tbody", {}, body));
}
