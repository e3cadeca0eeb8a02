/** The first turn: what this is, how to reach a person, and what others ask. */

import { h } from "../dom.js";
import { icon } from "../icons.js";

export function welcome(words, act, { isEmpty, hasExpired }) {
  return h(
    "div",
    { class: "welcome" },
    hasExpired && h("p", { class: "callout", role: "status" }, words.t("widget.session.expired")),
    h("p", { class: "greeting" }, words.t("widget.greeting")),
    h("p", { class: "disclosure" }, words.t("widget.disclosure")),
    h(
      "button",
      { type: "button", class: "button", onclick: act.askForPerson },
      icon("person"),
      words.t("widget.person"),
    ),
    isEmpty && suggestions(words, act),
  );
}

function suggestions(words, act) {
  const questions = [
    words.t("widget.suggestion.price"),
    words.t("widget.suggestion.admission"),
    words.t("widget.suggestion.scholarships"),
    words.t("widget.suggestion.payment"),
  ];
  const chips = questions.map((question) =>
    h("li", {}, h("button", { type: "button", class: "chip", onclick: () => act.say(question) }, question)),
  );
  return h(
    "div",
    { class: "suggestions" },
    h("p", { id: "suggestions" }, words.t("widget.suggestions")),
    h("ul", { "aria-labelledby": "suggestions" }, chips),
  );
}
