"""Which group of a course a student means."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agents.llm.offline.compose.groups import is_at
from agents.llm.offline.intents import Filters, Intent
from agents.llm.offline.lexicon import Lexicon
from agents.llm.offline.reading import rows_of
from agents.runtime.guards.input import fold

Item = Mapping[str, Any]

_CODE = re.compile(r"\b([a-z]{3}-\d{3}-[a-z0-9]{1,8})\b")
_ORDINALS = ("first", "second", "third")


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of a course to come.

    Args:
        open: one can enrol in them, soonest first.
        full: enrolment is open, and no seat is left.
    """

    open: tuple[Item, ...]
    full: tuple[Item, ...]

    def without(self, code: str) -> "Groups":
        """Return the groups but one."""
        return Groups(
            tuple(g for g in self.open if g["code"] != code),
            tuple(g for g in self.full if g["code"] != code),
        )


def groups_of(detail: Item, now: str) -> Groups:
    """Return a course's groups, as `get_course` tells them.

    Args:
        now: ISO 8601.
    """
    running = [
        g
        for g in rows_of(detail, "cohorts")
        if g["status"] == "open" and str(g["enrolment_closes"]) >= now[:10]
    ]
    return Groups(
        tuple(g for g in running if g["seats_left"] > 0),
        tuple(g for g in running if g["seats_left"] == 0),
    )


def names_a_group(text: str, filters: Filters, lex: Lexicon) -> bool:
    """Return whether the words may say which group: a day, a month, an hour, a place in a list."""
    said = any(lex.slots[slot].search(text) for slot in (*_ORDINALS, "soonest", "when"))
    return said or bool(_CODE.search(text)) or replace(filters, level="") != Filters()


def pick(groups: Sequence[Item], intent: Intent, lex: Lexicon, *, listed: bool) -> Item | None:
    """Return the group that is meant; None where the words leave a choice.

    Args:
        listed: the groups were listed before, so that "the second" means one of them.
    """
    text = intent.text
    named = _CODE.search(text)
    if named:
        return next((g for g in groups if fold(str(g["code"])) == named[1]), None)
    if listed:
        for place, slot in enumerate(_ORDINALS):
            if lex.slots[slot].search(text):
                return groups[place] if place < len(groups) else None
    fitting = [g for g in groups if is_at(g, intent.filters) and _is_on(g, text, lex)]
    soonest = lex.slots["soonest"].search(text) or lex.slots["first"].search(text)
    if len(fitting) == 1 or (fitting and soonest):
        return fitting[0]
    return None


def _is_on(group: Item, text: str, lex: Lexicon) -> bool:
    """Return whether a group meets on the days, or starts in the month, that the words name."""
    told = fold(f"{group['starts_on_text']} {group['schedule']}")
    return all(found.group().rstrip("s") in told for found in lex.slots["when"].finditer(text))
