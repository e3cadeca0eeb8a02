"""Which tools it takes to meet an advisor: find a time, book it, move it, cancel it."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from agents.llm.offline.lexicon import Lexicon, lexicon
from agents.llm.offline.moments import day_in, hour_in
from agents.llm.offline.need import Call, Need
from agents.llm.offline.reading import rows_of
from agents.llm.offline.text import plain
from agents.strings import say

Item = Mapping[str, Any]

_MODES = ("video", "in_person", "call")
_ORDINALS = ("first", "second", "third")
#: What waits for a time to be chosen, or for who is known to say yes.
_TASKS = frozenset({"pick_slot", "pick_new_slot"})
#: As much of a topic as a mark carries from one turn to the next.
_MOST_TOPIC = 30


@dataclass(frozen=True, slots=True)
class Wish:
    """When and how somebody would like to meet; empty where nothing was said.

    Args:
        start: a time that was settled in an earlier turn, UTC.
    """

    day: date | None = None
    hour: time | None = None
    part_of_day: str = ""
    mode: str = ""
    topic: str = ""
    start: datetime | None = None

    def search(self) -> dict[str, object]:
        """Return the arguments of a search for free times."""
        wanted = {
            "day": self.day.isoformat() if self.day else None,
            "around": self.hour.isoformat("minutes") if self.hour else None,
            "part_of_day": None if self.hour else self.part_of_day,
            "mode": self.mode,
        }
        return {name: value for name, value in wanted.items() if value}

    def mark(self) -> str:
        """Return what a later turn has to know of it."""
        start = f"{self.start:%Y%m%dT%H%MZ}" if self.start else ""
        return f"{start}.{self.mode}.{'-'.join(self.topic.split())[:_MOST_TOPIC].strip('-')}"


def wish_of(need: Need) -> Wish:
    """Return what the new words wish, and what earlier turns left of it."""
    intent, turn = need.intent, need.turn
    lex = lexicon(turn.locale)
    start, mode, topic = _remembered(need)
    text = intent.text
    now = datetime.fromisoformat(turn.now)
    return Wish(
        day=day_in(text, now, lex),
        hour=hour_in(text),
        part_of_day=intent.filters.part_of_day,
        mode=_mode_in(text, lex) or mode,
        topic=_topic_in(need, lex) or topic,
        start=start,
    )


def _remembered(need: Need) -> tuple[datetime | None, str, str]:
    remembered = need.turn.remembered
    if remembered.open_task not in _TASKS or not remembered.subject:
        return None, "", ""
    start, mode, topic = remembered.subject.split(".", 2)
    at = datetime.strptime(start, "%Y%m%dT%H%MZ").replace(tzinfo=UTC) if start else None
    return at, mode, topic.replace("-", " ")


def _mode_in(text: str, lex: Lexicon) -> str:
    return next((mode for mode in _MODES if lex.slots[f"meet_{mode}"].search(text)), "")


def _topic_in(need: Need, lex: Lexicon) -> str:
    # It may stand in a sentence of its own.
    said = plain(" ".join(need.turn.new), lex.spellings)
    found = lex.slots["meeting_topic"].search(said)
    return re.sub(r"[^\w ]", " ", found["topic"]).strip() if found else ""


def free_slots(need: Need) -> list[Item]:
    """Return the free times that were found, those that were asked for if there are any."""
    found = rows_of(need.data("appointment_slots"), "slots")
    return list(found or rows_of(need.data("appointment_slots", "-any"), "slots"))


def chosen_slot(need: Need) -> Item | None:
    """Return the time that is meant; None where the words leave a choice."""
    wish, slots = wish_of(need), free_slots(need)
    lex, text = lexicon(need.turn.locale), need.intent.text
    if wish.start is not None and wish.hour is None and wish.day is None:
        return next((s for s in slots if _start(s) == wish.start), None)
    if need.turn.remembered.open_task in _TASKS and wish.hour is None:
        for place, slot in enumerate(_ORDINALS):
            if lex.slots[slot].search(text) and place < len(slots):
                return slots[place]
    if wish.hour is None:
        return slots[0] if slots and lex.slots["soonest"].search(text) else None
    fitting = [s for s in slots if _fits(s, wish)]
    return fitting[0] if len(fitting) == 1 or (fitting and wish.day) else None


def _fits(slot: Item, wish: Wish) -> bool:
    local = datetime.fromisoformat(str(slot["starts_at"]))
    on_day = wish.day is None or local.date() == wish.day
    return on_day and local.time() == wish.hour


def _start(slot: Item) -> datetime:
    return datetime.fromisoformat(str(slot["starts_at"])).astimezone(UTC)


def mode_for(slot: Item, wish: Wish) -> str:
    """Return how to meet then: as wished where that is possible."""
    modes = [str(mode) for mode in slot["modes"]]
    return wish.mode if wish.mode in modes else modes[0]


def settled(need: Need, slot: Item) -> str:
    """Return the mark by which a chosen time is known again once the student is."""
    wish = wish_of(need)
    return Wish(start=_start(slot), mode=mode_for(slot, wish), topic=wish.topic).mark()


def own_appointments(need: Need) -> list[Item]:
    """Return what the student has booked and not had yet."""
    return list(rows_of(need.data("my_appointments"), "appointments"))


def _slots(need: Need) -> Iterator[Call]:
    wish = wish_of(need)
    search = wish.search()
    if wish.start is not None and wish.day is None and wish.hour is None:
        local = wish.start.astimezone(datetime.fromisoformat(need.turn.now).tzinfo)
        search |= {"day": local.date().isoformat(), "around": local.time().isoformat("minutes")}
    yield need.call("appointment_slots", search)
    found = need.result("appointment_slots")
    if search and found is not None and found.ok and not rows_of(found.data, "slots"):
        yield need.call("appointment_slots", {}, "-any")


def _book(need: Need) -> Iterator[Call]:
    yield from _slots(need)
    slot = chosen_slot(need)
    if slot is not None and need.turn.identity_level == "verified":
        wish = wish_of(need)
        topic = wish.topic if len(wish.topic) > 2 else say(need.turn.locale, "appointment.topic")
        arguments = {"starts_at": slot["starts_at"], "mode": mode_for(slot, wish), "topic": topic}
        yield need.call("book_appointment", arguments)


def _mine(need: Need) -> Iterator[Call]:
    yield need.call("my_appointments", {})


def _move(need: Need) -> Iterator[Call]:
    yield need.call("my_appointments", {})
    booked = own_appointments(need)
    if len(booked) != 1:
        return
    yield from _slots(need)
    slot = chosen_slot(need)
    if slot is not None:
        arguments = {"appointment_id": booked[0]["appointment_id"], "starts_at": slot["starts_at"]}
        yield need.call("move_appointment", arguments)


def appointment_to_cancel(need: Need) -> Item | None:
    """Return the appointment that is meant; None where there is a choice, or none."""
    booked = own_appointments(need)
    now, lex = datetime.fromisoformat(need.turn.now), lexicon(need.turn.locale)
    day = day_in(need.intent.text, now, lex)
    fitting = [b for b in booked if day and str(b["starts_at"]).startswith(day.isoformat())]
    found = fitting or booked
    return found[0] if len(found) == 1 else None


def _cancel(need: Need) -> Iterator[Call]:
    yield need.call("my_appointments", {})
    if (booked := appointment_to_cancel(need)) is not None:
        yield need.call("cancel_appointment", {"appointment_id": booked["appointment_id"]})


APPOINTMENTS: Mapping[str, Callable[[Need], Iterator[Call]]] = {
    "appointment": _book,
    "my_appointments": _mine,
    "move_appointment": _move,
    "cancel_appointment": _cancel,
}
