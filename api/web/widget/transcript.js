/** The conversation as this tab knows it: each message once, in one order, whatever arrives when. */

/** @typedef {{id: string, role: string, text: string, citations: Array, created_at: string}} Message */

export class Transcript {
  /** Final messages by id. */
  #messages = new Map();
  /** The student's own, until the server's copy is here, by client id. */
  #pending = new Map();
  #confirmations = new Map();
  #draft = null;
  #revision = 0;
  #onChange;

  constructor(onChange) {
    this.#onChange = onChange;
  }

  get isEmpty() {
    return this.#messages.size + this.#pending.size === 0;
  }

  get draft() {
    return this.#draft;
  }

  /** Return the final messages in the order in which the institution received them. */
  messages() {
    return [...this.#messages.values()].sort(byTime);
  }

  /** Return what is to be shown, each with a key and a revision that changes with its content. */
  entries() {
    return [
      ...this.messages().map((message) => entry("message", message.id, message)),
      ...[...this.#pending.values()].map((item) => entry("pending", item.clientId, item)),
      ...[...this.#confirmations.values()].map((card) => this.#cardEntry(card)),
      ...(this.#draft ? [entry("draft", "draft", this.#draft)] : []),
    ];
  }

  /** A card whose question stands in the log above it does not repeat the question. */
  #cardEntry(card) {
    const asks = (message) => message.actions?.some((a) => a.confirmation_id === card.id);
    const told = [...this.#messages.values()].some(asks);
    return { ...entry("confirmation", card.id, { ...card, told }), revision: `${card.revision}${told}` };
  }

  /** Take final messages in; one that is already here changes nothing. Return the new ones. */
  add(messages) {
    const fresh = messages.filter((message) => !this.#messages.has(message.id));
    for (const message of fresh) {
      this.#messages.set(message.id, { ...message, revision: this.#next() });
      this.#pending.delete(message.client_message_id);
      this.#dropPendingOf(message.id);
      if (message.role === "agent") this.#draft = null;
    }
    if (fresh.length) this.#onChange();
    return fresh;
  }

  hold(clientId, text) {
    this.#setPending({ clientId, text, state: "sending", messageId: null });
  }

  markFailed(clientId) {
    this.#amendPending(clientId, { state: "failed" });
  }

  /** The server has it under this id; its own copy may be here already. */
  markSent(clientId, messageId) {
    if (this.#messages.has(messageId)) this.#pending.delete(clientId);
    this.#amendPending(clientId, { state: "sent", messageId });
    this.#onChange();
  }

  discardPending() {
    this.#pending.clear();
    this.#onChange();
  }

  startDraft() {
    this.#setDraft({ text: "", tool: "" });
  }

  appendToDraft(text) {
    this.#setDraft({ text: (this.#draft?.text ?? "") + text, tool: "" });
  }

  withdrawDraft() {
    this.#setDraft({ text: "", tool: this.#draft?.tool ?? "" });
  }

  /** @param {string} tool what the agent is doing, in words; empty when done */
  showTool(tool) {
    this.#setDraft({ text: this.#draft?.text ?? "", tool });
  }

  endDraft() {
    if (!this.#draft) return;
    this.#draft = null;
    this.#onChange();
  }

  /** Show a confirmation; one that this tab has seen decided stays so. */
  ask(card) {
    if (this.#confirmations.has(card.id)) return;
    this.#confirmations.set(card.id, { ...card, state: "open", revision: this.#next() });
    const left = Date.parse(card.expires_at) - Date.now();
    setTimeout(() => this.#expire(card.id), Math.max(0, left));
    this.#onChange();
  }

  /**
   * @param {"open"|"deciding"|"accepted"|"rejected"|"expired"|"gone"} state
   * @param {Problem|null} problem why a decision did not reach the server
   */
  settle(id, state, problem = null) {
    const card = this.#confirmations.get(id);
    if (!card) return;
    this.#confirmations.set(id, { ...card, state, problem, revision: this.#next() });
    this.#onChange();
  }

  /** Remove the cards that no longer wait for anything: the reply says what became of them. */
  keepConfirmations(pendingIds) {
    for (const id of this.#confirmations.keys()) {
      if (!pendingIds.includes(id)) this.#confirmations.delete(id);
    }
    this.#onChange();
  }

  /** Forget what the server said; what the student wrote and is not there yet stays. */
  clear() {
    this.#messages.clear();
    this.#confirmations.clear();
    this.#draft = null;
    this.#onChange();
  }

  #expire(id) {
    if (this.#confirmations.get(id)?.state === "open") this.settle(id, "expired");
  }

  #dropPendingOf(messageId) {
    for (const item of this.#pending.values()) {
      if (item.messageId === messageId) this.#pending.delete(item.clientId);
    }
  }

  #amendPending(clientId, change) {
    const item = this.#pending.get(clientId);
    if (item) this.#setPending({ ...item, ...change });
  }

  #setPending(item) {
    this.#pending.set(item.clientId, { ...item, revision: this.#next() });
    this.#onChange();
  }

  #setDraft(draft) {
    this.#draft = { ...draft, revision: this.#next() };
    this.#onChange();
  }

  #next() {
    return ++this.#revision;
  }
}

function entry(kind, id, value) {
  return { kind, key: `${kind}:${id}`, revision: value.revision, value };
}

function byTime(one, other) {
  return (
    Date.parse(one.created_at) - Date.parse(other.created_at) ||
    compare(one.created_at, other.created_at) ||
    compare(one.id, other.id)
  );
}

function compare(one, other) {
  return one < other ? -1 : Number(one > other);
}
