/** One message as a row: who, what, with which sources, and how far it got. */

import { h } from "../dom.js";
import { icon } from "../icons.js";
import { renderMarkup, safeUrl } from "../markup.js";

/** @param {{words: Words, base: string, act: Object}} view what rows share */
export function messageRow(message, view, group) {
  if (message.role === "system") return noticeRow(message.text);
  const author = authorOf(message, view.words);
  return h(
    "li",
    { class: `row row-${message.role}`, "data-message": message.id },
    authorLine(author, group.isFirst),
    h("div", { class: "bubble" }, renderMarkup(message.text, { base: view.base, citations: message.citations })),
    sources(message.citations ?? [], view),
    actions(message, view, group.isLatest),
    group.isLast && timeLine(message.created_at, view.words),
  );
}

/** A message of this tab that the server has not echoed yet. */
export function pendingRow(item, view) {
  const { words } = view;
  const states = {
    sending: words.t("widget.message.sending"),
    sent: words.t("widget.message.sent"),
    failed: words.t("widget.message.failed"),
  };
  const retry = () => view.act.retry(item.clientId);
  return h(
    "li",
    { class: `row row-student is-${item.state}`, "data-pending": item.clientId },
    authorLine(words.t("widget.author.student"), false),
    h("div", { class: "bubble" }, renderMarkup(item.text, view)),
    h(
      "p",
      { class: "meta" },
      states[item.state],
      item.state === "failed" &&
        h("button", { type: "button", class: "link", onclick: retry }, words.t("widget.retry")),
    ),
  );
}

/** The reply that is being written: its text so far, what the agent is doing, or three dots. */
export function draftRow(draft, view) {
  const { words } = view;
  const status = draft.tool || (draft.text ? "" : words.t("widget.typing"));
  return h(
    "li",
    { class: "row row-agent is-draft", "aria-hidden": "true" },
    authorLine(words.t("widget.author.agent"), true),
    draft.text && h("div", { class: "bubble" }, renderMarkup(draft.text, view)),
    status && h("p", { class: "activity" }, dots(), h("span", {}, status)),
  );
}

export function noticeRow(text) {
  return h("li", { class: "row row-notice" }, h("p", {}, text));
}

export function authorOf(message, words) {
  if (message.role === "student") return words.t("widget.author.student");
  if (message.role === "advisor") return message.author || words.t("widget.author.advisor");
  return words.t("widget.author.agent");
}

function authorLine(author, isVisible) {
  return h("p", { class: isVisible ? "author" : "author visually-hidden" }, author);
}

function sources(citations, view) {
  const chips = citations.map((citation, index) => sourceChip(citation, index + 1, view));
  if (!chips.length) return null;
  return h("ul", { class: "sources", "aria-label": view.words.t("widget.sources") }, chips);
}

function sourceChip(citation, number, view) {
  const { title, url } = citation;
  const label = view.words.t("widget.source", { number, title });
  const body = [h("span", { class: "number" }, String(number)), h("span", { class: "title" }, title)];
  const href = safeUrl(url, view.base);
  const attributes = { class: "source", href, target: "_blank", rel: "noopener", title };
  const chip = href ? h("a", { ...attributes, "aria-label": label }, body) : h("span", {}, body);
  return h("li", {}, chip);
}

/** A reply may ask for something that a button does better than words. */
function actions(message, { words, act }, isLatest) {
  const asked = isLatest ? (message.actions ?? []).map((action) => action.type) : [];
  const buttons = [
    asked.includes("verify") && actionButton("shield", words.t("widget.verify.open"), act.verify),
    asked.includes("handoff_offer") && actionButton("person", words.t("widget.person"), act.askForPerson),
  ];
  return buttons.some(Boolean) && h("p", { class: "row-actions" }, buttons);
}

function actionButton(image, label, onclick) {
  return h("button", { type: "button", class: "button", onclick }, icon(image), label);
}

function timeLine(moment, words) {
  const date = new Date(moment);
  return h("p", { class: "meta" }, h("time", { datetime: moment }, words.time(date)));
}

function dots() {
  return h("span", { class: "dots" }, h("i"), h("i"), h("i"));
}
