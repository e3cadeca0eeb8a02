"""Words about a student's own affairs, and about what was done for them."""

from collections.abc import Mapping
from typing import Any

from agents.llm.offline.compose.refusals import refusal_of
from agents.llm.offline.lexicon import lexicon
from agents.llm.offline.need import Need
from agents.llm.offline.reading import rows_of
from agents.strings import say


def answer_profile(need: Need) -> str:
    """Tell what the institution holds, or ask to verify."""
    refusal = refusal_of(need, "my_profile")
    if refusal:
        return refusal
    locale, data = need.turn.locale, need.data("my_profile")
    none = say(locale, "profile.none")
    return say(
        locale,
        "profile.data",
        name=data["full_name"],
        email=data["email"] or none,
        phone=data["phone"] or none,
    )


def answer_enrolments(need: Need) -> str:
    """List the student's enrolments, or ask to verify."""
    refusal = refusal_of(need, "my_profile")
    if refusal:
        return refusal
    locale, data = need.turn.locale, need.data("my_profile")
    lines = [_enrolment(e, need) for e in rows_of(data, "enrolments")[:5]]
    if not lines:
        return say(locale, "profile.no_enrolments")
    return "\n".join([say(locale, "profile.enrolments"), *lines])


def _enrolment(item: Mapping[str, Any], need: Need) -> str:
    locale = need.turn.locale
    return say(
        locale,
        "profile.enrolment",
        title=item["title"],
        cohort=item["cohort_code"],
        status=say(locale, f"enrolment.{item['status']}"),
        start=item["starts_on_text"],
        end=item["ends_on_text"],
    )


def answer_tickets(need: Need) -> str:
    """List the student's tickets, or ask to verify."""
    refusal = refusal_of(need, "my_tickets", "ticket.unavailable")
    if refusal:
        return refusal
    locale = need.turn.locale
    lines = [
        say(
            locale,
            "ticket.line",
            number=t["number"],
            title=t["title"],
            status=say(locale, f"status.{t['status']}"),
            opened=t["opened_at_text"],
        )
        for t in rows_of(need.data("my_tickets"), "tickets")[:5]
    ]
    return "\n".join([say(locale, "ticket.list"), *lines]) if lines else say(locale, "ticket.none")


def answer_open_ticket(need: Need) -> str:
    """Say what became of the ticket, or ask for the one thing that is missing."""
    locale, result = need.turn.locale, need.turn.last_of("open_ticket")
    if result is None:
        return say(locale, "ticket.ask")
    if result.ok:
        return say(locale, "ticket.opened", number=result.data["number"])
    if result.code == "confirmation.expired":
        return say(locale, "ticket.expired")
    declined = result.code == "confirmation.rejected"
    return say(locale, "ticket.rejected" if declined else "ticket.failed")


def answer_data_rights(need: Need) -> str:
    """Say what rights there are, and what became of the request to use one."""
    locale, result = need.turn.locale, need.turn.last_of("open_ticket")
    explained = say(locale, "rights.explained")
    if result is not None and result.ok:
        return f"{explained} {say(locale, 'ticket.opened', number=result.data['number'])}"
    if result is not None and result.code == "confirmation.rejected":
        return say(locale, "ticket.rejected")
    if result is None or result.code.startswith("identity."):
        return f"{explained} {say(locale, 'talk.verify')}"
    return f"{explained} {say(locale, 'ticket.failed')}"


def answer_verify(need: Need) -> str:
    """Offer to verify who writes, or say where a code goes and what to do without one."""
    locale, slots = need.turn.locale, lexicon(need.turn.locale).slots
    if need.turn.identity_level == "verified":
        return say(locale, "talk.verified")
    if need.intent.field == "code":
        return say(locale, "talk.code_here")
    missing = slots["code_missing"].search(need.intent.text)
    return say(locale, "talk.code_missing" if missing else "talk.verify")


def answer_hand_off(need: Need) -> str:
    """Say that a person was called, or that this failed."""
    result = need.turn.last_of("hand_off")
    if result is None and need.turn.status == "waiting":
        return say(need.turn.locale, "handoff.already")
    done = result is not None and result.ok
    return say(need.turn.locale, "handoff.done" if done else "handoff.failed")


def answer_danger(need: Need) -> str:
    """Say that what was told is taken seriously, and that a person was called."""
    return f"{say(need.turn.locale, 'talk.care')} {answer_hand_off(need)}"


def answer_my_certificates(need: Need) -> str:
    """List the student's certificates."""
    locale = need.turn.locale
    if refusal := refusal_of(need, "my_certificates"):
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
        for c in made[:5]
        if c["status"] == "valid"
    ]
    return "\n".join([say(locale, "certificates.list"), *lines])


def answer_contact(need: Need) -> str:
    """Say what holds of messages from now on."""
    locale = need.turn.locale
    tool = need.intent.name
    if refusal := refusal_of(need, tool):
        return refusal
    return say(locale, "contact.stopped" if tool == "stop_contact" else "contact.allowed")
