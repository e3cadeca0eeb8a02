/** Renders the little markup that replies use: paragraphs, "- " and "1. " lists, **bold**, links. */

import { h } from "./dom.js";

const BULLET = /^\s*[-•]\s+/;
const NUMBER = /^\s*\d{1,2}[.)]\s+/;
const INLINE = /\*\*([^*\n]+)\*\*|\[([^\]\n]+)\]\(([^)\s]+)\)|(https?:\/\/[^\s<>"]+)| ?\[(\d{1,2})\]/g;

/**
 * Return nodes for a text; whatever is not markup stays text.
 * @param {string} text
 * @param {{base: string, citations?: Array}} context what addresses are relative to, what [1] stands for
 */
export function renderMarkup(text, context) {
  const paragraphs = text.trim().split(/\n\s*\n/);
  return paragraphs.flatMap((paragraph) => blocksOf(paragraph.split("\n"), context));
}

/** Return an absolute http(s) address, or null for anything else. */
export function safeUrl(address, base) {
  try {
    const url = new URL(address, base);
    return ["http:", "https:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** Split text into complete sentences and what is still open at its end. */
export function splitSentences(text) {
  const sentences = text.match(/[^\n]*?(?:[.!?…]["'»”)*\]]*(?=\s)|\n)/g) ?? [];
  const rest = text.slice(sentences.join("").length);
  return { sentences: sentences.map((sentence) => sentence.trim()).filter(Boolean), rest };
}

/** Return the text as it is read aloud: without marks. */
export function plainText(text) {
  const said = (whole, bold, label, _, url) => bold ?? label ?? url ?? "";
  return text.replace(INLINE, said).replace(BULLET, "").trim();
}

function blocksOf(lines, context) {
  const groups = [];
  for (const line of lines) {
    const kind = BULLET.test(line) ? "ul" : NUMBER.test(line) ? "ol" : "p";
    const last = groups.at(-1);
    if (last?.kind === kind) last.lines.push(line);
    else groups.push({ kind, lines: [line] });
  }
  return groups.map((group) => (group.kind === "p" ? paragraph(group, context) : list(group, context)));
}

function paragraph({ lines }, context) {
  const parts = lines.map((line, index) => [index > 0 && h("br"), inline(line, context)]);
  return h("p", {}, ...parts.map((part) => part.flat()));
}

function list({ kind, lines }, context) {
  const marker = kind === "ul" ? BULLET : NUMBER;
  return h(kind, {}, ...lines.map((line) => h("li", {}, inline(line.replace(marker, ""), context))));
}

function inline(text, context) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    nodes.push(text.slice(from, match.index), inlineNode(match, context));
    from = match.index + match[0].length;
  }
  return [...nodes, text.slice(from)].filter((node) => node !== "");
}

function inlineNode([whole, bold, label, target, bare, number], { base, citations = [] }) {
  if (bold) return h("strong", {}, bold);
  if (number) return reference(number, citations[number - 1], base) ?? whole;
  if (label) return link(target, label, base) ?? whole;
  const trimmed = bare.replace(/[.,;:!?)\]]+$/, "");
  const anchor = link(trimmed, trimmed, base);
  return anchor ? h("span", {}, anchor, bare.slice(trimmed.length)) : whole;
}

function reference(number, citation, base) {
  const anchor = citation && link(citation.url, number, base);
  anchor?.setAttribute("title", citation.title);
  return anchor && h("sup", {}, anchor);
}

function link(address, label, base) {
  const href = safeUrl(address, base);
  return href && h("a", { href, target: "_blank", rel: "noopener noreferrer" }, label);
}
