/** Turns what went wrong into a sentence that says what to do. */

/** An answer that was not what we asked for; status 0 means that there was no answer. */
export class Problem extends Error {
  constructor({ status = 0, code = "network", retryAfter = null }) {
    super(code);
    Object.assign(this, { status, code, retryAfter });
  }

  /** Whether the same request may succeed later. */
  get isTemporary() {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

/** Read a Problem from a response with an application/problem+json body, or any other. */
export async function problemOf(response) {
  const body = await response.json().catch(() => ({}));
  return new Problem({
    status: response.status,
    code: typeof body.code === "string" ? body.code : `http.${response.status}`,
    retryAfter: secondsOf(response.headers.get("retry-after")),
  });
}

/** Say a Problem in words. */
export function describeProblem(problem, words) {
  if (problem.status === 0) return words.t("widget.problem.network");
  if (problem.status === 413) return words.t("widget.problem.tooLarge");
  if (problem.status === 429) return describeWait(problem, words);
  if (problem.status >= 500) return words.t("widget.problem.server");
  return words.t("widget.problem.refused");
}

function describeWait(problem, words) {
  const seconds = problem.retryAfter ?? 30;
  return words.t("widget.problem.wait", { seconds: words.number(seconds) });
}

/** Retry-After holds seconds or a date. */
function secondsOf(header) {
  if (!header) return null;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(1, Math.ceil(seconds)) : null;
}
