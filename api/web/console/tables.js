/** Tables that become cards on a phone, with a row below each that opens for the details. */

import { h } from "../widget/dom.js";
import { t } from "./words.js";

/**
 * Make an empty table and a function that adds items to it.
 * @param {Array<{label: string, cell: Function, isFigure?: boolean}>} columns
 * @param {(item) => Promise<Node>} details what an opened row shows
 */
export function listTable(columns, details) {
  const head = columns.map(({ label, isFigure }) =>
    h("th", { scope: "col", class: isFigure ? "figure" : null }, label),
  );
  const body = h("tbody");
  const corner = h("th", { scope: "col" }, h("span", { class: "visually-hidden" }, t("console.details")));
  const node = h("table", { class: "cards" }, h("thead", {}, h("tr", {}, head, corner)), body);
  const add = (items) => body.append(...items.flatMap((item) => rowsOf(item, columns, details)));
  return { node, add };
}

function rowsOf(item, columns, details) {
  const cells = columns.map(({ label, cell, isFigure }) =>
    h("td", { "data-label": label, class: isFigure ? "figure" : null }, h("span", {}, cell(item))),
  );
  const place = h("td", { colspan: columns.length + 1 });
  const below = h("tr", { class: "details", hidden: true }, place);
  const toggle = async () => {
    below.hidden = !below.hidden;
    button.setAttribute("aria-expanded", String(!below.hidden));
    if (!below.hidden && !place.hasChildNodes()) place.append(await details(item));
  };
  const attributes = { type: "button", class: "button", "aria-expanded": "false", onclick: toggle };
  const button = h("button", attributes, t("console.details"));
  return [h("tr", {}, cells, h("td", {}, button)), below];
}

/** Show an outcome in words and colour. */
export function state(label, isGood, isBad) {
  const tone = isGood ? "good" : isBad ? "bad" : "off";
  return h("span", { class: `state ${tone}` }, label);
}

export function json(value) {
  return h("pre", { tabindex: "0" }, JSON.stringify(value, null, 2));
}
