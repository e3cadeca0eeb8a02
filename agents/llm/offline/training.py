"""Trains the classifier of intents on our own phrases, and the trust in the rules beside it."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.llm.offline.features import Matrix, count_words, learn_scaling
from agents.llm.offline.guessing import IntentModel
from agents.llm.offline.intents import Remembered
from agents.llm.offline.phrases import Phrase, training_phrases
from agents.llm.offline.regression import fit_regression
from agents.llm.offline.understanding import understand
from agents.llm.offline.verdict import evidence_of
from agents.runtime.brief import Guess

EmbedAll = Callable[[str], Awaitable[NDArray[np.float32]]]

#: Of 10, 100 and 1,000 the best on our phrases, a fifth of the lines held out at a time.
STRENGTH = 10.0
#: Parts that the phrases are split into to see how it does on what it has not seen.
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Lesson:
    """Phrases with their vectors."""

    phrases: tuple[Phrase, ...]
    vectors: Matrix

    def only(self, kept: NDArray[np.bool_]) -> "Lesson":
        """Return the phrases that a mask keeps."""
        chosen = tuple(p for p, k in zip(self.phrases, kept, strict=True) if k)
        return Lesson(chosen, self.vectors[kept])


async def read_lesson(embed: EmbedAll, report: Callable[[int, int], None]) -> Lesson:
    """Embed all the phrases.

    Args:
        report: told how many are done, of how many.
    """
    phrases, vectors = training_phrases(), list[NDArray[np.float32]]()
    for done, phrase in enumerate(phrases, 1):
        vectors.append(await embed(phrase.text))
        report(done, len(phrases))
    return Lesson(phrases, np.stack(vectors))


def train_intents(lesson: Lesson, *, embedder: str) -> IntentModel:
    """Return the classifier that fits the phrases.

    Args:
        embedder: id of the embedder that made the vectors.
    """
    labels = tuple(sorted({p.label for p in lesson.phrases}))
    counts = count_words([p.text for p in lesson.phrases])
    scaling = learn_scaling(lesson.vectors, counts)
    wanted = np.array([labels.index(p.label) for p in lesson.phrases])
    rows = scaling.rows(lesson.vectors, counts)
    return IntentModel(
        embedder=embedder,
        labels=labels,
        scaling=scaling,
        regression=fit_regression(rows, wanted, strength=STRENGTH),
        trust=trust_in_rules(lesson.phrases),
    )


def guesses_unseen(lesson: Lesson) -> list[Guess]:
    """Return a guess of each phrase by a classifier that has not seen its line."""
    parts = np.array([p.origin % FOLDS for p in lesson.phrases])
    found: list[Guess | None] = [None] * len(parts)
    for part in range(FOLDS):
        model = train_intents(lesson.only(parts != part), embedder="")
        rest = lesson.only(parts == part)
        guessed = model.guess([p.text for p in rest.phrases], rest.vectors)
        for place, guess in zip(np.flatnonzero(parts == part), guessed, strict=True):
            found[place] = guess
    return [guess for guess in found if guess is not None]


def trust_in_rules(phrases: Sequence[Phrase]) -> dict[str, float]:
    """Return how often each verdict of the rules is right, by what it rests on.

    The rules have never seen the phrases, so that no part of them has to be held out.
    """
    given, right = Counter[str](), Counter[str]()
    for phrase in phrases:
        if not phrase.rough:
            verdict = understand([phrase.text], phrase.locale, Remembered())[0]
            evidence = evidence_of(verdict)
            given[evidence] += 1
            right[evidence] += verdict.name == phrase.label.partition(".")[0]
    # Two phrases more, one of them wrong: a verdict given twice is not beyond doubt.
    return {name: (right[name] + 1) / (given[name] + 2) for name in sorted(given)}
