"""Makes passages up: texts with words as rare as real ones, vectors that lie as real ones do."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.models import Language
from retrieval.text import words_of

Floats = NDArray[np.float32]

#: Topics and the shares of the passages that they hold; the rest has none.
TOPICS = {"rare": 0.005, "some": 0.05}
_INVENTED_WORDS = 40_000
_SYLLABLES = "ba ce di fo gu la me ni po ru sa te vi xo yu tra ple cri dro flu".split()
_WORDS = (30, 120)
#: A passage takes most of its meaning from one real text and the rest from two others; the noise
#: has the spread of the real ones. The nearest of 200 such neighbours has a cosine of about .95,
#: any two about .81, as in the shipped vectors (.93 and .81).
_MIX = (0.62, 0.22, 0.16)
_NOISE = 0.45


@dataclass(frozen=True, slots=True)
class Passages:
    """Passages of one language.

    Args:
        vectors: one row a passage, of length 1.
        topics: by passage; empty for none.
    """

    language: Language
    texts: list[str]
    vectors: Floats
    topics: list[str]


def make_up(
    language: Language, count: int, *, texts: Sequence[str], vectors: Floats, seed: int
) -> Passages:
    """Make passages up from the real texts of a language and their vectors."""
    rng = np.random.default_rng(seed)
    topics = rng.choice(
        [*TOPICS, ""], size=count, p=[*TOPICS.values(), 1 - sum(TOPICS.values())]
    ).tolist()
    return Passages(language, _write(rng, count, texts), _spread(rng, count, vectors), topics)


def _spread(rng: np.random.Generator, count: int, real: Floats) -> Floats:
    chosen = rng.integers(0, len(real), size=(count, len(_MIX)))
    mixed = np.einsum("j,ijk->ik", np.array(_MIX, np.float32), real[chosen])
    centred = real - real.mean(axis=0)
    weights = rng.normal(scale=1 / np.sqrt(len(real)), size=(count, len(real)))
    noisy = mixed + _NOISE * (weights.astype(np.float32) @ centred)
    return np.asarray(noisy / np.linalg.norm(noisy, axis=1, keepdims=True), np.float32)


def _write(rng: np.random.Generator, count: int, texts: Sequence[str]) -> list[str]:
    """Write passages in words of the texts, as often as they occur there, and in invented ones.

    Invented words are the long tail that a large corpus has: names, numbers, terms of one subject.
    """
    words = _vocabulary(rng, texts)
    shares = 1 / np.arange(2, len(words) + 2) ** 1.05
    lengths = rng.integers(*_WORDS, size=count)
    drawn = iter(rng.choice(len(words), size=int(lengths.sum()), p=shares / shares.sum()).tolist())
    return [" ".join(words[next(drawn)] for _ in range(length)) for length in lengths.tolist()]


def _vocabulary(rng: np.random.Generator, texts: Sequence[str]) -> list[str]:
    counts: dict[str, int] = {}
    for text in texts:
        for word in words_of(text):
            counts[word] = counts.get(word, 0) + 1
    real = sorted(counts, key=lambda word: (-counts[word], word))
    syllables = rng.integers(0, len(_SYLLABLES), size=(_INVENTED_WORDS, 4)).tolist()
    return real + ["".join(_SYLLABLES[s] for s in word) for word in syllables]
