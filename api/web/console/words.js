/** The console's strings, which its page carries, and dates and figures as its reader writes them. */

const STRINGS = JSON.parse(document.getElementById("words").textContent);
const LOCALE = document.documentElement.lang;
const MOMENT = new Intl.DateTimeFormat(LOCALE, { dateStyle: "short", timeStyle: "medium" });

/** Return a string with its {placeholders} filled. */
export function t(key, values = {}) {
  return STRINGS[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

export function moment(text) {
  return MOMENT.format(new Date(text));
}

export function figure(value) {
  return new Intl.NumberFormat(LOCALE).format(value);
}
