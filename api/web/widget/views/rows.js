/** Keeps the list on the screen equal to the transcript, touching only rows that changed. */

import { h } from "../dom.js";
import { confirmationRow } from "./confirmation.js";
import { draftRow, messageRow, noticeRow, pendingRow } from "./message.js";

const ROWS = {
  message: messageRow,
  pending: pendingRow,
  confirmation: confirmationRow,
  draft: draftRow,
  day: (day) => h("li", { class: "row row-day" }, h("p", {}, day)),
  notice: noticeRow,
};

export class Rows {
  #view;
  #shown = new Map();

  constructor(view) {
    this.#view = view;
    this.node = h("ol", { class: "rows" });
  }

  show(entries) {
    const wanted = new Set(entries.map((entry) => entry.key));
    for (const [key, row] of this.#shown) if (!wanted.has(key)) this.#remove(key, row);
    entries.forEach((entry, index) => {
      const row = this.#rowFor(entry);
      const place = this.node.children[index] ?? null;
      if (row !== place) this.node.insertBefore(row, place);
    });
  }

  #rowFor(entry) {
    const version = `${entry.revision}/${JSON.stringify(entry.group ?? null)}`;
    const shown = this.#shown.get(entry.key);
    if (shown?.version === version) return shown.node;
    const node = ROWS[entry.kind](entry.value, this.#view, entry.group);
    shown?.node.replaceWith(node);
    this.#shown.set(entry.key, { node, version });
    return node;
  }

  #remove(key, row) {
    row.node.remove();
    this.#shown.delete(key);
  }
}

/** Add the lines between days and tell each message its place in its author's group. */
export function arrange(entries, words) {
  const arranged = [];
  const latest = entries.findLast((entry) => entry.kind === "message");
  let day = null;
  entries.forEach((entry, index) => {
    if (entry.kind !== "message") return arranged.push(entry);
    const today = words.day(new Date(entry.value.created_at));
    if (today !== day) arranged.push({ kind: "day", key: `day:${today}`, value: today });
    const isFirst = today !== day || !isSameAuthor(entries[index - 1], entry);
    const group = { isFirst, isLast: !isSameAuthor(entry, entries[index + 1]), isLatest: entry === latest };
    day = today;
    return arranged.push({ ...entry, group });
  });
  return arranged;
}

function isSameAuthor(one, other) {
  return (
    one?.kind === "message" &&
    other?.kind === "message" &&
    one.value.role === other.value.role &&
    one.value.author === other.value.author
  );
}
