/** <orienta-chat>: the launcher and the panel in a shadow root that the host page cannot disturb. */

import { Chat } from "./chat.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { Panel } from "./panel.js";
import { Vault } from "./vault.js";

/** The composer of the script puts STYLES before the modules. */
function styles() {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLES);
  return sheet;
}

export class OrientaChat extends HTMLElement {
  #chat;
  #panel;
  #launcher;
  #memory;
  #unread = 0;
  #isUpdateDue = false;

  connectedCallback() {
    if (this.#chat) return;
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [styles()];
    const settings = this.#settings();
    this.#memory = new Vault(settings.origin, () => sessionStorage);
    this.#chat = new Chat(settings, {
      changed: () => this.#requestUpdate(),
      loaded: () => this.#panel.loaded(),
      arrived: (messages) => this.#arrived(messages),
      problem: (problem) => this.#panel.complain(problem),
    });
    this.#panel = new Panel(this.#chat, {
      mailbox: this.dataset.mailbox ?? null,
      close: () => this.close(),
      spoke: () => this.#updateLauncher(),
    });
    this.#launcher = this.#buildLauncher();
    root.append(this.#launcher, this.#panel.node);
    this.#updateLauncher();
    if (this.#wasOpen()) this.open({ takesFocus: false });
  }

  /** Open the panel, and say a text if one is given. */
  open({ text = "", takesFocus = true } = {}) {
    this.#chat.keepOpening();
    this.#unread = 0;
    this.#panel.show({ takesFocus });
    this.#memory.write("panel", "open");
    this.#updateLauncher();
    if (text) this.#panel.say(text);
  }

  close() {
    this.#panel.hide();
    this.#memory.forget("panel");
    this.#updateLauncher();
    this.#launcher.focus();
  }

  #settings() {
    const { api, locale, identityToken } = this.dataset;
    const language = locale || document.documentElement.lang || navigator.language;
    return { origin: api || location.origin, language, identityToken: identityToken ?? null };
  }

  /** A reload finds the panel as it was; on a phone it would hide the page that was asked for. */
  #wasOpen() {
    return this.#memory.read("panel") === "open" && matchMedia("(width > 480px)").matches;
  }

  #buildLauncher() {
    const onclick = () => (this.#panel.isOpen ? this.close() : this.open());
    return h("button", { type: "button", class: "launcher", "aria-haspopup": "dialog", onclick });
  }

  #updateLauncher() {
    const { words } = this.#chat;
    const { isOpen } = this.#panel;
    this.lang = words.language;
    this.#launcher.setAttribute("aria-expanded", String(isOpen));
    this.#launcher.classList.toggle("is-open", isOpen);
    const label = isOpen ? words.t("widget.close") : words.t("widget.launch");
    const badge = this.#unread > 0 && [
      h("span", { class: "badge", "aria-hidden": "true" }, words.number(this.#unread)),
      h("span", { class: "visually-hidden" }, words.t("widget.unread", { count: this.#unread })),
    ];
    const parts = [icon(isOpen ? "close" : "chat"), h("span", { class: "label" }, label), badge || []];
    this.#launcher.replaceChildren(...parts.flat());
  }

  #arrived(messages) {
    this.#panel.announce(messages);
    if (this.#panel.isOpen) return;
    this.#unread += messages.filter((message) => message.role !== "student").length;
    this.#updateLauncher();
  }

  /** Many events may come at once: the screen follows once a frame. */
  #requestUpdate() {
    if (this.#isUpdateDue) return;
    this.#isUpdateDue = true;
    requestAnimationFrame(() => {
      this.#isUpdateDue = false;
      if (this.#panel.isOpen) this.#panel.update();
    });
  }
}
