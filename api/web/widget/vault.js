/** Remembers things in the browser, one drawer per API origin; works without storage, too. */

export class Vault {
  #prefix;
  #storage;
  #fallback = new Map();

  /** @param {string} origin of the API @param {() => Storage} storage */
  constructor(origin, storage) {
    this.#prefix = `orienta:${origin}:`;
    this.#storage = storage;
  }

  read(name) {
    try {
      return JSON.parse(this.#readText(name));
    } catch {
      return null;
    }
  }

  write(name, value) {
    const text = JSON.stringify(value);
    this.#fallback.set(name, text);
    this.#attempt((storage) => storage.setItem(this.#prefix + name, text));
  }

  forget(name) {
    this.#fallback.delete(name);
    this.#attempt((storage) => storage.removeItem(this.#prefix + name));
  }

  /** Tell when another tab changes a value. */
  watch(name, onChange) {
    addEventListener("storage", (event) => {
      if (event.key === this.#prefix + name) onChange();
    });
  }

  #readText(name) {
    let text = this.#fallback.get(name) ?? null;
    this.#attempt((storage) => (text = storage.getItem(this.#prefix + name)));
    return text;
  }

  /** Storage may be switched off or full: the page goes on with what it holds in memory. */
  #attempt(act) {
    try {
      act(this.#storage());
    } catch {
      // Nothing to mend: the fallback serves.
    }
  }
}
