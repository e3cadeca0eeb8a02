/** Where the student writes: grows with the text, counts near the limit, says what is wrong. */

import { h } from "../dom.js";
import { icon } from "../icons.js";

const LIMIT = 4000;
const COUNT_FROM = 3500;

export class Composer {
  #words;
  #submit;

  constructor(words, submit) {
    this.#words = words;
    this.#submit = submit;
    this.input = h("textarea", {
      id: "text",
      rows: "1",
      enterkeyhint: "send",
      autocomplete: "off",
      placeholder: words.t("widget.composer.placeholder"),
      "aria-describedby": "text-problem text-count",
      oninput: () => this.#changed(),
      onkeydown: (event) => this.#pressed(event),
    });
    this.#build();
  }

  get text() {
    return this.input.value;
  }

  set text(value) {
    this.input.value = value;
    this.#changed();
  }

  focus() {
    this.input.focus();
  }

  /** Say a problem in words beside the input; empty text takes it away. */
  complain(text) {
    this.problem.textContent = text;
  }

  #build() {
    const words = this.#words;
    this.problem = h("p", { id: "text-problem", class: "problem", role: "alert" });
    this.count = h("p", { id: "text-count", class: "count" });
    this.button = h("button", { class: "send", "aria-label": words.t("widget.composer.send") }, icon("send"));
    const onsubmit = (event) => {
      event.preventDefault();
      this.#trySubmit();
    };
    this.node = h(
      "form",
      { class: "composer", novalidate: true, onsubmit },
      this.problem,
      this.count,
      h("label", { class: "visually-hidden", for: "text" }, words.t("widget.composer.label")),
      h("div", { class: "field" }, this.input, this.button),
    );
  }

  #pressed(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#trySubmit();
  }

  #trySubmit() {
    const text = this.text.trim();
    if (!text || this.#complainOfLength()) return this.focus();
    this.text = "";
    this.#submit(text);
  }

  #changed() {
    this.input.style.height = "auto";
    if (this.input.scrollHeight) this.input.style.height = `${this.input.scrollHeight}px`;
    const length = this.text.length;
    const values = { count: this.#words.number(length), limit: this.#words.number(LIMIT) };
    this.count.textContent = length >= COUNT_FROM ? this.#words.t("widget.composer.count", values) : "";
    this.#complainOfLength();
  }

  #complainOfLength() {
    const excess = this.text.trim().length - LIMIT;
    const values = { excess: this.#words.number(excess), limit: this.#words.number(LIMIT) };
    this.complain(excess > 0 ? this.#words.t("widget.composer.tooLong", values) : "");
    this.input.toggleAttribute("aria-invalid", excess > 0);
    return excess > 0;
  }
}
