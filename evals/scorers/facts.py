"""Scores whether facts are told as the database has them."""

from evals.evidence import Evidence
from evals.scenario import Expectations, ExpectedFacts
from evals.score import Score, Verdict, failed, overall, passed, unscored


def grade(expect: Expectations, seen: Evidence) -> Score:
    """Grade every fact asked for; one that the database does not have cannot be graded."""
    scores = [_of_any(wanted, seen) for wanted in expect.contains_fact or ()]
    verdict = overall(score.verdict for score in scores)
    return Score(verdict, "; ".join(s.explanation for s in scores if s.verdict is verdict))


def _of_any(wanted: ExpectedFacts, seen: Evidence) -> Score:
    scores = [_of_one(code, wanted, seen) for code in wanted.codes]
    told = [score for score in scores if score.verdict is Verdict.PASSED]
    if told:
        return told[0]
    return Score(overall(s.verdict for s in scores), " or ".join(s.explanation for s in scores))


def _of_one(code: str, wanted: ExpectedFacts, seen: Evidence) -> Score:
    unknown = [fact for fact in wanted.facts if (code, fact) not in seen.truths]
    if unknown:
        return unscored(f"the database has no {', '.join(unknown)} of {code}")
    text = "\n".join(reply.text for reply in seen.replies)
    untold = [fact for fact in wanted.facts if not seen.truths[code, fact].told_in(text)]
    if untold:
        right = ", ".join(f"{fact} = {seen.truths[code, fact]}" for fact in untold)
        return failed(f"{code}: not told: {right}")
    return passed(f"{code}: {', '.join(wanted.facts)} told")
