"""Orders passages anew by a model that reads each together with the query."""

import asyncio
import importlib.util
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from retrieval.embed.protocol import LocalModel
from retrieval.errors import ModelUnavailable
from retrieval.models import Hit, embedding_text
from retrieval.settings import RetrievalSettings

_log = logging.getLogger(__name__)

_BATCH = 16


class Reranker(Protocol):
    """Has the last word on the order of what was found."""

    @property
    def most(self) -> int:
        """How many passages it looks at."""

    async def rerank(self, query: str, hits: Sequence[Hit]) -> list[Hit]:
        """Return the hits in its order with its scores; as they are where it fails."""


class CrossEncoderReranker(LocalModel):
    """A cross-encoder of the `sentence-transformers` package (the extra `models`).

    Args:
        model: a folder, or a name of the Hugging Face Hub, which is downloaded at the first use;
            `name@revision` pins it.
    """

    #: Each takes a pass through the model.
    most = 20

    def __init__(self, model: str, *, threads: int) -> None:
        super().__init__(threads=threads)
        self._source = model

    async def rerank(self, query: str, hits: Sequence[Hit]) -> list[Hit]:
        """Return the hits in the order of the chance that they answer the query."""
        if not hits:
            return []
        read, rest = hits[: self.most], hits[self.most :]
        try:
            scores = await asyncio.to_thread(self._scores, query, read)
        except ModelUnavailable:
            _log.warning("searching without the reranker: it fails", exc_info=True)
            return list(hits)
        scored = [replace(hit, score=score) for hit, score in zip(read, scores, strict=True)]
        least = min(scores)
        return [
            *sorted(scored, key=lambda hit: -hit.score),
            *(replace(hit, score=min(hit.score, least)) for hit in rest),
        ]

    def _scores(self, query: str, hits: Sequence[Hit]) -> list[float]:
        pairs = [(query, embedding_text(hit.heading_path, hit.text)) for hit in hits]
        return self._with_model(lambda model: _predict(model, pairs))

    def _load(self) -> Any:
        import torch
        from sentence_transformers import CrossEncoder

        torch.set_num_threads(self._threads)
        if Path(self._source).is_dir():
            return CrossEncoder(self._source, local_files_only=True, device="cpu")
        model, _, revision = self._source.partition("@")
        return CrossEncoder(model, revision=revision or None)

    def _failure(self) -> ModelUnavailable:
        return ModelUnavailable("rerank.unavailable", f"{self._source} cannot rerank here.")


def _predict(model: Any, pairs: list[tuple[str, str]]) -> list[float]:
    """Return the chance that each passage answers, whatever the model ends in by itself."""
    import torch

    scores = model.predict(
        pairs,
        batch_size=_BATCH,
        activation_fn=torch.nn.Sigmoid(),
        show_progress_bar=False,
        convert_to_numpy=True,
    )
    return [float(score) for score in scores]


def choose_reranker(settings: RetrievalSettings) -> Reranker | None:
    """Return the reranker that is set, not loaded yet; None, as by default, for none.

    Raises: ModelUnavailable("rerank.model" | "rerank.package"): a setting or a package is missing.
    """
    if settings.reranker == "none":
        return None
    if importlib.util.find_spec("sentence_transformers") is None:
        raise ModelUnavailable(
            "rerank.package", f"ORIENTA_RERANKER={settings.reranker} needs: orienta[models]"
        )
    if not settings.reranking_model:
        raise ModelUnavailable(
            "rerank.model", f"ORIENTA_RERANKER={settings.reranker} needs ORIENTA_RERANKING_MODEL."
        )
    return CrossEncoderReranker(settings.reranking_model, threads=settings.embed_threads)
