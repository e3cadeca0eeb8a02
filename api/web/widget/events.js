/** What each event of the stream does to the conversation. */

/** What the agent is doing, by tool, in words; a label that the server sends comes first. */
const ACTIVITIES = {
  get_course: (words) => words.t("widget.tool.courses"),
  get_programme: (words) => words.t("widget.tool.courses"),
  hand_off: (words) => words.t("widget.tool.person"),
  list_cohorts: (words) => words.t("widget.tool.courses"),
  list_programmes: (words) => words.t("widget.tool.courses"),
  list_scholarships: (words) => words.t("widget.tool.scholarships"),
  my_profile: (words) => words.t("widget.tool.mine"),
  my_tickets: (words) => words.t("widget.tool.mine"),
  open_ticket: (words) => words.t("widget.tool.ticket"),
  search_courses: (words) => words.t("widget.tool.courses"),
  search_knowledge: (words) => words.t("widget.tool.documents"),
};

function activityOf({ tool, label }, words) {
  return label || ACTIVITIES[tool]?.(words) || words.t("widget.tool.other");
}

const HANDLERS = {
  run_started: (chat) => chat.transcript.startDraft(),
  token: (chat, data) => chat.transcript.appendToDraft(data.text),
  draft_reset: (chat) => chat.transcript.withdrawDraft(),
  tool_started: (chat, data) => chat.transcript.showTool(activityOf(data, chat.words)),
  tool_finished: (chat) => chat.transcript.showTool(""),
  confirmation_required: (chat, data) => chat.transcript.ask(data),
  handoff: (chat, data) => chat.setStatus(data.status),
  message: (chat, data) => chat.receive([data]),
  run_finished: (chat) => chat.finishRun(),
  resync: (chat) => chat.resync(),
};

/** How many event ids are remembered to recognise one that comes twice. */
const REMEMBERED = 4000;

export class EventReader {
  #chat;
  #seen = new Set();

  constructor(chat) {
    this.#chat = chat;
  }

  /** Apply an event once; a type from a newer server is passed over. */
  apply({ id, event, data }) {
    if (id && this.#seen.has(id)) return;
    if (id) this.#remember(id);
    const handler = HANDLERS[event];
    if (handler) handler(this.#chat, JSON.parse(data || "{}"));
  }

  forget() {
    this.#seen.clear();
  }

  #remember(id) {
    this.#seen.add(id);
    if (this.#seen.size > REMEMBERED) this.#seen.delete(this.#seen.values().next().value);
  }
}
