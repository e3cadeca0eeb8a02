/** The dialog: puts the views together and keeps them equal to the chat. */

import { Announcer } from "./announcer.js";
import { h, tabbable } from "./dom.js";
import { icon } from "./icons.js";
import { describeProblem } from "./problems.js";
import { Composer } from "./views/composer.js";
import { Header } from "./views/header.js";
import { authorOf } from "./views/message.js";
import { arrange, Rows } from "./views/rows.js";
import { Verification } from "./views/verification.js";
import { welcome } from "./views/welcome.js";

/** Whoever has scrolled up further than this is reading, and is left in peace. */
const NEAR_END_PX = 120;

export class Panel {
  #chat;
  #options;
  #announcer = new Announcer();
  #rows;
  #composer;
  #header;
  #scroller;
  #isFollowing = true;
  #welcomeState = "";

  /** @param {Chat} chat @param {{mailbox: string|null, close: Function, spoke: Function}} options */
  constructor(chat, options) {
    this.#chat = chat;
    this.#options = options;
    this.node = h("div", {
      class: "panel",
      role: "dialog",
      "aria-modal": "true",
      "aria-labelledby": "title",
      hidden: true,
      onkeydown: (event) => this.#pressed(event),
    });
    this.#build();
  }

  get isOpen() {
    return !this.node.hidden;
  }

  show({ takesFocus }) {
    this.node.hidden = false;
    this.update();
    if (takesFocus) this.#composer.focus();
  }

  hide() {
    this.node.hidden = true;
  }

  say(text) {
    this.#announcer.beginTurn();
    this.#composer.complain("");
    this.#chat.say(text);
    this.#isFollowing = true;
  }

  /** Messages that were there before this tab came. */
  loaded() {
    this.#announcer.remember(this.#chat.transcript.messages());
    this.#isFollowing = true;
  }

  announce(messages) {
    for (const message of messages.filter(({ role }) => role !== "student")) {
      this.#announcer.message(message.text, authorOf(message, this.#chat.words));
    }
  }

  complain(problem) {
    this.#composer.complain(describeProblem(problem, this.#chat.words));
  }

  /** Show the chat as it is now. */
  update() {
    const { transcript, words } = this.#chat;
    const wasFollowing = this.#isFollowing;
    this.#updateWelcome();
    this.#updateBanner();
    this.#rows.show(arrange(transcript.entries(), words));
    this.#scroller.setAttribute("aria-busy", String(Boolean(transcript.draft)));
    if (transcript.draft) this.#announcer.draft(transcript.draft.text, words.t("widget.author.agent"));
    if (wasFollowing && !transcript.isEmpty) this.#scrollToEnd();
    this.#updateJump();
  }

  #build() {
    const { words } = this.#chat;
    const act = this.#acts();
    this.#header = new Header(words, act);
    this.#rows = new Rows({ words, base: this.#chat.api.base, act });
    this.#composer = new Composer(words, act.say);
    this.welcome = h("div");
    this.banner = h("div", { class: "banner", role: "status", hidden: true });
    this.#scroller = h(
      "div",
      {
        class: "scroller",
        tabindex: "0",
        role: "region",
        "aria-label": words.t("widget.transcript"),
        onscroll: () => this.#scrolled(),
      },
      this.welcome,
      this.#rows.node,
    );
    this.jump = h(
      "button",
      { type: "button", class: "jump", hidden: true, "aria-label": words.t("widget.latest"), onclick: () => this.#scrollToEnd() },
      icon("down"),
    );
    this.slot = h("div", { class: "slot" });
    this.node.replaceChildren(
      this.#header.node,
      this.banner,
      h("div", { class: "stage" }, this.#scroller, this.jump),
      this.slot,
      this.#composer.node,
      this.#announcer.node,
    );
  }

  #acts() {
    const chat = this.#chat;
    return {
      say: (text) => this.say(text),
      askForPerson: () => this.say(chat.words.t("widget.person.text")),
      retry: (id) => chat.outbox.retry(id),
      decide: (id, decision) => this.#decide(id, decision),
      verify: () => this.#verify(),
      restart: () => this.#restart(),
      speak: (language) => this.#speak(language),
      close: () => this.#options.close(),
    };
  }

  #decide(id, decision) {
    this.#announcer.beginTurn();
    this.#chat.decide(id, decision);
    this.#composer.focus();
  }

  #restart() {
    this.slot.replaceChildren();
    this.#chat.restart().catch((problem) => this.complain(problem));
    this.#composer.focus();
  }

  #speak(language) {
    const { text } = this.#composer;
    this.#chat.speak(language);
    this.#welcomeState = "";
    this.#build();
    this.#composer.text = text;
    this.update();
    this.#scrollToEnd();
    this.node.querySelector(".language").focus();
    this.#options.spoke();
  }

  #verify() {
    const { words } = this.#chat;
    const close = (isVerified) => {
      this.slot.replaceChildren();
      if (isVerified) this.#announcer.say(words.t("widget.verify.done"));
      this.#composer.focus();
      this.update();
    };
    const form = new Verification({ words, chat: this.#chat, mailbox: this.#options.mailbox, close });
    this.slot.replaceChildren(form.node);
    form.focus();
  }

  #updateWelcome() {
    const { transcript, hasExpired, words } = this.#chat;
    const state = { isEmpty: transcript.isEmpty, hasExpired };
    if (JSON.stringify(state) === this.#welcomeState) return;
    this.#welcomeState = JSON.stringify(state);
    this.welcome.replaceChildren(welcome(words, this.#acts(), state));
  }

  #updateBanner() {
    const text = bannerText(this.#chat);
    if (this.banner.textContent === text) return;
    this.banner.textContent = text;
    this.banner.hidden = !text;
    this.banner.classList.toggle("is-trouble", this.#chat.connection === "lost");
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    this.#isFollowing = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    this.#updateJump();
  }

  #scrollToEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  #updateJump() {
    this.jump.hidden = this.#isFollowing;
  }

  #pressed(event) {
    if (event.key === "Escape") this.#escape(event);
    else if (event.key === "Tab") this.#keepFocusInside(event);
  }

  #escape(event) {
    event.stopPropagation();
    if (!this.#header.isOpen) return this.#options.close();
    this.#header.setOpen(false);
    return this.#header.toggle.focus();
  }

  #keepFocusInside(event) {
    const stops = tabbable(this.node);
    const [edge, next] = event.shiftKey ? [stops[0], stops.at(-1)] : [stops.at(-1), stops[0]];
    if (this.node.getRootNode().activeElement !== edge) return;
    event.preventDefault();
    next.focus();
  }
}

/** Trouble with the connection comes first, then who is answering. */
function bannerText({ connection, status, isVerified, transcript, words }) {
  if (connection === "lost") return words.t("widget.connection.lost");
  if (status === "advisor") return advisorText(transcript, words);
  if (status === "waiting") return words.t("widget.handoff.waiting");
  return isVerified ? words.t("widget.verify.done") : "";
}

function advisorText(transcript, words) {
  const name = transcript.messages().findLast(({ role }) => role === "advisor")?.author;
  if (name) return words.t("widget.handoff.advisor", { name });
  return words.t("widget.handoff.taken");
}
