"""Scores what the replies cite."""

from collections.abc import Sequence

from evals.evidence import Evidence
from evals.scenario import Expectations
from evals.score import Score, failed, passed


def grade(expect: Expectations, seen: Evidence) -> Score:
    """Grade the addresses of the citations."""
    said = ", ".join(seen.cites) or "nothing"
    wrong = _cited(expect.cites_none or (), seen.cites)
    if wrong:
        return failed(f"cites {wrong[0]}, which it must not")
    if expect.cites and not _cited(expect.cites, seen.cites):
        return failed(f"cites {said}; wanted one of {', '.join(expect.cites)}")
    missing = [p for p in expect.cites_all or () if not _cited([p], seen.cites)]
    if missing:
        return failed(f"cites {said}; {', '.join(missing)} is missing")
    return passed(f"cites {said}")


def _cited(prefixes: Sequence[str], cites: Sequence[str]) -> list[str]:
    return [url for url in cites if url.startswith(tuple(prefixes))]
