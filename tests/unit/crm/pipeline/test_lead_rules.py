"""The table of stages: what may follow what, and what has to be said."""

from __future__ import annotations

from itertools import pairwise
from typing import get_args

import pytest

from crm.errors import RuleBroken
from crm.pipeline.activities.models import is_contact, plain_facts
from crm.pipeline.models import (
    FORWARD,
    TRANSITIONS,
    Stage,
    check_interest,
    check_reason,
    check_transition,
    way_to_enrolled,
)

STAGES: tuple[Stage, ...] = get_args(Stage)
LEGAL = {
    *pairwise(FORWARD),
    *((stage, "lost") for stage in FORWARD[:-1]),
    ("lost", "inquiry"),
    ("lost", "lead"),
}


@pytest.mark.parametrize("before", STAGES)
@pytest.mark.parametrize("after", STAGES)
def test_exactly_the_legal_moves_pass(before: Stage, after: Stage) -> None:
    if (before, after) in LEGAL:
        check_transition(before, after)
        return
    with pytest.raises(RuleBroken, match=r"lead\.transition"):
        check_transition(before, after)


def test_every_stage_is_in_the_table() -> None:
    assert TRANSITIONS.keys() == set(STAGES)


@pytest.mark.parametrize("stage", FORWARD)
def test_way_to_enrolled_is_legal(stage: Stage) -> None:
    steps = (stage, *way_to_enrolled(stage))

    for before, after in pairwise(steps):
        check_transition(before, after)
    assert steps[-1] == "enrolled"


def test_reason_belongs_to_the_lost_only() -> None:
    check_reason("lost", "price")
    check_reason("lead", None)
    with pytest.raises(RuleBroken, match=r"lead\.reason"):
        check_reason("lost", None)
    with pytest.raises(RuleBroken, match=r"lead\.reason"):
        check_reason("lead", "price")


def test_interest_is_in_one_thing() -> None:
    check_interest("A", None)
    check_interest(None, None)
    with pytest.raises(RuleBroken, match=r"lead\.interest"):
        check_interest("A", "B")


def test_contact_is_what_the_institution_does() -> None:
    assert is_contact("call", "out")
    assert not is_contact("call", "in")
    assert not is_contact("note", "out")


@pytest.mark.parametrize("about", [{"a": {"b": 1}}, {"a": [1]}, {"a": 1.5}, {"text": "x" * 9_000}])
def test_facts_are_short_and_flat(about: dict[str, object]) -> None:
    with pytest.raises(RuleBroken, match=r"activity\.about"):
        plain_facts(about)
