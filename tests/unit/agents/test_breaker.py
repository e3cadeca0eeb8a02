"""A circuit opens after failures in a row and lets one call through after the pause."""

from hypothesis import given
from hypothesis import strategies as st

from agents.llm.breaker import Breaker, BreakerRules

RULES = BreakerRules(failures=3, open_s=30.0)


class Hands:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def opened() -> tuple[Breaker, Hands]:
    clock = Hands()
    breaker = Breaker(RULES, clock)
    for _ in range(RULES.failures):
        assert breaker.enter()
        breaker.fail()
    return breaker, clock


def test_circuit_opens_after_failures_in_a_row() -> None:
    breaker, _ = opened()
    assert not breaker.enter()


def test_success_in_between_starts_the_count_again() -> None:
    breaker = Breaker(RULES, Hands())
    for _ in range(5):
        for end in (breaker.fail, breaker.fail, breaker.succeed):
            assert breaker.enter()
            end()


def test_one_call_at_a_time_tries_whether_the_provider_is_back() -> None:
    breaker, clock = opened()
    clock.now += RULES.open_s
    assert breaker.enter()
    assert not breaker.enter()
    breaker.succeed()
    assert breaker.enter()
    assert breaker.enter()


def test_failed_try_keeps_the_circuit_open_for_another_pause() -> None:
    breaker, clock = opened()
    clock.now += RULES.open_s
    assert breaker.enter()
    breaker.fail()
    clock.now += RULES.open_s - 0.1
    assert not breaker.enter()
    clock.now += 0.1
    assert breaker.enter()


def test_try_that_nobody_waited_for_makes_room_for_the_next() -> None:
    breaker, clock = opened()
    clock.now += RULES.open_s
    assert breaker.enter()
    breaker.abandon()
    assert breaker.enter()


@given(st.lists(st.sampled_from(["fail", "succeed", "abandon", "wait"]), max_size=60))
def test_circuit_never_stays_shut_for_ever(steps: list[str]) -> None:
    clock = Hands()
    breaker = Breaker(RULES, clock)
    for step in steps:
        if step == "wait":
            clock.now += 7
        elif breaker.enter():
            getattr(breaker, step)()
    clock.now += RULES.open_s
    assert breaker.enter()
