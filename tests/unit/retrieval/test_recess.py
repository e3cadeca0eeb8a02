"""A server that fails is left alone, for longer each time, and tried by one at a time."""

from __future__ import annotations

import pytest

from retrieval.stores.recess import FIRST_S, LONGEST_S, Recess


class Wall:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def recess(wall: Wall) -> Recess:
    return Recess(wall)


def test_a_server_that_answers_is_asked(recess: Recess) -> None:
    assert all(recess.may_ask() for _ in range(3))
    assert recess.succeed() is False
    assert recess.reason is None


def test_after_a_failure_nobody_asks_for_a_while(recess: Recess, wall: Wall) -> None:
    assert recess.fail("down") is True
    assert (recess.may_ask(), recess.reason) == (False, "down")
    wall.now += FIRST_S - 0.1
    assert not recess.may_ask()


def test_then_one_tries_while_the_others_go_on_without(recess: Recess, wall: Wall) -> None:
    recess.fail("down")
    wall.now += FIRST_S
    assert [recess.may_ask() for _ in range(3)] == [True, False, False]


def test_one_that_never_tells_how_its_try_ended_leaves_the_next_to_another(
    recess: Recess, wall: Wall
) -> None:
    recess.fail("down")
    wall.now += FIRST_S
    assert recess.may_ask()
    wall.now += FIRST_S
    assert recess.may_ask()


def test_each_try_that_fails_doubles_the_recess_up_to_a_limit(recess: Recess, wall: Wall) -> None:
    recess.fail("down")
    lengths = []
    for _ in range(8):
        began = wall.now
        while not recess.may_ask():
            wall.now += 1
        lengths.append(wall.now - began)
        recess.fail("down")
    assert lengths == [5, 10, 20, 40, 60, 60, 60, 60]
    assert lengths[-1] == LONGEST_S


def test_a_burst_of_failures_counts_once(recess: Recess, wall: Wall) -> None:
    assert [recess.fail("down") for _ in range(20)] == [True, *[False] * 19]
    wall.now += FIRST_S
    assert recess.may_ask()


def test_an_answer_ends_it(recess: Recess, wall: Wall) -> None:
    recess.fail("down")
    wall.now += FIRST_S
    assert recess.may_ask()
    assert recess.succeed() is True
    assert all(recess.may_ask() for _ in range(3))
    recess.fail("down")
    wall.now += FIRST_S
    assert recess.may_ask()
