"""Who is next: never somebody unfit, always the least busy, the same whatever the order."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from crm.ids import StaffId
from crm.pipeline.assignment.rules import Candidate, choose

LANGUAGES, AREAS = ("es", "en"), ("datos", "diseño", "salud")
MAX = 5


def candidate(number: int, **facts: object) -> Candidate:
    somebody = Candidate(
        staff_id=StaffId(UUID(int=number)),
        languages=frozenset(LANGUAGES),
        areas=frozenset(),
        load=0,
        turn=0,
    )
    return replace(somebody, **facts)  # type: ignore[arg-type]


def teams(busiest: int = MAX + 1) -> st.SearchStrategy[list[Candidate]]:
    """Advisors with an id each."""
    one = st.builds(
        candidate,
        st.integers(1, 40),
        languages=st.frozensets(st.sampled_from(LANGUAGES)),
        areas=st.frozensets(st.sampled_from(AREAS)),
        load=st.integers(0, busiest),
        turn=st.integers(0, 9),
    )
    return st.lists(one, max_size=8, unique_by=lambda c: c.staff_id)


@settings(derandomize=True, max_examples=300)
@given(teams(), st.sampled_from(LANGUAGES), st.sampled_from((None, *AREAS)))
def test_least_busy_of_the_fit_is_chosen(
    team: list[Candidate], language: str, area: str | None
) -> None:
    fit = {
        c.staff_id: c
        for c in team
        if language in c.languages
        and c.load < MAX
        and (area is None or not c.areas or area in c.areas)
    }

    chosen = choose(team, language=language, area=area, max_load=MAX)

    if chosen is None:
        assert not fit
        return
    one = fit[chosen]
    assert all((one.load, one.turn) <= (c.load, c.turn) for c in fit.values())


@settings(derandomize=True)
@given(teams(), st.randoms(use_true_random=False))
def test_order_of_the_list_does_not_matter(team: list[Candidate], dice: random.Random) -> None:
    shuffled = dice.sample(team, len(team))

    assert choose(team, language="es", area=None) == choose(shuffled, language="es", area=None)


@settings(derandomize=True)
@given(st.integers(1, 7), st.integers(0, 40))
def test_everybody_gets_as_many_as_the_others(advisors: int, leads: int) -> None:
    team = {c.staff_id: c for c in (candidate(n) for n in range(1, advisors + 1))}
    given_to: Counter[StaffId] = Counter()

    for turn in range(1, leads + 1):
        chosen = choose(team.values(), language="es", area="datos", max_load=100)
        assert chosen is not None
        given_to[chosen] += 1
        team[chosen] = replace(team[chosen], load=team[chosen].load + 1, turn=turn)

    shares = [given_to[staff_id] for staff_id in team]
    assert max(shares) - min(shares) <= 1


def test_of_equally_busy_ones_whoever_waited_longest_is_next() -> None:
    team = [candidate(1, turn=7), candidate(2, turn=3), candidate(3, turn=5)]

    assert choose(team, language="es", area=None) == team[1].staff_id
