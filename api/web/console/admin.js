/** The admins' console: what the agents did, run by run and record by record. */

import { h } from "../widget/dom.js";
import { attempt, complaintLine, start } from "./frame.js";
import { call } from "./staff.js";
import { json, listTable, state } from "./tables.js";
import { figure, moment, t } from "./words.js";

const VIEWS = {
  runs: {
    path: "/v1/admin/runs",
    filters: [
      ["status", () => t("admin.status"), ["completed", "failed", "waiting", "running", "aborted"]],
      ["conversation_id", () => t("admin.conversation")],
    ],
    columns: runColumns,
    details: timeline,
  },
  audit: {
    path: "/v1/admin/audit/events",
    filters: [
      ["action", () => t("admin.action")],
      ["outcome", () => t("admin.outcome"), ["ok", "refused", "failed", "needs_confirmation", "aborted"]],
      ["agent", () => t("admin.agent")],
      ["run_id", () => t("admin.run")],
      ["conversation_id", () => t("admin.conversation")],
    ],
    columns: auditColumns,
    details: async (event) => json(event.payload),
  },
};

start(t("admin.title"), (body) => {
  const asked = new URLSearchParams(location.search);
  const name = asked.get("view") === "audit" ? "audit" : "runs";
  const view = VIEWS[name];
  const complaint = complaintLine();
  const table = listTable(view.columns(), (item) => attempt(() => view.details(item), complaint));
  const more = h("button", { type: "button", class: "button", hidden: true }, t("console.more"));
  const empty = h("p", { class: "empty", hidden: true }, t("admin.none"));
  body.append(tabs(name), checkLine(name), filterForm(name, view, asked), complaint, table.node, empty, more);
  load({ view, asked, table, more, empty, complaint }, null);
});

function tabs(current) {
  const labels = [
    ["runs", t("admin.runs")],
    ["audit", t("admin.audit")],
  ];
  const links = labels.map(([name, label]) =>
    h("a", { href: address({ view: name }), "aria-current": name === current && "page" }, label),
  );
  return h("nav", { class: "filters", "aria-label": t("admin.views") }, links);
}

/** The journal can be checked as a whole where it is read. */
function checkLine(current) {
  if (current !== "audit") return "";
  const result = h("span", { class: "soft", role: "status" });
  const onclick = async () => {
    const found = await attempt(() => call("POST", "/v1/admin/audit/verify"), result);
    if (found) result.textContent = verdict(found);
  };
  const button = h("button", { type: "button", class: "button", onclick }, t("admin.verify"));
  return h("p", { class: "check-line" }, button, result);
}

function verdict({ chains, events, broken }) {
  if (!broken.length) return t("admin.intact", { chains: figure(chains), events: figure(events) });
  const { chain_id: chain, seq } = broken[0];
  return t("admin.broken", { chain, seq, count: figure(broken.length) });
}

function filterForm(view, { filters }, asked) {
  const fields = filters.map(([key, label, options]) => {
    const value = asked.get(key) ?? "";
    const field = options ? choice(key, options, value) : h("input", { id: key, name: key, value });
    return h("div", {}, h("label", { for: key }, label()), field);
  });
  const kept = h("input", { type: "hidden", name: "view", value: view });
  const apply = h("button", { class: "button primary" }, t("admin.filter"));
  const clear = h("a", { class: "button", href: address({ view }) }, t("admin.clear"));
  return h("form", { class: "filter-form", method: "get" }, kept, fields, apply, clear);
}

function choice(key, options, value) {
  const all = h("option", { value: "" }, t("admin.all"));
  const each = options.map((option) => h("option", { value: option, selected: option === value }, option));
  return h("select", { id: key, name: key }, all, each);
}

async function load(list, cursor) {
  const { view, asked, table, more, empty, complaint } = list;
  const query = new URLSearchParams();
  for (const [key] of view.filters) if (asked.get(key)) query.set(key, asked.get(key));
  if (cursor) query.set("cursor", cursor);
  const page = await attempt(() => call("GET", `${view.path}?${query}`), complaint);
  if (!page) return;
  table.add(page.items);
  table.node.hidden = !table.node.tBodies[0].hasChildNodes();
  empty.hidden = !table.node.hidden;
  more.hidden = !page.next_cursor;
  more.onclick = () => load(list, page.next_cursor);
}

function runColumns() {
  return [
    { label: t("admin.started"), cell: (run) => moment(run.started_at) },
    {
      label: t("admin.status"),
      cell: (run) => state(run.error_code ?? run.status, run.status === "completed", run.status === "failed"),
    },
    { label: t("admin.agent"), cell: (run) => `${run.agent} · ${run.model}` },
    { label: t("admin.tools"), cell: (run) => figure(run.tool_calls), isFigure: true },
    { label: t("admin.tokens"), cell: (run) => figure(run.tokens_in + run.tokens_out), isFigure: true },
    { label: t("admin.latency"), cell: (run) => (run.latency_ms === null ? "" : figure(run.latency_ms)), isFigure: true },
    { label: t("admin.conversation"), cell: (run) => filterLink("runs", "conversation_id", run.conversation_id) },
  ];
}

function auditColumns() {
  return [
    { label: t("admin.when"), cell: (event) => moment(event.occurred_at) },
    { label: t("admin.action"), cell: (event) => event.action },
    {
      label: t("admin.outcome"),
      cell: (event) => state(event.error_code ?? event.outcome, event.outcome === "ok", event.outcome !== "ok"),
    },
    { label: t("admin.decision"), cell: (event) => event.decision },
    { label: t("admin.who"), cell: (event) => event.agent ?? event.actor_role ?? event.actor_kind },
    { label: t("admin.run"), cell: (event) => filterLink("audit", "run_id", event.run_id) },
  ];
}

/** A run's records in the order they were made. */
async function timeline(run) {
  const { events } = await call("GET", `/v1/admin/runs/${run.id}`);
  const lines = events.map((event) =>
    h(
      "li",
      {},
      h("p", {}, h("strong", {}, event.action), " ", state(event.error_code ?? event.outcome, event.outcome === "ok", true)),
      h("p", { class: "soft" }, `${moment(event.occurred_at)} · ${event.decision}`),
      json(event.payload),
    ),
  );
  return h("ol", { class: "timeline" }, lines);
}

function filterLink(view, key, id) {
  return id ? h("a", { href: address({ view, [key]: id }), title: id }, `…${id.slice(-6)}`) : "";
}

function address(query) {
  const lang = new URLSearchParams(location.search).get("lang");
  return `?${new URLSearchParams({ ...query, ...(lang ? { lang } : {}) })}`;
}
