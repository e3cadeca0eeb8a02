"""Guesses what words want where no rule is certain: the trained classifier of intents."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from agents.llm.offline.features import Matrix, Scaling, count_words
from agents.llm.offline.regression import Regression
from agents.runtime.brief import Guess

#: Made by `orienta train intents`.
WEIGHTS = Path(__file__).parent / "weights.npz"

EmbedQuery = Callable[[str], Awaitable[NDArray[np.float32] | None]]
"""The vector of a question, or None while the embedder is not to be had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentModel:
    """The classifier with what it was trained for.

    Args:
        embedder: id of the embedder whose vectors it takes; another's mean nothing to it.
        trust: how often a verdict of the rules is right, by what it rests on.
    """

    embedder: str
    labels: tuple[str, ...]
    scaling: Scaling
    regression: Regression
    trust: Mapping[str, float]

    def guess(self, texts: Sequence[str], vectors: Matrix) -> list[Guess]:
        """Return the likeliest label of each text.

        Args:
            vectors: of the texts, by the embedder that it was trained with.
        """
        rows = self.scaling.rows(vectors, count_words(texts))
        likely = self.regression.probabilities(rows)
        best = likely.argmax(axis=1)
        return [Guess(self.labels[b], float(p[b])) for b, p in zip(best, likely, strict=True)]

    def save(self, path: Path) -> None:
        """Write it in half precision, which changes no decision and halves the file."""
        with path.open("wb") as file:
            np.savez_compressed(
                file,
                embedder=np.array(self.embedder),
                labels=np.array(self.labels),
                centre=self.scaling.centre,
                rarity=self.scaling.rarity.astype(np.float16),
                weights=self.regression.weights.astype(np.float16),
                trusted=np.array(list(self.trust)),
                trust=np.array(list(self.trust.values()), np.float32),
            )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` has written."""
        with np.load(path, allow_pickle=False) as kept:
            trust = zip(kept["trusted"].tolist(), kept["trust"].tolist(), strict=True)
            return cls(
                embedder=str(kept["embedder"]),
                labels=tuple(kept["labels"].tolist()),
                scaling=Scaling(kept["centre"], kept["rarity"].astype(np.float32)),
                regression=Regression(kept["weights"].astype(np.float32)),
                trust=dict(trust),
            )


@cache
def intent_model() -> IntentModel:
    """Return the classifier that is shipped."""
    return IntentModel.load(WEIGHTS)


class TrainedGuesser:
    """The classifier with the embedder that it was trained with."""

    def __init__(self, model: IntentModel, embed: EmbedQuery) -> None:
        self._model = model
        self._embed = embed

    async def guess(self, texts: Sequence[str]) -> dict[str, Guess]:
        """Return a guess by text, none while the embedder is not to be had."""
        vectors = [await self._embed(text) for text in texts]
        known = [(t, v) for t, v in zip(texts, vectors, strict=True) if v is not None]
        if not known:
            return {}
        said = [text for text, _ in known]
        return dict(
            zip(said, self._model.guess(said, np.stack([v for _, v in known])), strict=True)
        )
