"""Every column that names a person, and what a merge does with it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moved:
    """A column whose rows go over to the survivor.

    Args:
        key: the column by which a row is found again when the merge is undone.
        key_type: its type.
        stays_if: says, about a row `t`, that the survivor (`%(survivor)s`) already has the one
            that a unique constraint allows; then the row stays with the merged record.
    """

    table: str
    column: str = "person_id"
    key: str = "id"
    key_type: str = "uuid"
    stays_if: str = "FALSE"


#: In the order in which rows are locked everywhere.
MOVED: tuple[Moved, ...] = (
    Moved("people", "guardian_id"),
    Moved("people", "merged_into"),
    Moved("subject_keys", key="subject_id"),
    Moved("conversations"),
    Moved("chat_sessions", key="token_hash", key_type="bytea"),
    Moved("verification_codes"),
    Moved("outbound_messages"),
    Moved("tickets"),
    Moved(
        "appointments",
        # Nobody is in two places at once: both stay, and staff cancel one.
        stays_if="t.status = 'booked' AND EXISTS (SELECT FROM appointments o "
        "WHERE o.person_id = %(survivor)s AND o.status = 'booked' "
        "AND tstzrange(o.starts_at, o.ends_at) && tstzrange(t.starts_at, t.ends_at))",
    ),
    Moved(
        "leads",
        stays_if="t.stage NOT IN ('enrolled', 'lost') AND EXISTS (SELECT FROM leads o "
        "WHERE o.person_id = %(survivor)s AND o.stage NOT IN ('enrolled', 'lost') "
        "AND (o.programme_code, o.course_code, o.term) "
        "IS NOT DISTINCT FROM (t.programme_code, t.course_code, t.term))",
    ),
    Moved("activities"),
    # Whoever works on a saga locks it first.
    Moved("sagas"),
    Moved("tasks"),
    Moved("next_actions"),
    Moved(
        "waitlist_entries",
        stays_if="t.status IN ('waiting', 'offered') AND EXISTS (SELECT FROM waitlist_entries o "
        "WHERE o.person_id = %(survivor)s AND o.cohort_id = t.cohort_id "
        "AND o.status IN ('waiting', 'offered'))",
    ),
    Moved(
        "seat_holds",
        stays_if="t.status = 'live' AND EXISTS (SELECT FROM seat_holds o "
        "WHERE o.person_id = %(survivor)s AND o.cohort_id = t.cohort_id AND o.status = 'live')",
    ),
    Moved(
        "enrolments",
        # One seat each in the same cohort: neither is lost, and staff withdraw one.
        stays_if="t.status IN ('confirmed', 'completed') AND EXISTS (SELECT FROM enrolments o "
        "WHERE o.person_id = %(survivor)s AND o.cohort_id = t.cohort_id "
        "AND o.status IN ('confirmed', 'completed'))",
    ),
    Moved(
        "course_dismissals",
        stays_if="EXISTS (SELECT FROM course_dismissals o "
        "WHERE o.person_id = %(survivor)s AND o.course_code = t.course_code)",
    ),
    Moved("quotes"),
    Moved(
        "scholarship_applications",
        stays_if="t.status IN ('requested', 'awarded') AND EXISTS ("
        "SELECT FROM scholarship_applications o WHERE o.person_id = %(survivor)s "
        "AND o.scholarship_code = t.scholarship_code AND o.status IN ('requested', 'awarded'))",
    ),
    Moved("certificates", key="number", key_type="text"),
    Moved("invoices"),
    Moved("payments"),
)

#: Columns that keep the merged record's id, and why nothing is lost by it.
KEPT: dict[tuple[str, str], str] = {
    ("audit_events", "person_id"): "what was recorded stays as it was recorded",
    ("record_accesses", "person_id"): "the access log is read for both ids",
    ("consents", "person_id"): "append-only; what follows from them is appended to the survivor",
    ("consents", "guardian_id"): "append-only; read as whom the guardian was merged into",
    ("contact_preferences", "person_id"): "one row each; the strictest is set for the survivor",
    ("duplicate_queue", "person_id"): "a record that is no longer active is passed over",
    ("duplicate_suggestions", "first_id"): "about the two records, not the person",
    ("duplicate_suggestions", "second_id"): "about the two records, not the person",
    ("person_erasures", "person_id"): "the list of the erased",
    ("person_merges", "survivor_id"): "the merge itself",
    ("person_merges", "merged_id"): "the merge itself",
}
