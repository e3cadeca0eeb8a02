"""Words about meeting an advisor."""

from collections.abc import Mapping

from agents.llm.offline.appointments import (
    appointment_to_cancel,
    chosen_slot,
    free_slots,
    own_appointments,
    settled,
    wish_of,
)
from agents.llm.offline.compose.refusals import refusal_of
from agents.llm.offline.need import Need
from agents.llm.offline.reading import Result, rows_of
from agents.strings import say

_LISTED = 6
_WHY_NOT: Mapping[str, str] = {
    "appointment.taken": "appointment.taken",
    "appointment.notice": "appointment.soon",
    "appointment.past": "appointment.soon",
    "appointment.horizon": "appointment.far",
    "appointment.many": "appointment.many",
    "appointment.begun": "appointment.begun",
    "appointment.closed": "appointment.closed",
    "confirmation.rejected": "enrol.declined",
    "confirmation.expired": "enrol.expired",
}


def answer_appointment(need: Need) -> str:
    """Say what became of the wish to meet, or ask for a time."""
    result = need.result("book_appointment")
    if result is not None:
        return _done(need, result, "appointment.booked")
    slot = chosen_slot(need)
    if slot is not None:
        return say(
            need.turn.locale,
            "appointment.verify",
            moment=slot["starts_at_text"],
            wish=settled(need, slot),
        )
    return _times(need, "appointment.pick", "appointment.instead")


def _times(need: Need, asking: str, instead: str) -> str:
    locale, slots = need.turn.locale, free_slots(need)
    if not slots:
        return say(locale, "appointment.none")
    asked = rows_of(need.data("appointment_slots"), "slots")
    head = say(locale, asking if asked else instead, wish=wish_of(need).mark())
    return "\n".join([head, *(_line(need, slot) for slot in slots[:_LISTED])])


def _line(need: Need, slot: Mapping[str, object]) -> str:
    if wish_of(need).mode:
        return f"- {slot['starts_at_text']}"
    modes = slot["modes"]
    assert isinstance(modes, list), "as the tool returns them"  # noqa: S101
    said = ", ".join(say(need.turn.locale, f"meeting.{mode}") for mode in modes)
    return say(need.turn.locale, "appointment.slot", moment=slot["starts_at_text"], modes=said)


def answer_my_appointments(need: Need) -> str:
    """List what is booked."""
    locale = need.turn.locale
    if refusal := refusal_of(need, "my_appointments"):
        return refusal
    booked = own_appointments(need)
    if not booked:
        return say(locale, "appointment.nothing")
    return "\n".join([say(locale, "appointment.list"), *(_own(need, one) for one in booked)])


def answer_move(need: Need) -> str:
    """Say what became of the wish to meet at another time, or ask for one."""
    if refusal := refusal_of(need, "my_appointments"):
        return refusal
    result = need.result("move_appointment")
    if result is not None:
        return _done(need, result, "appointment.moved")
    booked = own_appointments(need)
    if not booked:
        return say(need.turn.locale, "appointment.nothing")
    if len(booked) > 1:
        return _which(need)
    return _times(need, "appointment.pick_new", "appointment.instead_new")


def answer_cancel(need: Need) -> str:
    """Say what became of the wish not to meet, or ask which."""
    if refusal := refusal_of(need, "my_appointments"):
        return refusal
    result = need.result("cancel_appointment")
    if result is not None:
        return _done(need, result, "appointment.cancelled")
    if not own_appointments(need) or appointment_to_cancel(need) is not None:
        return say(need.turn.locale, "appointment.nothing")
    return _which(need)


def _which(need: Need) -> str:
    head = say(need.turn.locale, "appointment.which")
    return "\n".join([head, *(_own(need, one) for one in own_appointments(need))])


def _own(need: Need, booked: Mapping[str, object]) -> str:
    return say(
        need.turn.locale,
        "appointment.line",
        moment=booked["starts_at_text"],
        mode=say(need.turn.locale, f"meeting.{booked['mode']}"),
        topic=booked["topic"],
    )


def _done(need: Need, result: Result, key: str) -> str:
    locale = need.turn.locale
    if result.ok:
        booked = result.data["appointment"]
        mode = say(locale, f"meeting.{booked['mode']}")
        return say(locale, key, moment=booked["starts_at_text"], mode=mode)
    if result.code.startswith("identity."):
        return say(locale, "talk.verify")
    return say(locale, _WHY_NOT.get(result.code, "enrol.failed"))


ANSWERS = {
    "appointment": answer_appointment,
    "my_appointments": answer_my_appointments,
    "move_appointment": answer_move,
    "cancel_appointment": answer_cancel,
}
