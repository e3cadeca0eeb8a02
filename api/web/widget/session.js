/** The visitor's session: opened once a browser, shared by its tabs, renewed when it has ended. */

export class Session {
  #api;
  #vault;
  #options;

  /** @param {{locale: () => string, identityToken: string|null}} options */
  constructor(api, vault, options) {
    this.#api = api;
    this.#vault = vault;
    this.#options = options;
  }

  /** Take up the session of this browser or open one. Return {state, hasExpired}. */
  async enter() {
    this.#api.token = this.#stored();
    if (!this.#api.token) return this.#openAlone(null);
    try {
      return { state: await this.#api.session(), hasExpired: false };
    } catch (problem) {
      if (problem.status !== 401) throw problem;
      return this.#openAlone(this.#api.token);
    }
  }

  adopt(token) {
    this.#api.token = token;
    this.#vault.write("session", { token });
  }

  /** Whether another tab has put a different token in the drawer. */
  get isOutdated() {
    return this.#stored() !== this.#api.token;
  }

  forget() {
    this.#vault.forget("session");
    this.#api.token = null;
  }

  /** Two tabs that find no session at once must not open two. */
  #openAlone(refused) {
    const open = () => this.#open(refused);
    return navigator.locks ? navigator.locks.request("orienta-session", open) : open();
  }

  async #open(refused) {
    const stored = this.#stored();
    if (stored && stored !== refused) return this.enter();
    this.#api.token = null;
    const body = { locale: this.#options.locale() };
    if (this.#options.identityToken) body.identity_token = this.#options.identityToken;
    const opened = await this.#api.openSession(body);
    this.adopt(opened.session_token);
    return { state: opened, hasExpired: Boolean(refused) };
  }

  #stored() {
    return this.#vault.read("session")?.token ?? null;
  }
}
