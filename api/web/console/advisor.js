/** The advisors' console: who waits for a person, and the conversation with them. */

import { h } from "../widget/dom.js";
import { ConversationPane } from "./conversation.js";
import { attempt, complaintLine, start } from "./frame.js";
import { call } from "./staff.js";
import { moment, t } from "./words.js";

const REFRESH_MS = 10_000;

class Desk {
  #items = new Map();
  #cursor = null;
  #status = new URLSearchParams(location.search).get("status") ?? "waiting";

  constructor(body) {
    this.complaint = complaintLine();
    this.list = h("ul", { class: "conversations" });
    this.empty = h("p", { class: "empty", hidden: true }, t("advisor.none"));
    this.more = h(
      "button",
      { type: "button", class: "button", hidden: true, onclick: () => this.#load(this.#cursor) },
      t("console.more"),
    );
    this.pane = new ConversationPane(() => this.refresh());
    this.node = h(
      "div",
      { class: "desk" },
      h("section", { "aria-label": t("advisor.list") }, this.#tabs(), this.complaint, this.list, this.empty, this.more),
      this.pane.node,
    );
    body.append(this.node);
    addEventListener("hashchange", () => this.#openAddressed());
    setInterval(() => document.hidden || this.refresh(), REFRESH_MS);
    this.refresh();
    this.#openAddressed();
  }

  /** Read the first page again; reload the open conversation only if it has something new. */
  async refresh() {
    await this.#load(null);
    const open = this.#items.get(this.pane.id) ?? (await this.#findElsewhere(this.pane.id));
    if (open) this.pane.follow(open.last_message_at);
  }

  /** What was taken over has left the list of those who wait; it is still open beside it. */
  async #findElsewhere(id) {
    if (!id) return undefined;
    const path = "/v1/advisor/conversations?limit=100";
    const page = await attempt(() => call("GET", path), this.complaint);
    return page?.items.find((item) => item.id === id);
  }

  async #load(cursor) {
    const query = new URLSearchParams();
    if (this.#status !== "all") query.set("status", this.#status);
    if (cursor) query.set("cursor", cursor);
    const page = await attempt(() => call("GET", `/v1/advisor/conversations?${query}`), this.complaint);
    if (page) this.#show(page, cursor);
  }

  #show(page, cursor) {
    if (!cursor) this.#items.clear();
    for (const item of page.items) this.#items.set(item.id, item);
    this.#cursor = page.next_cursor;
    this.more.hidden = !page.next_cursor;
    this.empty.hidden = this.#items.size > 0;
    const focused = this.list.querySelector(":focus")?.hash;
    this.list.replaceChildren(...[...this.#items.values()].map((item) => this.#line(item)));
    if (focused) this.list.querySelector(`[href="${focused}"]`)?.focus();
  }

  #line(item) {
    return h(
      "li",
      {},
      h(
        "a",
        { href: `#${item.id}`, "aria-current": item.id === this.pane.id && "true" },
        h("span", { class: "who" }, item.person_name ?? t("advisor.visitor")),
        h("time", { class: "soft", datetime: item.last_message_at }, moment(item.last_message_at)),
        h("span", { class: "last" }, item.last_message ?? ""),
        h("span", { class: `chip is-${item.status}` }, statusName(item.status), item.assigned_to && ` · ${item.assigned_to}`),
        item.handoff_reason && h("span", { class: "soft" }, item.handoff_reason),
      ),
    );
  }

  #tabs() {
    const lang = new URLSearchParams(location.search).get("lang");
    const links = ["waiting", "advisor", "agent", "all"].map((status) => {
      const query = new URLSearchParams({ status, ...(lang ? { lang } : {}) });
      const isCurrent = status === this.#status;
      return h("a", { href: `?${query}`, "aria-current": isCurrent && "page" }, statusName(status));
    });
    return h("nav", { class: "filters", "aria-label": t("advisor.filter") }, links);
  }

  #openAddressed() {
    const id = location.hash.slice(1);
    this.node.classList.toggle("is-reading", Boolean(id));
    this.pane.open(id || null);
    for (const link of this.list.querySelectorAll("a")) {
      if (link.hash === location.hash) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }
}

function statusName(status) {
  const names = {
    waiting: t("advisor.status.waiting"),
    advisor: t("advisor.status.advisor"),
    agent: t("advisor.status.agent"),
    closed: t("advisor.status.closed"),
    all: t("advisor.status.all"),
  };
  return names[status];
}

start(t("advisor.title"), (body) => new Desk(body));
