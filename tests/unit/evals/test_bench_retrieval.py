"""Made-up passages lie as real ones do, and what is nearest is told by comparing all of them."""

from __future__ import annotations

from datetime import date

import numpy as np

from evals.bench.retrieval.corpus import Corpus
from evals.bench.retrieval.passages import TOPICS, Passages, make_up
from evals.bench.retrieval.questions import truly_nearest

DIMENSIONS = 64
TEXTS = ["la beca cubre la matrícula", "la fecha de la matrícula es en marzo"]


def real_vectors() -> np.ndarray:
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(40, DIMENSIONS)) * 0.4 + 1
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def made(count: int, seed: int = 1) -> Passages:
    return make_up("es", count, texts=TEXTS, vectors=real_vectors(), seed=seed)


def test_the_same_seed_makes_the_same_passages() -> None:
    one, same, other = made(50), made(50), made(50, seed=2)
    assert one.texts == same.texts
    assert np.array_equal(one.vectors, same.vectors)
    assert other.texts != one.texts


def test_passages_are_normalised_spread_and_filtered_as_asked() -> None:
    passages = made(4_000)
    assert np.allclose(np.linalg.norm(passages.vectors, axis=1), 1, atol=1e-5)
    shares = {topic: passages.topics.count(topic) / 4_000 for topic in TOPICS}
    assert all(abs(shares[t] - share) < 0.01 for t, share in TOPICS.items())
    real = real_vectors()
    assert abs((passages.vectors @ real.T).mean() - (real @ real.T).mean()) < 0.05
    assert len({tuple(row) for row in passages.vectors.round(3).tolist()}) == 4_000


def test_common_words_are_common_and_most_are_rare() -> None:
    words = " ".join(made(500).texts).split()
    counts = sorted((words.count(w) for w in set(words)), reverse=True)
    assert counts[0] > 50 * counts[len(counts) // 2]


def test_the_truly_nearest_are_those_of_the_topic_and_language_only() -> None:
    passages = made(300)
    ids = [1_000 + n for n in range(300)]
    corpus = Corpus("x@1", {"es": passages}, {"es": ids}, date(2026, 1, 1))
    asked = passages.vectors[:3]
    (first, second, third) = truly_nearest(corpus, "es", asked, topic=None, most=1)
    assert (first, second, third) == ({1_000}, {1_001}, {1_002})
    some = truly_nearest(corpus, "es", asked, topic="some", most=5)
    allowed = {i for i, t in zip(ids, passages.topics, strict=True) if t == "some"}
    assert all(found <= allowed and len(found) == 5 for found in some)
