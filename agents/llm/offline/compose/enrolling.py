"""Words about enrolling, waiting, changing, leaving and paying."""

from collections.abc import Mapping, Sequence
from typing import Any

from agents.llm.offline.enrolling import (
    chosen_group,
    instalments_in,
    is_verified,
    open_groups,
    owed,
    own_enrolments,
)
from agents.llm.offline.need import Need
from agents.llm.offline.reading import Result, rows_of
from agents.strings import say

Item = Mapping[str, Any]

_LISTED = 5
#: Refusals that have words of their own; of everything else the tool's own words are passed on.
_WHY_NOT: Mapping[str, str] = {
    "cohort.full": "enrol.full",
    "cohort.waitlist": "enrol.full",
    "cohort.closed": "enrol.closed",
    "enrolment.exists": "enrol.exists",
    "enrolment.prerequisites": "enrol.prerequisites",
    "enrolment.guardian": "enrol.guardian",
    "enrolment.unknown": "withdraw.none",
    "enrolment.ended": "withdraw.ended",
    "waitlist.held": "waitlist.held",
    "confirmation.rejected": "enrol.declined",
    "confirmation.expired": "enrol.expired",
}


def answer_enrol(need: Need) -> str:
    """Say what became of the wish to enrol, or ask for what is missing."""
    locale = need.turn.locale
    result = _latest(need, "enrol")
    if result is not None:
        return _enrolled(need, result) if result.ok else _refused(need, result)
    detail = need.data("get_course")
    if not detail:
        return say(locale, "enrol.which")
    return _choice(need, detail, task="pick_group")


def _choice(need: Need, detail: Item, *, task: str) -> str:
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
    asking = "enrol.pick" if task == "pick_group" else "transfer.pick"
    return "\n".join([say(locale, asking, title=title), *lines])


def _enrolled(need: Need, result: Result) -> str:
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
        return _refused(need, result)
    detail = need.data("get_course")
    if not detail:
        return say(locale, "enrol.which")
    if not is_verified(need):
        return say(locale, "waitlist.verify", title=detail["title"])
    return _choice(need, detail, task="pick_group")


def answer_my_waitlist(need: Need) -> str:
    """Say where the student stands in the queues."""
    locale = need.turn.locale
    if refusal := _unavailable(need, "my_waitlist"):
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
        return _refused(need, result)
    return say(need.turn.locale, "waitlist.left", title=result.data["course_title"])


def answer_accept_offer(need: Need) -> str:
    """Say what became of an offered seat."""
    result = _latest(need, "enrol")
    if result is None:
        return answer_my_waitlist(need)
    return _enrolled(need, result) if result.ok else _refused(need, result)


def answer_withdraw(need: Need) -> str:
    """Say what became of the wish to leave, or ask which course."""
    locale = need.turn.locale
    if refusal := _unavailable(need, "my_profile"):
        return refusal
    result = _latest(need, "withdraw")
    if result is not None and result.ok:
        refund = result.data["refund"]
        key = "withdraw.done" if refund["amount_minor"] else "withdraw.done_unpaid"
        return say(locale, key, title=result.data["course_title"], refund=refund["text"])
    if result is not None:
        return _refused(need, result)
    return _which_enrolment(need, "withdraw.which")


def answer_transfer(need: Need) -> str:
    """Say what became of the wish to change groups, or ask for what is missing."""
    locale = need.turn.locale
    if refusal := _unavailable(need, "my_profile"):
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
        return _refused(need, result)
    detail = need.data("get_course")
    if detail:
        return _choice(need, detail, task="pick_new_group")
    return _which_enrolment(need, "transfer.which")


def _which_enrolment(need: Need, asking: str) -> str:
    locale, running = need.turn.locale, own_enrolments(need)
    if not running:
        return say(locale, "withdraw.none")
    lines = [f"- {e['title']}, {e['cohort_code']}" for e in running[:_LISTED]]
    return "\n".join([say(locale, asking), *lines])


def answer_my_payments(need: Need) -> str:
    """Say what is owed and when, and what came in."""
    locale = need.turn.locale
    if refusal := _unavailable(need, "my_payments"):
        return refusal
    fees = owed(need)
    if not fees:
        return say(locale, "payments.settled") + _last_payment(need)
    return "\n".join([say(locale, "payments.owed"), *(_fee(f, need) for f in fees[:_LISTED])])


def _fee(fee: Item, need: Need) -> str:
    due = next((p for p in fee["instalments"] if p["outstanding"]["amount_minor"] > 0), None)
    key = "payments.overdue" if due and due["status"] == "overdue" else "payments.fee"
    return say(
        need.turn.locale,
        key if due else "payments.plain",
        title=fee["course_title"] or fee["number"],
        outstanding=fee["outstanding"]["text"],
        due=due["outstanding"]["text"] if due else "",
        date=due["due_on_text"] if due else "",
    )


def _last_payment(need: Need) -> str:
    made: Sequence[Item] = rows_of(need.data("my_payments"), "payments")
    done = [p for p in made if p["status"] == "completed"]
    if not done:
        return ""
    said = {"amount": done[0]["amount"]["text"], "date": done[0]["begun_on_text"]}
    return " " + say(need.turn.locale, "payments.last", **said)


def answer_pay(need: Need) -> str:
    """Give the address at which the next instalment is paid."""
    locale = need.turn.locale
    if refusal := _unavailable(need, "my_payments"):
        return refusal
    result = need.result("payment_link")
    if result is None:
        return answer_my_payments(need)
    if not result.ok:
        return _refused(need, result)
    url, amount = result.data["payment_url"], result.data["amount"]
    if not url or not amount:
        return say(locale, "payments.office")
    return say(locale, "payments.link", amount=amount["text"], url=url)


def answer_my_certificates(need: Need) -> str:
    """List the student's certificates."""
    locale = need.turn.locale
    if refusal := _unavailable(need, "my_certificates"):
        return refusal
    made = rows_of(need.data("my_certificates"), "certificates")
    if not made:
        return say(locale, "certificates.none")
    lines = [
        say(
            locale,
            "certificates.line",
            title=c["course_title"],
            date=c["issued_on_text"],
            url=c["check_url"],
        )
        for c in made[:_LISTED]
        if c["status"] == "valid"
    ]
    return "\n".join([say(locale, "certificates.list"), *lines])


def answer_contact(need: Need) -> str:
    """Say what holds of messages from now on."""
    locale = need.turn.locale
    tool = need.intent.name
    if refusal := _unavailable(need, tool):
        return refusal
    return say(locale, "contact.stopped" if tool == "stop_contact" else "contact.allowed")


def _latest(need: Need, tool: str) -> Result | None:
    return need.result(tool, "-again") or need.result(tool)


def _refused(need: Need, result: Result) -> str:
    locale, detail = need.turn.locale, need.data("get_course")
    key = _WHY_NOT.get(result.code)
    if result.code.startswith("identity."):
        return say(locale, "talk.verify")
    if key is None:
        return say(locale, "enrol.failed")
    titles = ", ".join(str(p["title"]) for p in rows_of(detail, "prerequisites"))
    return say(locale, key, title=detail.get("title", ""), titles=titles)


def _unavailable(need: Need, tool: str) -> str:
    """Return what to say instead of own affairs: verify first, or try again."""
    locale, result = need.turn.locale, need.result(tool)
    if result is not None and result.ok:
        return ""
    if result is not None and result.code == "confirmation.rejected":
        return say(locale, "enrol.declined")
    if result is None or result.code.startswith("identity."):
        return say(locale, "talk.verify")
    return say(locale, "profile.unavailable")


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
    "my_payments": answer_my_payments,
    "pay": answer_pay,
    "my_certificates": answer_my_certificates,
    "stop_contact": answer_contact,
    "allow_contact": answer_contact,
}
