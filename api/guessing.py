"""Wires the classifier of intents to the embedder that searches use, too."""

import numpy as np
from numpy.typing import NDArray

from agents.llm.offline.guessing import IntentModel, TrainedGuesser
from retrieval.embed.protocol import Embedder
from retrieval.errors import EmbedderUnavailable


def build_guesser(model: IntentModel, embedder: Embedder | None) -> TrainedGuesser | None:
    """Return the classifier, or None where its embedder is not the one that is set."""
    if embedder is None or embedder.id != model.embedder:
        return None

    async def embed(text: str) -> NDArray[np.float32] | None:
        try:
            return await embedder.embed_query(text)
        except EmbedderUnavailable:
            return None

    return TrainedGuesser(model, embed)
