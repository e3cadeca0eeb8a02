/** The two steps in which a student proves who they are: an e-mail address, then the code sent to it. */

import { h } from "../dom.js";
import { describeProblem } from "../problems.js";

export class Verification {
  #words;
  #chat;
  #mailbox;
  #close;

  /** @param {{words: Words, chat: Chat, mailbox: string|null, close: (isVerified: boolean) => void}} options */
  constructor({ words, chat, mailbox, close }) {
    this.#words = words;
    this.#chat = chat;
    this.#mailbox = mailbox;
    this.#close = close;
    this.node = h("section", { class: "verification", "aria-label": words.t("widget.verify.title") });
    this.#askForEmail();
  }

  focus() {
    this.node.querySelector("input").focus();
  }

  #askForEmail() {
    const input = { type: "email", name: "email", autocomplete: "email", required: true };
    this.#show({
      hint: this.#words.t("widget.verify.emailHint"),
      label: this.#words.t("widget.verify.email"),
      action: this.#words.t("widget.verify.sendCode"),
      invalid: this.#words.t("widget.verify.emailInvalid"),
      refused: this.#words.t("widget.verify.emailInvalid"),
      input,
      submit: async (email) => {
        await this.#chat.requestCode(email);
        this.#askForCode(email);
      },
    });
  }

  #askForCode(email) {
    const input = {
      name: "code",
      inputmode: "numeric",
      autocomplete: "one-time-code",
      pattern: "\\s*(\\d\\s*){6}",
      required: true,
    };
    this.#show({
      hint: this.#words.t("widget.verify.codeHint", { email }),
      label: this.#words.t("widget.verify.code"),
      action: this.#words.t("widget.verify.confirm"),
      invalid: this.#words.t("widget.verify.codeInvalid"),
      refused: this.#words.t("widget.verify.codeRefused"),
      input,
      extra: this.#mailbox && this.#mailboxLink(),
      submit: async (code) => {
        await this.#chat.confirmCode(code.replace(/\s/g, ""));
        this.#close(true);
      },
    });
    this.focus();
  }

  #mailboxLink() {
    const link = { href: this.#mailbox, target: "_blank", rel: "noopener" };
    return h("p", { class: "hint" }, h("a", link, this.#words.t("widget.verify.mailbox")));
  }

  #show(step) {
    const problem = h("p", { id: "verify-problem", class: "problem", role: "alert" });
    const input = h("input", { id: "verify", "aria-describedby": "verify-hint verify-problem", ...step.input });
    const button = h("button", { class: "button primary" }, step.action);
    const onsubmit = (event) => {
      event.preventDefault();
      this.#submit({ step, input, button, problem });
    };
    const cancel = { type: "button", class: "button", onclick: () => this.#close(false) };
    this.node.replaceChildren(
      h("h3", {}, this.#words.t("widget.verify.title")),
      h("p", { id: "verify-hint", class: "hint" }, step.hint),
      h(
        "form",
        { novalidate: true, onsubmit },
        h("label", { for: "verify" }, step.label),
        input,
        problem,
        h("div", { class: "choices" }, button, h("button", cancel, this.#words.t("widget.cancel"))),
      ),
      ...(step.extra ? [step.extra] : []),
    );
  }

  async #submit({ step, input, button, problem }) {
    problem.textContent = input.checkValidity() ? "" : step.invalid;
    if (problem.textContent) return input.focus();
    button.disabled = true;
    try {
      await step.submit(input.value.trim());
    } catch (trouble) {
      const isRefusal = !trouble.isTemporary;
      problem.textContent = isRefusal ? step.refused : describeProblem(trouble, this.#words);
      input.focus();
    } finally {
      button.disabled = false;
    }
  }
}
