"""What a short answer means after the agent has asked for something."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from agents.llm.offline.groups import names_a_group
from agents.llm.offline.intents import Intent, IntentName, Remembered
from agents.llm.offline.lexicon import Lexicon
from agents.llm.offline.moments import hour_in
from agents.llm.offline.text import plain
from agents.llm.offline.topics import filters_of, topic_of
from agents.runtime.guards.input import fold

#: Asked as a question; a yes carries them out.
_OFFERED: Mapping[str, IntentName] = {
    "join_waitlist": "join_waitlist",
    "accept_offer": "accept_offer",
    "enrol": "enrol",
}
#: Groups were listed; the answer names one.
_PICKING: Mapping[str, IntentName] = {"pick_group": "enrol", "pick_new_group": "transfer"}
#: Own courses were listed; the answer names one.
_WHICH: Mapping[str, IntentName] = {"withdraw": "withdraw", "transfer": "transfer"}
#: Free times were listed, or one was settled but for who asks; the answer names one, or agrees.
_TIMES: Mapping[str, IntentName] = {"pick_slot": "appointment", "pick_new_slot": "move_appointment"}
#: Longer answers speak of something else, or of more.
_MOST_WORDS = 9


def resume_task(
    messages: Sequence[str], lex: Lexicon, remembered: Remembered
) -> tuple[Intent, ...]:
    """Return what new messages mean as an answer to what the agent asked; empty if they are none.

    Args:
        remembered: with the task that the agent left open.
    """
    said = " ".join(" ".join(messages).split())
    if "?" in said or len(said.split()) > _MOST_WORDS:
        return ()
    for table, answer in _ANSWERS:
        name = table.get(remembered.open_task)
        if name is not None and (intent := answer(name, said, lex, remembered)):
            return (intent,)
    return ()


def _agreed(name: IntentName, said: str, lex: Lexicon, remembered: Remembered) -> Intent | None:
    short = " ".join(re.sub(r"[^\w ]", " ", fold(said)).split())
    if lex.slots["yes"].match(short) or lex.slots["resume"].match(short):
        # The group that was spoken of stands for the words that had named it.
        group, _, parts = remembered.subject.partition(".")
        text, count = fold(group) or short, int(parts) if parts.isdigit() else 0
        return Intent(name=name, raw=said, text=text, code=remembered.course(), parts=count)
    return None


def _picked(name: IntentName, said: str, lex: Lexicon, remembered: Remembered) -> Intent | None:
    text = plain(said, lex.spellings)
    filters = filters_of(text, lex)
    if not names_a_group(text, filters, lex):
        return None
    return Intent(name=name, raw=said, text=text, filters=filters, code=remembered.course())


def _named(name: IntentName, said: str, lex: Lexicon, remembered: Remembered) -> Intent | None:
    text = plain(said, lex.spellings)
    topic = topic_of(text, lex)
    return Intent(name=name, raw=said, text=text, topic=topic) if topic else None


def _timed(name: IntentName, said: str, lex: Lexicon, remembered: Remembered) -> Intent | None:
    text = plain(said, lex.spellings)
    if remembered.subject[:1].isdigit() and (agreed := _agreed(name, said, lex, remembered)):
        return replace(agreed, text="", code="")
    filters = filters_of(text, lex)
    slots = (
        "first",
        "second",
        "third",
        "soonest",
        "when",
        "today",
        "tomorrow",
        "meet_call",
        "meet_video",
        "meet_in_person",
    )
    if not (
        any(lex.slots[slot].search(text) for slot in slots) or hour_in(text) or filters.part_of_day
    ):
        return None
    return Intent(name=name, raw=said, text=text, filters=filters)


_Answer = Callable[[IntentName, str, Lexicon, Remembered], Intent | None]
_ANSWERS: tuple[tuple[Mapping[str, IntentName], _Answer], ...] = (
    (_OFFERED, _agreed),
    (_PICKING, _picked),
    (_WHICH, _named),
    (_TIMES, _timed),
)


def course_for_task(intents: Sequence[Intent], remembered: Remembered) -> tuple[Intent, ...]:
    """Return the wish to enrol where the agent asked for its course and got one."""
    alone = intents[0] if len(intents) == 1 else None
    if remembered.open_task != "enrol" or alone is None or alone.raw.endswith("?"):
        return tuple(intents)
    if alone.name in {"course_facts", "course_search"} and not alone.facets:
        return (replace(alone, name="enrol"),)
    return tuple(intents)
