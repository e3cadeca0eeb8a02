"""The sandbox's mischief follows from its seed, and ends."""

from hypothesis import given, settings
from hypothesis import strategies as st

from crm.payments.gateways.sandbox.behaviour import STUBBORN_TRIES, Behaviour

PERCENT = st.integers(0, 100)
BEHAVIOURS = st.builds(
    Behaviour,
    seed=st.integers(0, 99),
    refuse_percent=PERCENT,
    lose_percent=PERCENT,
    duplicate_percent=PERCENT,
    drop_percent=PERCENT,
    delay_max_s=st.integers(0, 60),
    reorder=st.booleans(),
)


def said(behaviour: Behaviour, name: str) -> tuple[object, ...]:
    return (
        [behaviour.refuses(name, n) for n in range(1, 9)],
        [behaviour.loses(name, n) for n in range(1, 9)],
        behaviour.drops(name),
        behaviour.copies(name),
        behaviour.delay(name, 0),
        behaviour.rank(name, 0, in_order=1),
    )


@settings(derandomize=True)
@given(BEHAVIOURS, st.text(max_size=20))
def test_same_seed_gives_the_same_mischief(behaviour: Behaviour, name: str) -> None:
    assert said(behaviour, name) == said(behaviour, name)


@settings(derandomize=True)
@given(BEHAVIOURS, st.text(max_size=20))
def test_every_call_gets_through_in_the_end(behaviour: Behaviour, name: str) -> None:
    assert not behaviour.refuses(name, STUBBORN_TRIES + 1)
    assert not behaviour.loses(name, STUBBORN_TRIES + 1)
    assert 1 <= behaviour.copies(name) <= 3
    assert 0 <= behaviour.delay(name, 0).total_seconds() <= behaviour.delay_max_s


def test_percentages_are_about_what_they_say() -> None:
    behaviour = Behaviour(drop_percent=20, duplicate_percent=30)
    names = [f"co_{n}:completed" for n in range(2_000)]
    assert 340 < sum(behaviour.drops(n) for n in names) < 460
    assert 520 < sum(behaviour.copies(n) > 1 for n in names) < 680


def test_good_behaviour_is_the_default() -> None:
    good = Behaviour()
    assert not any(good.refuses("x", 1) or good.loses("x", 1) or good.drops(f"{n}") for n in "abcd")
    assert good.rank("b", 0, in_order=5) == 5
