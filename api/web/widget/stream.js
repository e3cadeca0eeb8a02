/** Keeps an event stream open: parses it, notices silence, reconnects with back-off. */

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 20_000;
/** The server sends a comment well within this time; silence means a dead connection. */
const SILENCE_MS = 60_000;

/** Yield {id, event, data} for each block of an event-stream body, and null for a comment. */
async function* readEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (buffer + value).replaceAll("\r\n", "\n").split("\n\n");
    buffer = blocks.pop();
    yield* blocks.map(parseBlock);
    yield null;
  }
}

function parseBlock(block) {
  const event = { id: null, event: "message", data: "" };
  for (const line of block.split("\n")) {
    const [, field, value] = line.match(/^([a-z]+): ?(.*)$/) ?? [];
    if (field === "id") event.id = value;
    else if (field === "event") event.event = value;
    else if (field === "data") event.data += event.data ? `\n${value}` : value;
  }
  return event.data || event.event !== "message" ? event : null;
}

export class EventStream {
  #connect;
  #handlers;
  #running = null;
  #wake = () => {};

  /**
   * @param {(signal: AbortSignal) => Promise<Response>} connect
   * @param {{opened: Function, event: Function, lost: Function}} handlers
   *   `lost(problem)` returns false to give up.
   */
  constructor(connect, handlers) {
    this.#connect = connect;
    this.#handlers = handlers;
  }

  start() {
    if (this.#running) return;
    this.#running = new AbortController();
    this.#loop(this.#running.signal);
  }

  stop() {
    this.#running?.abort();
    this.#running = null;
    this.#wake();
  }

  /** Try again now instead of after the back-off. */
  hurry() {
    this.#wake();
  }

  async #loop(signal) {
    let failures = 0;
    while (!signal.aborted) {
      const problem = await this.#follow(signal, () => (failures = 0));
      if (signal.aborted || this.#handlers.lost(problem) === false) break;
      await this.#pause(failures++, problem?.retryAfter);
    }
    if (this.#running?.signal === signal) this.#running = null;
  }

  /** Read one connection to its end; return the problem that ended it, if any. */
  async #follow(signal, onOpen) {
    const connection = new AbortController();
    const abort = () => connection.abort();
    signal.addEventListener("abort", abort, { once: true });
    let watchdog = setTimeout(abort, SILENCE_MS);
    try {
      const response = await this.#connect(connection.signal);
      onOpen();
      this.#handlers.opened();
      for await (const event of readEvents(response.body)) {
        clearTimeout(watchdog);
        watchdog = setTimeout(abort, SILENCE_MS);
        if (signal.aborted) break;
        if (event) this.#handlers.event(event);
      }
      return null;
    } catch (problem) {
      return problem;
    } finally {
      clearTimeout(watchdog);
      signal.removeEventListener("abort", abort);
      connection.abort();
    }
  }

  #pause(failures, retryAfter) {
    const backoff = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** failures);
    const delay = retryAfter ? retryAfter * 1000 : backoff * (0.5 + Math.random() / 2);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delay);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
