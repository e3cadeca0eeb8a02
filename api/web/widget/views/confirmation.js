/** The card on which a student accepts or rejects what the agent is about to do. */

import { h } from "../dom.js";
import { describeProblem } from "../problems.js";

export function confirmationRow(card, view) {
  const { words } = view;
  const heading = `confirmation-${card.id}`;
  return h(
    "li",
    { class: "row row-card", "data-confirmation": card.id },
    h(
      "section",
      { class: `card is-${card.state}`, "aria-labelledby": heading },
      h("h3", { id: heading }, words.t("widget.confirm.title")),
      card.told ? null : h("p", { class: "summary" }, card.summary),
      priceLine(card, words),
      h("p", { class: "expiry" }, outcome(card, words)),
      card.state === "open" || card.state === "deciding" ? choices(card, view) : null,
      card.state === "open" &&
        card.problem &&
        h("p", { class: "problem", role: "alert" }, describeProblem(card.problem, words)),
    ),
  );
}

function priceLine({ price_minor: minor, currency }, words) {
  if (!currency) return null;
  // Below zero it is what goes back to the student.
  const label = words.t(minor < 0 ? "widget.confirm.refund" : "widget.confirm.price");
  const text = words.money({ amount_minor: Math.abs(minor), currency });
  return h("p", { class: "price" }, label, " ", h("strong", {}, text));
}

function outcome(card, words) {
  const texts = {
    open: words.t("widget.confirm.expires", { time: words.time(new Date(card.expires_at)) }),
    deciding: words.t("widget.confirm.deciding"),
    accepted: words.t("widget.confirm.accepted"),
    rejected: words.t("widget.confirm.rejected"),
    expired: words.t("widget.confirm.expired"),
    gone: words.t("widget.confirm.gone"),
  };
  return texts[card.state];
}

function choices(card, view) {
  const choice = (decision, style, label) => {
    const onclick = () => view.act.decide(card.id, decision);
    return h("button", { type: "button", class: style, disabled: card.state === "deciding", onclick }, label);
  };
  return h(
    "div",
    { class: "choices" },
    choice("accept", "button primary", card.confirm_label || view.words.t("widget.confirm.accept")),
    choice("reject", "button", view.words.t("widget.confirm.reject")),
  );
}
