"""Which tools it takes to enrol, wait, change, leave, pay, and to see one's own affairs."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from agents.llm.offline.groups import Groups, groups_of, pick
from agents.llm.offline.intents import Intent
from agents.llm.offline.lexicon import lexicon
from agents.llm.offline.need import Call, Need, first_course, known_code
from agents.llm.offline.reading import rows_of
from agents.runtime.guards.input import fold

Item = Mapping[str, Any]

#: Refusals after which the same wish is shown anew, with the terms as they are now.
_STALE = frozenset({"quote.changed", "hold.lost", "quote.expired", "refund.changed"})
#: The tasks in which a list of groups was shown.
_LISTED = frozenset({"pick_group", "pick_new_group"})
_NUMBER = re.compile(r"\d+")


def is_verified(need: Need) -> bool:
    """Return whether own affairs may be spoken of."""
    return need.turn.identity_level == "verified"


def course_wanted(need: Need) -> str:
    """Return the code of the course that is spoken of, once it is known."""
    return known_code(need.intent, need.turn) or first_course(need.data("search_courses"))


def chosen_group(need: Need) -> Item | None:
    """Return the group to take a seat in, as far as the words settle it."""
    groups = open_groups(need)
    lex = lexicon(need.turn.locale)
    listed = need.turn.remembered.open_task in _LISTED
    found = pick(groups.open, need.intent, lex, listed=listed)
    return found or pick(groups.full, need.intent, lex, listed=False)


def open_groups(need: Need) -> Groups:
    """Return the groups of the course that is spoken of, but the one the student is in."""
    groups = groups_of(need.data("get_course"), need.turn.now)
    current = own_enrolment(need) if need.intent.name == "transfer" else None
    return groups.without(str(current["cohort_code"])) if current else groups


def own_enrolments(need: Need) -> list[Item]:
    """Return the student's running enrolments that the words fit, all of them where none does."""
    running = [
        e for e in rows_of(need.data("my_profile"), "enrolments") if e["status"] == "confirmed"
    ]
    intent = need.intent
    fitting = [e for e in running if _is_about(e, intent)]
    return fitting or running


def own_enrolment(need: Need) -> Item | None:
    """Return the enrolment that is meant; None where there is a choice, or none."""
    found = own_enrolments(need)
    return found[0] if len(found) == 1 else None


def _is_about(enrolment: Item, intent: Intent) -> bool:
    if intent.code:
        return bool(enrolment["course_code"] == intent.code)
    words = intent.topic.split()
    return bool(words) and any(word in fold(str(enrolment["title"])) for word in words)


def instalments_in(intent: Intent, need: Need) -> int:
    """Return in how many parts the student wants to pay; 1 where nothing is said."""
    lex = lexicon(need.turn.locale)
    found = lex.slots["instalments"].search(intent.text)
    if found is None:
        return intent.parts or 1
    number = _NUMBER.search(found.group())
    if number:
        return min(max(int(number.group()), 1), 12)
    return next((n for word, n in lex.counts.items() if word in found.group().split()), 1)


def _enrol(need: Need) -> Iterator[Call]:
    yield from _course(need)
    if not is_verified(need):
        return
    group = chosen_group(need)
    if group is None or group["seats_left"] == 0:
        return
    arguments = {"cohort_code": group["code"], "instalments": instalments_in(need.intent, need)}
    yield from _shown_anew(need, "enrol", arguments)


def _course(need: Need) -> Iterator[Call]:
    if not known_code(need.intent, need.turn) and need.intent.topic:
        yield need.call("search_courses", {"query": need.intent.topic, "limit": 3})
    if code := course_wanted(need):
        yield need.call("get_course", {"code": code})


def _shown_anew(need: Need, tool: str, arguments: Mapping[str, object]) -> Iterator[Call]:
    """Yield a call, and the same once more where its terms had changed before it was agreed to."""
    yield need.call(tool, arguments)
    result = need.result(tool)
    if result is not None and result.code in _STALE:
        yield need.call(tool, arguments, "-again")


def _waitlist(need: Need) -> Iterator[Call]:
    yield from _course(need)
    full = open_groups(need).full
    if is_verified(need) and full:
        group = pick(full, need.intent, lexicon(need.turn.locale), listed=False) or full[0]
        yield need.call("join_waitlist", {"cohort_code": group["code"]})


def _my_waitlist(need: Need) -> Iterator[Call]:
    yield need.call("my_waitlist", {})


def _leave_waitlist(need: Need) -> Iterator[Call]:
    yield need.call("my_waitlist", {})
    entries = rows_of(need.data("my_waitlist"), "entries")
    if entries:
        yield need.call("leave_waitlist", {"cohort_code": entries[0]["cohort_code"]})


def _accept_offer(need: Need) -> Iterator[Call]:
    yield need.call("my_waitlist", {})
    offered = [e for e in rows_of(need.data("my_waitlist"), "entries") if e["status"] == "offered"]
    if offered:
        arguments = {
            "cohort_code": offered[0]["cohort_code"],
            "instalments": instalments_in(need.intent, need),
        }
        yield from _shown_anew(need, "enrol", arguments)


def _withdraw(need: Need) -> Iterator[Call]:
    yield need.call("my_profile", {})
    enrolment = own_enrolment(need)
    if enrolment is not None:
        reason = " ".join(need.intent.raw.split())[:300].ljust(3, ".")
        arguments = {"cohort_code": enrolment["cohort_code"], "reason": reason}
        yield from _shown_anew(need, "withdraw", arguments)


def _transfer(need: Need) -> Iterator[Call]:
    yield need.call("my_profile", {})
    enrolment = own_enrolment(need)
    if enrolment is None:
        return
    yield need.call("get_course", {"code": enrolment["course_code"]})
    group = chosen_group(need)
    if group is not None:
        arguments = {"cohort_code": enrolment["cohort_code"], "to_cohort_code": group["code"]}
        yield need.call("transfer", arguments)


def _my_payments(need: Need) -> Iterator[Call]:
    yield need.call("my_payments", {})


def owed(need: Need) -> list[Item]:
    """Return the fees of which something is left to pay."""
    return [
        i
        for i in rows_of(need.data("my_payments"), "invoices")
        if i["status"] not in ("paid", "cancelled") and i["outstanding"]["amount_minor"] > 0
    ]


def _pay(need: Need) -> Iterator[Call]:
    yield need.call("my_payments", {})
    if open_fees := owed(need):
        yield need.call("payment_link", {"invoice_id": open_fees[0]["invoice_id"]})


def _stop_contact(need: Need) -> Iterator[Call]:
    channel = _channel_in(need)
    yield need.call("stop_contact", {"channel": channel} if channel else {})


def _allow_contact(need: Need) -> Iterator[Call]:
    yield need.call("allow_contact", {"channel": _channel_in(need) or "email"})


def _channel_in(need: Need) -> str:
    text = need.intent.text
    words = {"whatsapp": "whatsapp", "sms": "sms", "correo": "email", "mail": "email"}
    return next((channel for word, channel in words.items() if word in text), "")


ENROLLING: Mapping[str, Callable[[Need], Iterator[Call]]] = {
    "enrol": _enrol,
    "join_waitlist": _waitlist,
    "my_waitlist": _my_waitlist,
    "leave_waitlist": _leave_waitlist,
    "accept_offer": _accept_offer,
    "withdraw": _withdraw,
    "transfer": _transfer,
    "my_payments": _my_payments,
    "pay": _pay,
    "stop_contact": _stop_contact,
    "allow_contact": _allow_contact,
}
