// Calls of the server: the public ones that any client makes, and one of the page's own.

const KEY = "cqrs-local-credentials";
const state = { authorization: null, org: "default" };

export class Refused extends Error {}

/** Take credentials from the address (`#key=…`), which is cleaned, or from this tab's memory. */
export function remember() {
  const given = /^#key=([A-Za-z0-9+/=]+)$/.exec(location.hash);
  if (given) {
    sessionStorage.setItem(KEY, given[1]);
    history.replaceState(null, "", location.pathname + location.search);
  }
  const kept = sessionStorage.getItem(KEY);
  state.authorization = kept && `Basic ${kept}`;
  return Boolean(kept);
}

export function login(user, secret) {
  sessionStorage.setItem(KEY, btoa(String.fromCharCode(...new TextEncoder().encode(`${user}:${secret}`))));
  return remember();
}

export function forget() {
  sessionStorage.removeItem(KEY);
  state.authorization = null;
}

async function call(path, options = {}) {
  const headers = { authorization: state.authorization, "content-type": "application/json" };
  const answer = await fetch(path, { ...options, headers });
  const text = await answer.text();
  let body = text;
  try { body = JSON.parse(text); } catch { /* a plain text: kept as it is */ }
  if (answer.status === 401) throw new Refused("The credentials are wrong.");
  if (!answer.ok) throw new Error(body.error_detail || body.message || body.error || text || `status ${answer.status}`);
  return body;
}

const of = (org, path) => `api/${encodeURIComponent(org)}/${path}`;

export const now = () => Date.now() * 1000;

/** Run a query; an answer that is partial is an error, as it has to be for every client. */
export async function search(sql, { type = "logs", start, end, size = 1000 }) {
  const query = { sql, start_time: Math.floor(start), end_time: Math.floor(end), from: 0, size };
  const answer = await call(of(state.org, `_search?type=${type}&use_cache=false`), {
    method: "POST", body: JSON.stringify({ query }),
  });
  if (answer.is_partial) throw new Error(answer.function_error?.[0] ?? "the answer is partial");
  return answer;
}

export const streams = async (type, schema = false) =>
  (await call(of(state.org, `streams?type=${type}&fetchSchema=${schema}`))).list;

export async function dashboards() {
  const folders = (await call(`api/v2/${encodeURIComponent(state.org)}/folders/dashboards`)).list;
  const ids = [...new Set(["default", ...folders.map((folder) => folder.folderId)])];
  const lists = await Promise.all(ids.map((id) => call(of(state.org, `dashboards?folder=${encodeURIComponent(id)}`))));
  return lists.flatMap((list) => list.dashboards).map((entry) => entry[`v${entry.version}`]);
}

export const alerts = async () => (await call(of(state.org, "_local/alerts"))).list;

export const traces = async (stream, start, end) =>
  (await call(of(state.org, `${encodeURIComponent(stream)}/traces/latest?start_time=${Math.floor(start)}&end_time=${Math.floor(end)}&from=0&size=50`))).hits;

export const range = async (query, start, end, step) =>
  (await call(of(state.org, `prometheus/api/v1/query_range?query=${encodeURIComponent(query)}&start=${start / 1e6}&end=${end / 1e6}&step=${step}`))).data.result;

export const check = () => call("api/organizations");
