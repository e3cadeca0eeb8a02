"""Every table that can tell something about a person, and what an erasure does with it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wiped:
    """Rows of a table that lose what is personal in them.

    Args:
        where: over `people`, `subjects`, `conversations`, `runs`, `tickets` (ids), `threads` and
            `addresses` (texts) of the person.
        sets: what remains; None deletes the rows.
    """

    table: str
    where: str
    sets: str | None = None


_CONVERSATION = "conversation_id = ANY(%(conversations)s)"
_PERSON = "person_id = ANY(%(people)s)"
_RUN = "run_id = ANY(%(runs)s)"
_THREAD = "thread_id = ANY(%(threads)s)"

#: In the order in which it is done.
WIPED: tuple[Wiped, ...] = (
    Wiped(
        "chat_sessions",
        f"({_CONVERSATION} OR {_PERSON}) AND revoked_at IS NULL",
        "revoked_at = %(at)s",
    ),
    # A turn under way loses its lease: it can write nothing any more.
    Wiped(
        "conversation_leases", _CONVERSATION, "epoch = epoch + 1, owner = NULL, expires_at = %(at)s"
    ),
    Wiped("turn_requests", _CONVERSATION),
    Wiped(
        "runs",
        "id = ANY(%(runs)s) AND status IN ('running', 'waiting')",
        "status = 'aborted', finished_at = %(at)s",
    ),
    Wiped("run_steps", _RUN, "output = '{}'"),
    Wiped("checkpoint_writes", _THREAD),
    Wiped("checkpoint_blobs", _THREAD),
    Wiped("checkpoints", _THREAD),
    Wiped(
        "confirmations",
        _CONVERSATION,
        "summary = '', arguments = '{}', frozen_hash = '', "
        "status = CASE status WHEN 'pending' THEN 'expired' ELSE status END, "
        "closed_at = coalesce(closed_at, %(at)s)",
    ),
    Wiped("handoffs", _CONVERSATION, "reason = '', released_at = coalesce(released_at, %(at)s)"),
    Wiped(
        "messages",
        _CONVERSATION,
        "body = '', citations = '[]', actions = '[]', external_id = id::text, redacted_at = %(at)s",
    ),
    Wiped(
        "conversations",
        "id = ANY(%(conversations)s)",
        "summary = '', memory = '{}', handoff_reason = NULL, status = 'closed', level = 0",
    ),
    Wiped(
        "verification_codes",
        f"({_CONVERSATION} OR {_PERSON})",
        "code_hash = '', closed_at = coalesce(closed_at, %(at)s)",
    ),
    Wiped("ticket_events", "ticket_id = ANY(%(tickets)s) AND kind = 'note'", "to_value = NULL"),
    Wiped("tickets", "id = ANY(%(tickets)s)", "title = '', description = ''"),
    Wiped(
        "appointments",
        _PERSON,
        "topic = '', cancel_reason = NULL, "
        "status = CASE status WHEN 'booked' THEN 'cancelled' ELSE status END, "
        "closed_at = coalesce(closed_at, %(at)s)",
    ),
    Wiped("activities", _PERSON, "about = '{}'"),
    Wiped("tasks", _PERSON, "title = ''"),
    Wiped(
        "next_actions",
        _PERSON,
        "draft = '', arguments = '{}', asked = NULL, frozen_hash = '', "
        "status = CASE status WHEN 'open' THEN 'expired' ELSE status END",
    ),
    Wiped(
        "mailbox_messages",
        "recipient = ANY(%(addresses)s) OR effect_key IN (SELECT effect_key FROM outbound_messages "
        "WHERE person_id = ANY(%(people)s))",
    ),
    Wiped(
        "outbound_messages",
        _PERSON,
        "sealed = '{}', status = CASE status WHEN 'intent' THEN 'failed' ELSE status END, "
        "error_code = CASE status WHEN 'intent' THEN 'subject.erased' ELSE error_code END",
    ),
    Wiped("contact_preferences", _PERSON),
    Wiped("course_dismissals", f"({_CONVERSATION} OR {_PERSON})"),
    Wiped("duplicate_queue", _PERSON),
    Wiped("duplicate_suggestions", "first_id = ANY(%(people)s) OR second_id = ANY(%(people)s)"),
    Wiped("certificates", f"{_PERSON} AND revoked_for IS NOT NULL", "revoked_for = ''"),
    Wiped("invoices", f"{_PERSON} AND cancel_reason IS NOT NULL", "cancel_reason = ''"),
    Wiped(
        "dunning_pauses",
        "invoice_id IN (SELECT id FROM invoices WHERE person_id = ANY(%(people)s))",
        "reason = ''",
    ),
    Wiped(
        "refunds",
        "payment_id IN (SELECT id FROM payments WHERE person_id = ANY(%(people)s))",
        "reason = ''",
    ),
    Wiped("idempotency_keys", "subject_id = ANY(%(subjects)s)"),
    # A file that is still there could bring the person back; it has to be uploaded again.
    Wiped(
        "import_parts",
        "import_id IN (SELECT id FROM imports WHERE status IN ('done', 'failed', 'cancelled'))",
    ),
    Wiped(
        "imports", "size_bytes > 0 AND status IN ('done', 'failed', 'cancelled')", "size_bytes = 0"
    ),
)

#: Tables that lead to a person and are left as they are, with the reason.
HARMLESS: dict[str, str] = {
    "people": "redacted first, by its own statement",
    "subject_keys": "destroyed first, by its own statement",
    "audit_events": "append-only; payloads are sealed with the destroyed keys",
    "record_accesses": "ids only: who read what stays answerable",
    "consents": "append-only and by ids only: that there was a consent stays provable",
    "run_messages": "ids only",
    "leads": "ids, states and codes only",
    "lead_stages": "states and codes only",
    "sla_clocks": "ids and times only",
    "waitlist_entries": "ids, states and times only",
    "seat_holds": "ids, states and times only",
    "enrolments": "ids, states and times only",
    "attendance": "ids, marks and times only",
    "quotes": "ids and amounts only",
    "scholarship_applications": "sealed with the destroyed key",
    "instalments": "amounts only",
    "credit_notes": "the books: append-only, amounts and what they are for",
    "dunning_reminders": "ids, states and codes only",
    "saga_steps": "ids, states and codes only",
    "sagas": "ids, states, codes, dates and amounts only",
    "lead_scores": "ids and numbers only",
    "lead_scores_due": "ids only",
    "payments": "the books: ids and amounts",
    "payment_events": "the books: ids and amounts",
    "payment_intents": "ids and states only",
    "payment_polls": "ids and times only",
    "payment_links": "hashes only",
    "person_merges": "ids and names of fields only",
    "person_merge_moves": "ids only",
    "person_erasures": "ids only",
}
