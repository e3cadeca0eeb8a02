/** The panel's head: who speaks, the language, a small menu, the way out. */

import { h } from "../dom.js";
import { icon } from "../icons.js";

export class Header {
  /** @param {Words} words @param {Object<string, Function>} act what its buttons do */
  constructor(words, act) {
    this.menu = this.#buildMenu(words, act);
    this.toggle = h(
      "button",
      {
        type: "button",
        class: "icon-button menu-button",
        "aria-label": words.t("widget.menu"),
        "aria-expanded": "false",
        onclick: () => this.setOpen(this.menu.hidden),
      },
      icon("menu"),
    );
    this.node = h(
      "div",
      { class: "head" },
      h("span", { class: "mark" }, icon("chat")),
      h(
        "div",
        { class: "name" },
        h("h2", { id: "title" }, words.t("widget.title")),
        h("p", {}, words.t("widget.subtitle")),
      ),
      languageButton(words, act),
      this.toggle,
      h(
        "button",
        { type: "button", class: "icon-button", "aria-label": words.t("widget.close"), onclick: act.close },
        icon("close"),
      ),
      this.menu,
    );
  }

  get isOpen() {
    return !this.menu.hidden;
  }

  setOpen(isOpen) {
    this.menu.hidden = !isOpen;
    this.toggle.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) this.menu.querySelector("button").focus();
  }

  #buildMenu(words, act) {
    const items = [
      [words.t("widget.person"), act.askForPerson],
      [words.t("widget.verify.open"), act.verify],
      [words.t("widget.restart"), act.restart],
    ];
    return h("ul", { class: "menu", hidden: true }, ...items.map(([label, run]) => this.#item(label, run)));
  }

  #item(label, run) {
    const onclick = () => {
      this.setOpen(false);
      run();
    };
    return h("li", {}, h("button", { type: "button", onclick }, label));
  }
}

function languageButton(words, act) {
  const other = words.language === "es" ? "en" : "es";
  const onclick = () => act.speak(other);
  const label = words.t("widget.switchLanguage");
  return h(
    "button",
    { type: "button", class: "icon-button language", lang: other, "aria-label": label, onclick },
    other.toUpperCase(),
  );
}
