/** One conversation as an advisor reads it, with what they can do about it. */

import { h } from "../widget/dom.js";
import { renderMarkup } from "../widget/markup.js";
import { attempt, complaintLine } from "./frame.js";
import { call, session } from "./staff.js";
import { moment, t } from "./words.js";

export class ConversationPane {
  id = null;
  #seen = "";
  #onChange;
  #unsent = null;

  /** @param {Function} onChange called when an act changed what the list shows */
  constructor(onChange) {
    this.#onChange = onChange;
    this.node = h("section", { class: "conversation", "aria-label": t("advisor.conversation") });
    this.open(null);
  }

  async open(id) {
    this.id = id;
    this.#seen = "";
    this.complaint = complaintLine();
    if (!id) return this.node.replaceChildren(h("p", { class: "empty" }, t("advisor.choose")));
    this.node.replaceChildren(h("p", { class: "soft", role: "status" }, t("console.loading")), this.complaint);
    return this.#reload();
  }

  /** Reading is recorded in the audit: read again only when something was said since. */
  follow(lastMessageAt) {
    if (this.#seen && lastMessageAt > this.#seen) this.#reload();
  }

  async #reload() {
    const asked = this.id;
    const found = await attempt(() => readAll(asked), this.complaint);
    if (found && this.id === asked) this.#show(found);
  }

  #show({ conversation, messages }) {
    const draft = this.node.querySelector("textarea")?.value ?? "";
    const isMine = conversation.status === "advisor" && conversation.staff_id === session().staff.id;
    this.#seen = conversation.last_message_at;
    this.node.replaceChildren(
      this.#head(conversation, isMine),
      h("ol", { class: "log", tabindex: "0", "aria-label": t("advisor.messages") }, messages.map(line)),
      this.complaint,
      isMine ? this.#replyForm(draft) : h("p", { class: "soft" }, t("advisor.takeFirst")),
    );
    const log = this.node.querySelector(".log");
    log.scrollTop = log.scrollHeight;
  }

  #head({ identity_level: level, handoff_reason: reason }, isMine) {
    const [act, label] = isMine ? ["release", t("advisor.release")] : ["takeover", t("advisor.takeOver")];
    const onclick = () => this.#act(act);
    return h(
      "div",
      { class: "conversation-head" },
      h("a", { class: "button back", href: "#" }, t("advisor.back")),
      h("p", {}, level === "verified" ? t("advisor.verified") : t("advisor.unverified"), reason && ` · ${reason}`),
      h("button", { type: "button", class: isMine ? "button" : "button primary", onclick }, label),
    );
  }

  async #act(act) {
    const path = `/v1/advisor/conversations/${this.id}/${act}`;
    if (await attempt(() => call("POST", path), this.complaint)) await this.#changed();
  }

  #replyForm(draft) {
    const text = h("textarea", { id: "reply", rows: "3", required: true, maxlength: "4000" });
    text.value = draft;
    const onsubmit = (event) => {
      event.preventDefault();
      this.#reply(text);
    };
    return h(
      "form",
      { class: "reply", onsubmit },
      h("label", { for: "reply" }, t("advisor.reply")),
      text,
      h("button", { class: "button primary" }, t("advisor.send")),
    );
  }

  /** A reply that may have been lost is sent again under the same id. */
  async #reply(field) {
    const text = field.value.trim();
    if (!text) return;
    if (this.#unsent?.text !== text) this.#unsent = { client_message_id: crypto.randomUUID(), text };
    const path = `/v1/advisor/conversations/${this.id}/messages`;
    if (!(await attempt(() => call("POST", path, this.#unsent), this.complaint))) return;
    this.#unsent = null;
    field.value = "";
    await this.#changed();
    this.node.querySelector("textarea")?.focus();
  }

  async #changed() {
    await this.#reload();
    this.#onChange();
  }
}

async function readAll(id) {
  const path = `/v1/advisor/conversations/${id}`;
  const found = await call("GET", path);
  for (let cursor = found.next_cursor; cursor; ) {
    const page = await call("GET", `${path}?since=${encodeURIComponent(cursor)}`);
    found.messages.push(...page.messages);
    cursor = page.next_cursor;
  }
  return found;
}

function line(message) {
  return h(
    "li",
    { class: `said is-${message.role}` },
    h("p", { class: "soft" }, `${authorOf(message)} · ${moment(message.created_at)}`),
    h("div", {}, renderMarkup(message.text, { base: location.origin, citations: message.citations })),
  );
}

function authorOf({ role, author }) {
  const names = {
    student: t("advisor.author.student"),
    agent: t("advisor.author.agent"),
    advisor: author ?? t("advisor.author.advisor"),
    system: t("advisor.author.system"),
  };
  return names[role];
}
