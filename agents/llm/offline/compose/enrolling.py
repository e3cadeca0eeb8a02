"""Words about enrolling, waiting, changing and leaving."""

from collections.abc import Mapping
from typing import Any

from agents.llm.offline.compose.refusals import refusal_of, refused
from agents.llm.offline.enrolling import (
    chosen_group,
    instalments_in,
    is_verified,
    open_groups,
    own_enrolments,
)
from agents.llm.offline.need import Need
from agents.llm.offline.reading import Result, rows_of
from agents.strings import say

Item = Mapping[str, Any]

_LISTED = 5


def answer_enrol(need: Need) -> str:
    """Say what became of the wish to enrol, or ask for what is missing."""
    locale = need.turn.locale
    result = _latest(need, "enrol")
    if result is not None:
        return _enrolled(need, result)
    detail = need.data("get_course")
    if not detail:
        return say(locale, "enrol.which")
    return _choice(need, detail, "enrol.pick")


def _choice(need: Need, detail: Item, asking: str) -> str:
    """Say which groups there are, and ask for what keeps the wish from being carried out."""
    locale, groups = need.turn.locale, open_groups(need)
    title = detail["title"]
    group = chosen_group(need)
    if not groups.open or (group is not None and group["seats_left"] == 0):
        key = "enrol.full" if groups.full else "enrol.no_group"
        return say(locale, key, title=title)
    if group is not None and not is_verified(need):
        parts = instalments_in(need.intent, need)
        terms = {**_when(group), "price": _price(group), "parts": parts}
        return say(locale, "enrol.verify", title=title, **terms)
    lines = [_line(g, locale) for g in groups.open[:_LISTED]]
    return "\n".join([say(locale, asking, title=title), *lines])


def _enrolled(need: Need, result: Result) -> str:
    if not result.ok:
        return refused(need, result)
    locale, data = need.turn.locale, result.data
    facts = {
        "title": data["course_title"],
        "cohort": data["cohort_code"],
        "start": data["starts_on_text"],
    }
    if data["status"] == "confirmed":
        return say(locale, "enrol.confirmed", **facts)
    first = data["instalments"][0]["amount"]["text"]
    url = data["payment_url"]
    key = "enrol.pay_here" if url else "enrol.pay_office"
    return say(locale, key, **facts, first=first, url=url or "", minutes=data["hold_minutes"])


def answer_waitlist(need: Need) -> str:
    """Say what became of the wish to wait for a seat."""
    locale = need.turn.locale
    result = need.result("join_waitlist")
    if result is not None and result.ok:
        key = "waitlist.offered" if result.data["status"] == "offered" else "waitlist.joined"
        return say(
            locale, key, title=result.data["course_title"], cohort=result.data["cohort_code"]
        )
    if result is not None:
        return refused(need, result)
    detail = need.data("get_course")
    if not detail:
        return say(locale, "enrol.which")
    if not is_verified(need):
        return say(locale, "waitlist.verify", title=detail["title"])
    return _choice(need, detail, "enrol.pick")


def answer_my_waitlist(need: Need) -> str:
    """Say where the student stands in the queues."""
    locale = need.turn.locale
    if refusal := refusal_of(need, "my_waitlist"):
        return refusal
    entries = rows_of(need.data("my_waitlist"), "entries")
    if not entries:
        return say(locale, "waitlist.none")
    lines = [
        say(
            locale,
            "waitlist.has_offer" if e["status"] == "offered" else "waitlist.place",
            title=e["course_title"],
            cohort=e["cohort_code"],
            until=e["offer_until_text"] or "",
            place=e["ahead"] + 1,
        )
        for e in entries[:_LISTED]
    ]
    return "\n".join(lines)


def answer_leave_waitlist(need: Need) -> str:
    """Say that the student no longer waits."""
    result = need.result("leave_waitlist")
    if result is None:
        return answer_my_waitlist(need)
    if not result.ok:
        return refused(need, result)
    return say(need.turn.locale, "waitlist.left", title=result.data["course_title"])


def answer_accept_offer(need: Need) -> str:
    """Say what became of an offered seat."""
    result = _latest(need, "enrol")
    if result is None:
        return answer_my_waitlist(need)
    return _enrolled(need, result)


def answer_withdraw(need: Need) -> str:
    """Say what became of the wish to leave, or ask which course."""
    locale = need.turn.locale
    if refusal := refusal_of(need, "my_profile"):
        return refusal
    result = _latest(need, "withdraw")
    if result is not None and result.ok:
        refund = result.data["refund"]
        key = "withdraw.done" if refund["amount_minor"] else "withdraw.done_unpaid"
        return say(locale, key, title=result.data["course_title"], refund=refund["text"])
    if result is not None:
        return refused(need, result)
    return _which_enrolment(need, "withdraw.which")


def answer_transfer(need: Need) -> str:
    """Say what became of the wish to change groups, or ask for what is missing."""
    locale = need.turn.locale
    if refusal := refusal_of(need, "my_profile"):
        return refusal
    result = need.result("transfer")
    if result is not None and result.ok:
        data = result.data
        return say(
            locale,
            "transfer.done",
            title=data["course_title"],
            cohort=data["cohort_code"],
            start=data["starts_on_text"],
            schedule=data["schedule"],
        )
    if result is not None:
        return refused(need, result)
    detail = need.data("get_course")
    if detail:
        return _choice(need, detail, "transfer.pick")
    return _which_enrolment(need, "transfer.which")


def _which_enrolment(need: Need, asking: str) -> str:
    locale, running = need.turn.locale, own_enrolments(need)
    if not running:
        return say(locale, "withdraw.none")
    lines = [f"- {e['title']}, {e['cohort_code']}" for e in running[:_LISTED]]
    return "\n".join([say(locale, asking), *lines])


def _latest(need: Need, tool: str) -> Result | None:
    return need.result(tool, "-again") or need.result(tool)


def _line(group: Item, locale: Any) -> str:
    return say(locale, "enrol.line", **_when(group), price=_price(group))


def _price(group: Item) -> str:
    return str(group["price"]["text"])


def _when(group: Item) -> dict[str, str]:
    return {
        "date": group["starts_on_text"],
        "schedule": group["schedule"],
        "modality": group["modality_text"],
        "cohort": group["code"],
    }


ANSWERS = {
    "enrol": answer_enrol,
    "join_waitlist": answer_waitlist,
    "my_waitlist": answer_my_waitlist,
    "leave_waitlist": answer_leave_waitlist,
    "accept_offer": answer_accept_offer,
    "withdraw": answer_withdraw,
    "transfer": answer_transfer,
}
