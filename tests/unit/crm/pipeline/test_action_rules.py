"""What may be suggested, in which order, and to whom nothing is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import RuleBroken
from crm.ids import PersonId, new_id
from crm.pipeline.actions.models import (
    CAPACITY,
    HOLD_OUT_PERCENT,
    ActionKind,
    Reason,
    check_draft,
    check_room,
    hash_call,
    is_held_out,
    priority_of,
    strongest,
)


def test_about_a_tenth_of_people_is_held_out_ever_after() -> None:
    people = [PersonId(new_id()) for _ in range(5_000)]
    held = sum(map(is_held_out, people))

    assert held == sum(map(is_held_out, people))
    assert abs(held / 50 - HOLD_OUT_PERCENT) < 2


@given(st.integers(0, 100), st.integers(0, 10**9))
def test_who_waits_comes_first(score: int, value_minor: int) -> None:
    kinds: list[ActionKind] = ["send_template", "call", "reply", "take_over"]
    ranks = [priority_of(kind, score=score, value_minor=value_minor) for kind in kinds]

    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)
    assert priority_of("call", score=score, value_minor=value_minor * 2 + 1) >= ranks[1]


@pytest.mark.parametrize("kind", ["call", "send_template", "offer_cohort"])
def test_nobody_is_pestered_or_buried(kind: ActionKind) -> None:
    check_room(kind, open_of_staff=CAPACITY - 1, reached_since_rest=0)
    with pytest.raises(RuleBroken, match=r"action\.frequency"):
        check_room(kind, open_of_staff=0, reached_since_rest=1)
    with pytest.raises(RuleBroken, match=r"action\.capacity"):
        check_room(kind, open_of_staff=CAPACITY, reached_since_rest=0)


def test_who_asked_is_answered_whatever_else_there_is() -> None:
    check_room("reply", open_of_staff=1_000, reached_since_rest=5)


def test_message_needs_words() -> None:
    assert check_draft("call", " ") == ""
    for draft in ("", " ", "x" * 2_001):
        with pytest.raises(RuleBroken, match=r"action\.draft"):
            check_draft("reply", draft)


def test_call_is_known_by_all_that_is_shown() -> None:
    shown = hash_call("write_to_lead", {"text": "a"}, "a")

    assert shown == hash_call("write_to_lead", {"text": "a"}, "a")
    assert shown != hash_call("write_to_lead", {"text": "b"}, "a")
    assert shown != hash_call("plan_task", {"text": "a"}, "a")


def test_strongest_reasons_are_told() -> None:
    parts = [Reason("a", 1), Reason("b", -9), Reason("c", 0), Reason("d", 4), Reason("e", 2)]

    assert [part.feature for part in strongest(parts)] == ["b", "d", "e"]
