"""Scenarios run end to end: a real session, real servers, real scores."""

import base64
from collections.abc import AsyncIterator

import pytest

from api.settings import Settings
from evals.results import ScenarioResult
from evals.runner import run_scenario, run_suite
from evals.scenario import Scenario
from evals.score import Verdict
from evals.suite import Suite, load_suite
from evals.world import World, open_world

WANTED = ("price-excel-avanzado", "identity-own-courses-verified", "ticket-accepted")


@pytest.fixture(scope="module")
def scenarios() -> list[Scenario]:
    known = {s.id: s for s in load_suite("support").scenarios}
    return [known[name] for name in WANTED]


@pytest.fixture(scope="module")
async def world(
    database_url: str, redis_url: str, scenarios: list[Scenario]
) -> AsyncIterator[World]:
    settings = Settings(
        _env_file=None,
        database_url=database_url,
        redis_url=redis_url,
        master_key=base64.b64encode(bytes(32)).decode(),
        embedder="none",
    )
    async with open_world(settings, scenarios, report=lambda what, done, total: None) as opened:
        yield opened


async def test_three_scenarios_pass_from_end_to_end(
    world: World, scenarios: list[Scenario]
) -> None:
    seen: list[ScenarioResult] = []
    result = await run_suite(
        world, Suite("trial", tuple(scenarios)), provider="offline", watch=seen.append
    )
    assert {r.id: r.problems for r in result.results} == {name: [] for name in WANTED}
    assert seen == result.results
    assert result.good


async def test_figure_that_the_database_does_not_have_is_not_accepted(
    world: World, scenarios: list[Scenario]
) -> None:
    wrong = scenarios[0].model_dump(exclude_none=True)
    wrong["expect"]["contains_fact"] = [{"course": "DAT-330", "facts": ["price"]}]
    result = await run_scenario(world, Scenario.model_validate(wrong), provider="offline")
    assert result.verdict is Verdict.FAILED
    assert [g.scorer for g in result.problems] == ["facts"]


async def test_ticket_that_was_opened_is_seen_by_who_expects_none(
    world: World, scenarios: list[Scenario]
) -> None:
    wrong = scenarios[2].model_dump(exclude_none=True)
    wrong["expect"]["tickets"] = 0
    result = await run_scenario(world, Scenario.model_validate(wrong), provider="offline")
    assert [g.scorer for g in result.problems] == ["tickets"]


async def test_deciding_on_nothing_fails_the_scenario(world: World) -> None:
    stuck = _scenario(turns=[{"student": "hola"}, {"decide": "accept"}], expect={"language": "es"})
    result = await run_scenario(world, stuck, provider="offline")
    assert result.verdict is Verdict.FAILED
    assert [(g.scorer, g.turn) for g in result.problems] == [("play", 2)]


async def test_stranger_makes_a_scenario_unscored(world: World) -> None:
    unknown = _scenario(
        turns=[{"verify_as": "nobody@correo.example", "student": "hola"}], expect={"language": "es"}
    )
    assert (await run_scenario(world, unknown, provider="offline")).verdict is Verdict.UNSCORED


async def test_silence_ends_what_waits_for_consent(world: World) -> None:
    late = _scenario(
        turns=[
            {"student": "abreme un ticket porfa, no puedo entrar al examen me sale error 500"},
            {"wait_minutes": 20, "student": "gracias"},
        ],
        expect={"tickets": 0, "final_state": {"confirmation": "expired"}},
    )
    assert (await run_scenario(world, late, provider="offline")).problems == []


def _scenario(**parts: object) -> Scenario:
    return Scenario.model_validate({"id": "trial", "family": "trial", "language": "es", **parts})


async def test_scenario_in_which_another_speaks_is_unscored(
    world: World, scenarios: list[Scenario]
) -> None:
    result = await run_scenario(world, scenarios[0], provider="openai")
    assert result.verdict is Verdict.UNSCORED
    assert [(g.scorer, g.score.explanation) for g in result.problems] == [
        ("speaker", "offline spoke")
    ]
