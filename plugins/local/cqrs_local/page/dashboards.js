// The dashboards, drawn from the very JSON that the API stores.
import * as api from "./api.js";
import { draw, drawMatrix } from "./charts.js";
import { h, said } from "./dom.js";

const chosen = new Map();

export async function dashboards(main, [wanted], context) {
  const boards = await api.dashboards();
  if (!boards.length) {
    main.replaceChildren(h("div", { class: "card" }, h("h1", {}, "No dashboards yet"), h("p", { class: "note" },
      "Dashboards that are posted to /api/{org}/dashboards are drawn here: run cqrs openobserve init with the variables that the server printed.")));
    return;
  }
  const board = boards.find((each) => each.dashboardId === wanted) ?? boards[0];
  const picker = h("select", { "aria-label": "Dashboard", id: "board", change: (event) => { location.hash = `#dashboards/${event.target.value}`; } },
    boards.map((each) => h("option", { value: each.dashboardId, selected: each === board }, each.title)));
  const panels = board.tabs.flatMap((tab) => tab.panels);
  const grid = h("div", { class: "grid" }, panels.map(frame));
  main.replaceChildren(h("div", { class: "bar" }, h("h1", {}, board.title), boards.length > 1 ? picker : null,
    variables(board, context.again), h("span", { class: "note grow" }, board.description)), grid);
  await Promise.all(panels.map((panel, at) => fill(grid.children[at], panel, values(board), context)));
}

function frame(panel) {
  const { x, w } = panel.layout;
  const element = h("section", { class: panel.type === "metric" ? "panel metric" : "panel", "data-state": "loading", "aria-label": panel.title },
    h("h2", { title: panel.description || null }, panel.title), h("div", { class: "plot" }));
  element.style.gridColumn = `${x + 1} / span ${w}`;
  return element;
}

const listed = (board) => board.variables?.list ?? [];

function values(board) {
  return Object.fromEntries(listed(board).map((each) => [each.name, chosen.get(each.name) ?? each.value ?? ""]));
}

function variables(board, again) {
  return listed(board).map((each) => {
    const input = h("input", { value: values(board)[each.name], size: 12, name: each.name, change: (event) => {
      chosen.set(each.name, event.target.value || "%");
      again();
    } });
    return h("label", { class: "note" }, `${each.label} `, input);
  });
}

export function replaced(text, values) {
  return text.replace(/\$\{(\w+)\}|\$(\w+)/g, (all, braced, bare) => {
    const value = values[braced ?? bare];
    return value === undefined ? all : value.replaceAll("'", "''");
  });
}

async function fill(element, panel, values, { start, end, step }) {
  try {
    if (panel.type === "markdown") element.querySelector(".plot").append(h("pre", {}, panel.markdownContent ?? ""));
    else if (panel.queryType === "promql") drawMatrix(element, panel, await api.range(replaced(panel.queries[0].query, values), start, end, step), { start, end });
    else {
      const type = panel.queries[0].fields.stream_type;
      draw(element, panel, (await api.search(replaced(panel.queries[0].query, values), { type, start, end, size: 5000 })).hits, { start, end });
    }
  } catch (error) {
    if (error instanceof api.Refused) throw error;
    element.dataset.state = "error";
    element.querySelector(".plot").replaceChildren(said(error.message, true));
  }
}
