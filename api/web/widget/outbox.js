/** Sends what the student writes, in order, each under one id until the server has it. */

const RETRIES = 4;
const RETRY_DELAY_MS = 800;
const LONGEST_WAIT_S = 8;

export class Outbox {
  #chat;
  #vault;
  #queue = [];
  /** Failed for want of a connection: sent again when there is one. */
  #stalled = new Set();
  #isBusy = false;

  /** @param chat whose api and transcript are used @param vault of this tab: unsent text survives a reload */
  constructor(chat, vault) {
    this.#chat = chat;
    this.#vault = vault;
  }

  submit(text) {
    this.#enqueue({ clientId: newUuid(), text });
  }

  /** Send a failed message again, under the same id. */
  retry(clientId) {
    const item = this.#kept().find((kept) => kept.clientId === clientId);
    if (item) this.#enqueue(item);
  }

  /** Take up what a reload interrupted. */
  restore() {
    for (const item of this.#kept()) this.#enqueue(item);
  }

  /** The connection is back. */
  resume() {
    for (const clientId of this.#stalled) this.retry(clientId);
  }

  forgetAll() {
    this.#queue = [];
    this.#stalled.clear();
    this.#vault.forget("unsent");
  }

  #enqueue(item) {
    if (this.#queue.some((queued) => queued.clientId === item.clientId)) return;
    this.#stalled.delete(item.clientId);
    this.#keep([...this.#kept().filter((kept) => kept.clientId !== item.clientId), item]);
    this.#queue.push(item);
    this.#chat.transcript.hold(item.clientId, item.text);
    this.#pump();
  }

  async #pump() {
    if (this.#isBusy) return;
    this.#isBusy = true;
    while (this.#queue.length) {
      await this.#deliver(this.#queue[0]);
      this.#queue.shift();
    }
    this.#isBusy = false;
  }

  async #deliver({ clientId, text }) {
    for (let attempt = 0; ; attempt++) {
      try {
        const receipt = await this.#chat.call((api) => api.send(clientId, text));
        this.#keep(this.#kept().filter((kept) => kept.clientId !== clientId));
        this.#chat.transcript.markSent(clientId, receipt.message_id);
        return;
      } catch (problem) {
        if (!isWorthWaiting(problem) || attempt >= RETRIES) return this.#fail(clientId, problem);
        await pause(problem.retryAfter ?? (RETRY_DELAY_MS * 2 ** attempt) / 1000);
      }
    }
  }

  #fail(clientId, problem) {
    if (problem.isTemporary) this.#stalled.add(clientId);
    this.#chat.transcript.markFailed(clientId);
    this.#chat.report(problem);
  }

  #kept() {
    return this.#vault.read("unsent") ?? [];
  }

  #keep(items) {
    this.#vault.write("unsent", items);
  }
}

function isWorthWaiting(problem) {
  return problem.isTemporary && (problem.retryAfter ?? 0) <= LONGEST_WAIT_S;
}

function pause(seconds) {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

/** crypto.randomUUID exists on https pages only; a host page may be plain http. */
function newUuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
