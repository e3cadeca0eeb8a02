"""What the suite `retrieval` measures, and the questions it asks."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from evals.retrieval.corpus import article_of
from evals.retrieval.measure import (
    Asked,
    Figure,
    figure,
    gain,
    interval,
    recall_at,
    reciprocal_rank,
    was_refused,
)
from evals.retrieval.question import Question, read_demo, read_regulations
from evals.retrieval.suite import RetrievalResult
from evals.retrieval.vectors import KeptVectors
from evals.suite import SuiteInvalid, list_suites
from retrieval.embed.cache import VectorCache
from retrieval.embed.protocol import Matrix, Vector


def _asked(*found: str, gold: tuple[str, ...] = ("a",), answered: bool = True) -> Asked:
    question = Question("?", "es", gold, group="g", half="test")
    return Asked(question, found, answered, 0.5, 0.01)


def test_scores_follow_the_place_of_the_first_right_one() -> None:
    asked = _asked("x", "a", "b")
    assert (recall_at(1)(asked), recall_at(2)(asked)) == (0.0, 1.0)
    assert reciprocal_rank(asked) == 0.5
    assert gain(_asked("a")) == 1.0
    assert gain(_asked("x", "a")) == pytest.approx(1 / np.log2(3))
    assert gain(_asked("a", "b", gold=("a", "b"))) == 1.0


def test_what_stands_below_the_tenth_place_is_not_found() -> None:
    asked = _asked(*"bcdefghijk", "a")
    assert asked.rank is None
    assert reciprocal_rank(asked) == gain(asked) == 0.0


def test_figure_is_held_to_its_bounds() -> None:
    half = [_asked("a"), _asked("b")]
    assert figure("c", "R@1", half, recall_at(1), least=0.5).holds
    assert figure("c", "R@1", half, recall_at(1), least=0.6).holds is False
    assert figure("c", "refused", [_asked(answered=False)], was_refused, most=0.5).holds is False
    assert figure("c", "R@1", half, recall_at(1)).holds is None
    with pytest.raises(ValueError, match="nothing was asked"):
        figure("c", "R@1", [], recall_at(1))


def test_interval_is_wider_where_questions_hang_together() -> None:
    scores = [1.0, 1.0, 0.0, 0.0] * 20
    apart = interval(scores, [str(n) for n in range(80)])
    together = interval(scores, [str(n // 20) for n in range(80)])
    low, high = interval([1.0, 1.0, 0.0, 0.0] * 20, [str(n % 4) for n in range(80)])
    assert apart[0] < 0.5 < apart[1]
    assert high - low > apart[1] - apart[0] > together[1] - together[0]


def test_one_figure_below_its_bound_makes_the_run_bad() -> None:
    good = Figure("c", "R@1", 0.9, 0.8, 1.0, 10, least=0.9)
    bad = Figure("c", "R@1", 0.89, 0.8, 1.0, 10, least=0.9)
    now = datetime.now(UTC).isoformat()
    assert RetrievalResult(now, 1.0, "e", [good]).good
    assert not RetrievalResult(now, 1.0, "e", [good, bad]).good


def test_questions_about_the_norms_are_as_many_and_as_mixed_as_they_must_be() -> None:
    questions = read_regulations()
    answerable = [q for q in questions if q.gold]
    assert len(questions) >= 120
    assert sum(q.language == "en" for q in questions) * 3 >= len(questions)
    assert sum(q.spoken for q in questions) * 3 >= len(questions)
    assert (len(questions) - len(answerable)) * 6 >= len(questions)
    halves = {half: {q.group for q in questions if q.half == half} for half in ("tuning", "test")}
    assert halves["tuning"].isdisjoint(halves["test"])
    assert min(len(groups) for groups in halves.values()) * 3 >= len(answerable) / 2


def test_question_that_cites_an_unknown_norm_does_not_load(tmp_path: Path) -> None:
    path = tmp_path / "q.yaml"
    path.write_text("norms: {a: B}\nquestions: [{lang: es, q: '?', gold: ['c:1']}]", "utf-8")
    with pytest.raises(SuiteInvalid, match="unknown norm"):
        read_regulations(path)


def test_demo_has_questions_with_and_without_an_answer() -> None:
    questions = read_demo()
    assert {q.kind for q in questions} == {"knowledge", "course"}
    assert {bool(q.gold) for q in questions if q.half == "test"} == {True, False}


def test_measured_suites_are_none_of_scenarios() -> None:
    assert "retrieval" not in list_suites()


@pytest.mark.parametrize(
    ("anchor", "article"),
    [
        ("articulo-12-objeto", "n:12"),
        ("articulo-1", "n:1"),
        ("articulo-unico-objeto", ""),
        ("disposicion-final-primera", ""),
        ("preambulo", ""),
    ],
)
def test_passage_is_named_after_its_article(anchor: str, article: str) -> None:
    assert article_of("n", anchor) == article


class _Counting:
    id = "counting@1"
    dimensions = 2

    def __init__(self) -> None:
        self.embedded: list[str] = []

    async def embed_query(self, text: str) -> Vector:
        return (await self.embed_passages([text]))[0]

    async def embed_passages(self, texts: list[str]) -> Matrix:  # type: ignore[override]
        self.embedded += texts
        return np.array([[len(t), 1.0] for t in texts], np.float32).reshape(-1, 2)


async def test_no_text_is_embedded_twice_even_in_a_later_run(tmp_path: Path) -> None:
    embedder = _Counting()
    kept = KeptVectors(embedder, tmp_path, ready=VectorCache({}))  # type: ignore[arg-type]
    await kept.embed_passages(["one", "three"])
    await kept.embed_query("one")
    kept.save()
    later = KeptVectors(embedder, tmp_path, ready=VectorCache({}))  # type: ignore[arg-type]
    rows = await later.embed_passages(["three", "one", "new"])
    await later.embed_query("one")
    assert rows.tolist() == [[5.0, 1.0], [3.0, 1.0], [3.0, 1.0]]
    assert embedder.embedded == ["one", "three", "one", "new"]
