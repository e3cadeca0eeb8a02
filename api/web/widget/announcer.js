/** Reads replies aloud through a live region: whole sentences, each once. */

import { h } from "./dom.js";
import { plainText, splitSentences } from "./markup.js";

const KEPT_LINES = 12;

export class Announcer {
  #said = new Set();
  #speaker = "";

  constructor() {
    this.node = h("div", { class: "visually-hidden", role: "log", "aria-live": "polite" });
  }

  /** Take messages as known: what was there before the panel opened is not read aloud. */
  remember(messages) {
    for (const message of messages.slice(-20)) {
      for (const sentence of sentencesOf(message.text)) this.#said.add(sentence);
    }
  }

  /** Say the sentences of a growing reply that are complete. */
  draft(text, author) {
    this.#say(splitSentences(text).sentences.map(plainText), author);
  }

  message(text, author) {
    this.#say(sentencesOf(text), author);
  }

  /** After a new question the same sentence may be said again. */
  beginTurn() {
    this.#said.clear();
    this.#speaker = "";
  }

  say(line) {
    this.node.append(h("p", {}, line));
    while (this.node.childElementCount > KEPT_LINES) this.node.firstElementChild.remove();
  }

  #say(sentences, author) {
    for (const sentence of sentences) {
      if (!sentence || this.#said.has(sentence)) continue;
      if (author !== this.#speaker) this.say(`${author}:`);
      this.#speaker = author;
      this.#said.add(sentence);
      this.say(sentence);
    }
  }
}

function sentencesOf(text) {
  const { sentences, rest } = splitSentences(text);
  return [...sentences, rest].map(plainText).filter(Boolean);
}
