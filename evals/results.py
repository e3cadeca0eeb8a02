"""What a run of a suite came to: verdicts, counts by family and language, times."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from evals.grading import Graded, verdict_of
from evals.scenario import Scenario
from evals.score import Score, Verdict
from evals.views import RunSeen


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """One scenario with its scores and what was said.

    Args:
        lines: the conversation's log.
    """

    id: str
    family: str
    language: str
    verdict: Verdict
    scores: Sequence[Graded]
    lines: Sequence[dict[str, object]] = ()
    runs: Sequence[RunSeen] = ()

    @property
    def problems(self) -> list[Graded]:
        """Return the scores that did not pass."""
        return [g for g in self.scores if g.score.verdict is not Verdict.PASSED]


def result_of(
    scenario: Scenario,
    scores: Sequence[Graded],
    lines: Sequence[dict[str, object]] = (),
    runs: Sequence[RunSeen] = (),
) -> ScenarioResult:
    """Return a scenario's result; the verdict follows from its scores alone."""
    return ScenarioResult(
        scenario.id,
        scenario.family,
        scenario.language,
        verdict_of(list(scores)),
        scores,
        lines,
        runs,
    )


def broken_result(scenario: Scenario, score: Score) -> ScenarioResult:
    """Return the result of a scenario that could not be played."""
    return result_of(scenario, [Graded("play", None, score)])


@dataclass(frozen=True, slots=True)
class Tally:
    """Verdicts of some scenarios."""

    passed: int = 0
    failed: int = 0
    unscored: int = 0

    @property
    def total(self) -> int:
        """Return how many scenarios were run."""
        return self.passed + self.failed + self.unscored

    @property
    def rate(self) -> float:
        """Return the share that passed; what could not be graded did not."""
        return self.passed / self.total if self.total else 0.0


def tally(results: Sequence[ScenarioResult]) -> Tally:
    """Count verdicts."""
    verdicts = [result.verdict for result in results]
    return Tally(*(verdicts.count(v) for v in (Verdict.PASSED, Verdict.FAILED, Verdict.UNSCORED)))


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """A suite's run.

    Args:
        started_at: ISO 8601.
        seconds: from the first scenario's start to the last one's end.
    """

    suite: str
    provider: str
    started_at: str
    seconds: float
    results: Sequence[ScenarioResult] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Return whether there were scenarios and all of them passed."""
        return bool(self.results) and tally(self.results).passed == len(self.results)

    def by(self, key: Callable[[ScenarioResult], str]) -> dict[str, Tally]:
        """Return tallies by any property, sorted by it."""
        groups: dict[str, list[ScenarioResult]] = {}
        for result in self.results:
            groups.setdefault(key(result), []).append(result)
        return {name: tally(groups[name]) for name in sorted(groups)}

    def median_latency_ms(self) -> float:
        """Return the median time of a run; 0 when nothing ran."""
        return median([run.latency_ms for r in self.results for run in r.runs] or [0])
