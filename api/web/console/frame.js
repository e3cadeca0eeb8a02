/** What both consoles share: signing in and out, and saying what went wrong. */

import { h } from "../widget/dom.js";
import { Refusal, forget, session, signIn, signOut } from "./staff.js";
import { t } from "./words.js";

const app = document.getElementById("app");

/** Show the console to whoever is signed in, and the form to everybody else. */
export function start(title, showConsole) {
  if (!session()) return app.replaceChildren(signInForm(title, () => start(title, showConsole)));
  const leave = async () => {
    await signOut();
    start(title, showConsole);
  };
  const body = h("div", { class: "console-body" });
  app.replaceChildren(
    h(
      "div",
      { class: "console-head" },
      h("h1", {}, title),
      h("p", { class: "soft" }, session().staff.name),
      h("button", { type: "button", class: "button", onclick: leave }, t("console.signOut")),
    ),
    body,
  );
  return showConsole(body);
}

/** Run an act; when it fails, say why beside what caused it, or ask to sign in again. */
export async function attempt(act, complaint) {
  complaint.textContent = "";
  try {
    return await act();
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    complaint.textContent = describe(refusal);
    if (refusal.status === 401) askAgain();
    return undefined;
  }
}

export function complaintLine() {
  return h("p", { class: "problem", role: "alert" });
}

function askAgain() {
  forget();
  location.reload();
}

function signInForm(title, onDone) {
  const email = h("input", { id: "email", type: "email", autocomplete: "username", required: true });
  const secret = { id: "password", type: "password", autocomplete: "current-password", required: true };
  const password = h("input", secret);
  const complaint = complaintLine();
  const onsubmit = async (event) => {
    event.preventDefault();
    await signIn({ email: email.value.trim(), password: password.value }).then(onDone, (refusal) => {
      complaint.textContent = refusal.status === 401 ? t("console.wrongLogin") : describe(refusal);
      password.focus();
    });
  };
  return h(
    "form",
    { class: "sign-in", onsubmit },
    h("h1", {}, title),
    h("p", { class: "soft" }, t("console.staffOnly")),
    h("div", {}, h("label", { for: "email" }, t("console.email")), email),
    h("div", {}, h("label", { for: "password" }, t("console.password")), password),
    complaint,
    h("button", { class: "button primary" }, t("console.signIn")),
  );
}

function describe({ status, code }) {
  if (status === 0) return t("console.problem.network");
  if (status === 403) return t("console.problem.forbidden");
  if (status === 429) return t("console.problem.wait");
  if (code === "conversation.taken") return t("console.problem.taken");
  return status >= 500 ? t("console.problem.server") : t("console.problem.refused", { code });
}
