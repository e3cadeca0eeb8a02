/** A member of staff's session: the token lives in this tab only, and ends with it. */

const KEPT = "orienta:staff";

/** An answer that was not what we asked for. */
export class Refusal extends Error {
  constructor(status, code) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

/** Return {access_token, staff} of the session, or null. */
export function session() {
  return JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
}

export async function signIn(credentials) {
  const opened = await call("POST", "/v1/auth/login", credentials);
  sessionStorage.setItem(KEPT, JSON.stringify(opened));
  return opened;
}

export async function signOut() {
  await call("POST", "/v1/auth/logout").catch(() => {});
  forget();
}

export function forget() {
  sessionStorage.removeItem(KEPT);
}

/** Ask the staff API. Throws a Refusal; status 0 means that there was no answer. */
export async function call(method, path, body) {
  const headers = { Accept: "application/json" };
  if (session()) headers.Authorization = `Bearer ${session().access_token}`;
  if (body) headers["Content-Type"] = "application/json";
  const request = { method, headers, body: body && JSON.stringify(body), cache: "no-store" };
  const response = await fetch(path, request).catch(() => {
    throw new Refusal(0, "network");
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refusal(response.status, answer.code ?? "unknown");
  return answer;
}
