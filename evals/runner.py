"""Runs a suite: one scenario after the other, each graded as soon as it was played."""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from evals.grading import Graded, grade
from evals.results import ScenarioResult, SuiteResult, broken_result, result_of
from evals.scenario import Scenario
from evals.score import failed, unscored
from evals.student import play
from evals.suite import Suite
from evals.world import World

_log = logging.getLogger(__name__)

Watch = Callable[[ScenarioResult], None]


async def run_suite(world: World, suite: Suite, *, provider: str, watch: Watch) -> SuiteResult:
    """Run every scenario of a suite.

    Args:
        provider: who is measured.
        watch: gets each result as it comes.
    """
    started_at, clock = datetime.now(UTC), time.monotonic()
    results: list[ScenarioResult] = []
    for scenario in suite.scenarios:
        results.append(await run_scenario(world, scenario, provider=provider))
        watch(results[-1])
    return SuiteResult(
        suite.name,
        provider,
        started_at.isoformat(timespec="seconds"),
        round(time.monotonic() - clock, 2),
        results,
    )


async def run_scenario(world: World, scenario: Scenario, *, provider: str) -> ScenarioResult:
    """Play and grade one scenario; one that breaks the harness is unscored.

    So is one in which a fallback spoke: it says nothing of who is measured.
    """
    strangers = _strangers(world, scenario)
    if strangers:
        return broken_result(scenario, unscored(f"{strangers[0]} is nobody on file"))
    try:
        played = await play(world, scenario)
    except Exception as error:  # noqa: BLE001 one that breaks must not take the others with it
        _log.exception("scenario %s could not be played", scenario.id)
        return broken_result(scenario, unscored(f"could not be played: {type(error).__name__}"))
    reached = scenario.model_copy(update={"turns": scenario.turns[: len(played.turns)]})
    scores = grade(reached, played.turns, played.whole)
    others = {run.provider for run in played.runs} - {provider}
    if others:
        scores.append(Graded("speaker", None, unscored(f"{', '.join(sorted(others))} spoke")))
    if played.stuck is not None:
        scores.append(Graded("play", len(played.turns) + 1, failed(played.stuck)))
    return result_of(scenario, scores, played.lines, played.runs)


def _strangers(world: World, scenario: Scenario) -> Sequence[str]:
    named = (turn.verify_as for turn in scenario.turns)
    return [email for email in named if email is not None and email not in world.people]
