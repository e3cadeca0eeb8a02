/** Speaks HTTP to the chat endpoints; every failure comes out as a Problem. */

import { Problem, problemOf } from "./problems.js";

const TIMEOUT_MS = 20_000;

export class ChatApi {
  /** @param {string} base where the API is, without a slash at the end */
  constructor(base) {
    this.base = base;
    this.token = null;
  }

  openSession(body) {
    return this.#json("POST", "/v1/chat/sessions", body);
  }

  session() {
    return this.#json("GET", "/v1/chat/session");
  }

  messagesSince(cursor) {
    const query = cursor ? `?since=${encodeURIComponent(cursor)}` : "";
    return this.#json("GET", `/v1/chat/messages${query}`);
  }

  send(clientMessageId, text) {
    const body = { client_message_id: clientMessageId, text };
    return this.#json("POST", "/v1/chat/messages", body);
  }

  decide(confirmationId, decision) {
    const path = `/v1/chat/confirmations/${encodeURIComponent(confirmationId)}`;
    return this.#json("POST", path, { decision });
  }

  requestCode(email) {
    return this.#json("POST", "/v1/chat/verification", { email });
  }

  confirmCode(code) {
    return this.#json("POST", "/v1/chat/verification/confirm", { code });
  }

  /** Open the event stream; the caller reads the body and aborts by the signal. */
  async events(lastEventId, signal) {
    const headers = { Accept: "text/event-stream", ...this.#bearer() };
    if (lastEventId) headers["Last-Event-ID"] = lastEventId;
    return this.#fetch("/v1/chat/events", { headers, signal, cache: "no-store" });
  }

  async #json(method, path, body) {
    const headers = { Accept: "application/json", ...this.#bearer() };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const response = await this.#fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return response.status === 204 ? {} : response.json().catch(() => ({}));
  }

  async #fetch(path, options) {
    const response = await fetch(this.base + path, { credentials: "omit", ...options }).catch(() => {
      throw new Problem({});
    });
    if (!response.ok) throw await problemOf(response);
    return response;
  }

  #bearer() {
    return this.token ? { Authorization: `Bearer ${this.token}` } : {};
  }
}
