/** Puts the widget on the page that loads the script, and lets the page's own buttons open it. */

import { OrientaChat } from "./element.js";

const script = document.currentScript;

/** Return the element that the page has, or add one; the script tag's data sets it up. */
function place() {
  const element = document.querySelector("orienta-chat") ?? document.createElement("orienta-chat");
  const api = new URL(".", script.src).href.replace(/\/$/, "");
  Object.assign(element.dataset, { api, ...script.dataset, ...element.dataset });
  if (!element.isConnected) document.body.append(element);
  return element;
}

if (!customElements.get("orienta-chat")) {
  const element = place();
  customElements.define("orienta-chat", OrientaChat);
  document.addEventListener("click", (event) => {
    const opener = event.target.closest?.("[data-orienta-open]");
    if (opener) element.open({ text: opener.dataset.orientaAsk });
  });
}
