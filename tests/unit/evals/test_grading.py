"""A scenario's verdict follows from all of its scores, and unscored is never passed."""

import pytest

from evals.evidence import Evidence, Reply
from evals.grading import grade, verdict_of
from evals.results import SuiteResult, broken_result, result_of, tally
from evals.scenario import Scenario
from evals.score import Verdict, overall, unscored

PASSED, FAILED, UNSCORED = Verdict.PASSED, Verdict.FAILED, Verdict.UNSCORED


def _scenario(**more: object) -> Scenario:
    return Scenario.model_validate(
        {
            "id": "one",
            "family": "greetings",
            "language": "es",
            "turns": [{"student": "hola", "expect": {"contains_any": ["hola"]}}, {"student": "ya"}],
            **more,
        }
    )


def _seen(text: str) -> Evidence:
    return Evidence(replies=(Reply(text),), runs=("completed",))


@pytest.mark.parametrize(
    ("verdicts", "whole"),
    [
        ([PASSED, PASSED], PASSED),
        ([PASSED, UNSCORED], UNSCORED),
        ([UNSCORED, FAILED], FAILED),
        ([PASSED, FAILED], FAILED),
        ([], UNSCORED),
    ],
)
def test_whole_passes_only_if_every_part_was_graded_and_passed(
    verdicts: list[Verdict], whole: Verdict
) -> None:
    assert overall(verdicts) is whole


def test_turns_are_graded_over_what_happened_in_them_alone() -> None:
    scores = grade(_scenario(), [_seen("adiós"), _seen("hola")], _seen("adiós hola"))
    assert verdict_of(scores) is FAILED
    assert {(g.turn, g.scorer) for g in scores if g.score.verdict is FAILED} == {(1, "phrases")}


def test_whole_conversation_is_graded_beside_its_turns() -> None:
    scenario = _scenario(expect={"max_words": 1})
    scores = grade(scenario, [_seen("hola"), _seen("ya")], _seen("hola ya"))
    assert {(g.turn, g.scorer) for g in scores if g.score.verdict is FAILED} == {(None, "length")}


def test_unscored_scenario_counts_as_not_passed() -> None:
    scenario = _scenario()
    good = result_of(scenario, grade(scenario, [_seen("hola"), _seen("ya")], _seen("hola")))
    broken = broken_result(scenario, unscored("the database is away"))
    assert (good.verdict, broken.verdict) == (PASSED, UNSCORED)
    counts = tally([good, broken])
    assert (counts.passed, counts.failed, counts.unscored, counts.rate) == (1, 0, 1, 0.5)
    assert SuiteResult("s", "offline", "", 0.0, [good]).good
    assert not SuiteResult("s", "offline", "", 0.0, [good, broken]).good


def test_empty_run_is_not_good() -> None:
    assert not SuiteResult("s", "offline", "", 0.0, []).good


def test_results_are_counted_by_family() -> None:
    scenario = _scenario()
    other = _scenario(family="tickets")
    results = [
        result_of(scenario, grade(scenario, [_seen("hola"), _seen("ya")], _seen("hola"))),
        broken_result(other, unscored("x")),
    ]
    found = SuiteResult("s", "offline", "", 0.0, results).by(lambda r: r.family)
    assert {name: (t.passed, t.total) for name, t in found.items()} == {
        "greetings": (1, 1),
        "tickets": (0, 1),
    }
