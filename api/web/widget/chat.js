/** One conversation: session, history, events, sending, decisions; the views only show it. */

import { ChatApi } from "./api.js";
import { EventReader } from "./events.js";
import { Outbox } from "./outbox.js";
import { Session } from "./session.js";
import { EventStream } from "./stream.js";
import { Transcript } from "./transcript.js";
import { Vault } from "./vault.js";
import { Words } from "./words.js";

/** A tab that nobody looks at gives its connection back after this time. */
const HIDDEN_MS = 60_000;

export class Chat {
  connection = "closed";
  /** Who answers: "agent", "waiting" (a person was asked for) or "advisor". */
  status = "agent";
  isVerified = false;
  hasExpired = false;
  #listener;
  #session;
  #stream;
  #events = new EventReader(this);
  #tab;
  #browser;
  #opening = null;
  #refreshing = null;
  #cursor = null;
  #position = null;
  #failures = 0;

  /**
   * @param {{origin: string, language: string, identityToken: string|null}} options
   * @param {{changed: Function, arrived: Function, problem: Function}} listener
   */
  constructor({ origin, language, identityToken }, listener) {
    this.#listener = listener;
    this.#browser = new Vault(origin, () => localStorage);
    this.#tab = new Vault(origin, () => sessionStorage);
    this.words = new Words(this.#browser.read("language") ?? language);
    this.api = new ChatApi(origin);
    this.transcript = new Transcript(() => this.#changed());
    this.outbox = new Outbox(this, this.#tab);
    const locale = () => this.words.language;
    this.#session = new Session(this.api, this.#browser, { locale, identityToken });
    this.#stream = new EventStream((signal) => this.api.events(this.#position, signal), {
      opened: () => this.#streamOpened(),
      event: (event) => this.#take(event),
      lost: (problem) => this.#streamLost(problem),
    });
    this.#watchSurroundings();
  }

  /** Connect once; what needs the session waits for this. */
  open() {
    this.#opening ??= this.#connect().catch((problem) => {
      this.#opening = null;
      throw problem;
    });
    return this.#opening;
  }

  /** Connect, however long the server takes to come back. */
  async keepOpening() {
    for (let wait = 1; ; wait = Math.min(wait * 2, 20)) {
      try {
        return await this.open();
      } catch (problem) {
        this.#setConnection("lost");
        if (!problem.isTemporary) return this.report(problem);
        await new Promise((resolve) => setTimeout(resolve, (problem.retryAfter ?? wait) * 1000));
      }
    }
  }

  /** Ask the API; when the session has ended, open a new one and ask again. */
  async call(act) {
    await this.open();
    try {
      return await act(this.api);
    } catch (problem) {
      if (problem.status !== 401) throw problem;
      await this.#reconnect();
      return act(this.api);
    }
  }

  say(text) {
    this.outbox.submit(text);
  }

  async decide(id, decision) {
    this.transcript.settle(id, "deciding");
    try {
      await this.call((api) => api.decide(id, decision));
      this.transcript.settle(id, decision === "accept" ? "accepted" : "rejected");
    } catch (problem) {
      const isOver = [404, 409, 410].includes(problem.status);
      this.transcript.settle(id, isOver ? "gone" : "open", problem);
    }
  }

  requestCode(email) {
    return this.call((api) => api.requestCode(email));
  }

  async confirmCode(code) {
    const { session_token: token } = await this.call((api) => api.confirmCode(code));
    this.#session.adopt(token);
    await this.#reconnect();
  }

  /** Leave the conversation behind: on a shared computer nothing of it stays. */
  async restart() {
    this.hasExpired = false;
    this.outbox.forgetAll();
    this.transcript.discardPending();
    this.#session.forget();
    await this.#reconnect();
  }

  speak(language) {
    this.words = new Words(language);
    this.#browser.write("language", language);
  }

  receive(messages) {
    const fresh = this.transcript.add(messages);
    if (fresh.length) this.#listener.arrived(fresh);
  }

  setStatus(status) {
    this.status = status;
    this.#changed();
  }

  /** A run is over: who answers, and what waits for a decision, may be different now. */
  finishRun() {
    this.transcript.endDraft();
    if (this.#position) this.#tab.write("position", this.#position);
    this.#refreshState();
  }

  /** The server's event log has a gap: the message log has none. */
  async resync() {
    this.#events.forget();
    this.#position = null;
    this.transcript.endDraft();
    await Promise.all([this.#catchUp(), this.#refreshState()]);
  }

  report(problem) {
    this.#listener.problem(problem);
  }

  async #connect() {
    this.#setConnection("opening");
    const { state, hasExpired } = await this.#session.enter();
    this.hasExpired ||= hasExpired;
    this.#position = this.#positionIn(state.conversation_id);
    this.#takeState(state);
    await this.#catchUp({ isHistory: true });
    this.#stream.start();
    this.outbox.restore();
  }

  async #reconnect() {
    this.#stream.stop();
    this.#events.forget();
    this.#cursor = null;
    this.status = "agent";
    this.transcript.clear();
    this.#opening = null;
    await this.open();
  }

  #positionIn(conversationId) {
    if (this.#tab.read("conversation") === conversationId) return this.#tab.read("position");
    this.#tab.write("conversation", conversationId);
    this.#tab.forget("position");
    return null;
  }

  #takeState(state) {
    const waiting = state.pending_confirmations ?? [];
    this.isVerified = state.identity_level === "verified";
    this.status = state.status ?? "agent";
    for (const card of waiting) this.transcript.ask(card);
    this.transcript.keepConfirmations(waiting.map((card) => card.id));
  }

  /** Ask where the conversation stands; a replay of many runs asks once. */
  #refreshState() {
    this.#refreshing ??= this.api
      .session()
      .then(
        (state) => this.#takeState(state),
        () => {}, // The stream's own trouble brings a reconnect, and with it the state.
      )
      .finally(() => (this.#refreshing = null));
    return this.#refreshing;
  }

  /** Read the messages that this tab does not have, page by page. */
  async #catchUp({ isHistory = false } = {}) {
    for (let more = true; more; ) {
      const page = await this.api.messagesSince(this.#cursor);
      more = Boolean(page.next_cursor) && page.items.length > 0;
      this.#cursor = page.next_cursor ?? this.#cursor;
      if (isHistory) this.transcript.add(page.items);
      else this.receive(page.items);
    }
    if (isHistory) this.#listener.loaded();
  }

  #take(event) {
    if (event.id) this.#position = event.id;
    this.#events.apply(event);
  }

  #streamOpened() {
    const wasLost = this.#failures > 0;
    this.#failures = 0;
    this.#setConnection("open");
    if (wasLost) this.#catchUp().catch(() => {});
    if (wasLost) this.outbox.resume();
  }

  #streamLost(problem) {
    this.#failures += 1;
    if (problem?.status === 401) {
      this.#reconnect().catch(() => this.#setConnection("lost"));
      return false;
    }
    const isSerious = this.#failures > 1 || !navigator.onLine;
    this.#setConnection(isSerious ? "lost" : "opening");
    this.#catchUp().catch(() => {});
    return true;
  }

  #setConnection(connection) {
    this.connection = connection;
    this.#changed();
  }

  #changed() {
    this.#listener.changed();
  }

  #watchSurroundings() {
    let timer = null;
    addEventListener("online", () => this.#stream.hurry());
    document.addEventListener("visibilitychange", () => {
      clearTimeout(timer);
      if (document.hidden) timer = setTimeout(() => this.#stream.stop(), HIDDEN_MS);
      else if (this.#opening) this.#opening.then(() => this.#stream.start(), () => {});
    });
    this.#browser.watch("session", () => {
      if (this.#opening && this.#session.isOutdated) this.#reconnect().catch(() => {});
    });
  }
}
