"""What an embedder is, and how a model is loaded late and used by one thread at a time."""

import asyncio
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property
from importlib.metadata import version
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import EmbedderUnavailable, ModelUnavailable

Result = TypeVar("Result")
Vector = NDArray[np.float32]
Matrix = NDArray[np.float32]


class Embedder(Protocol):
    """Turns text into L2-normalised vectors, all of one size: at most 4,000 numbers."""

    @property
    def id(self) -> str:
        """Name and version, `name@version`; stored with every vector."""

    async def embed_query(self, text: str) -> Vector:
        """Embed what somebody asks.

        Raises: EmbedderUnavailable.
        """

    async def embed_passages(self, texts: Sequence[str]) -> Matrix:
        """Embed what is searched, one row a text.

        Raises: EmbedderUnavailable.
        """


class OpenEmbedder(Embedder, Protocol):
    """An embedder with what it holds open."""

    async def aclose(self) -> None:
        """Close it."""


def normalised(rows: Matrix) -> Matrix:
    """Bring every row to length 1."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(norms, 1e-9), dtype=np.float32)


class LocalModel(ABC):
    """A model in this process: loaded at the first use and run by one thread at a time.

    It works in the process that has loaded it only: load it after a fork.
    """

    def __init__(self, *, threads: int) -> None:
        self._threads = threads
        self._lock = threading.Lock()
        self._model: Any = None
        self._pid = 0

    @abstractmethod
    def _load(self) -> Any:
        """Return the model, ready to run."""

    @abstractmethod
    def _failure(self) -> ModelUnavailable:
        """Return what to raise where the model cannot be loaded or fails."""

    def _with_model(self, run: Callable[[Any], Result]) -> Result:
        with self._lock:
            try:
                return run(self._loaded())
            except (ImportError, OSError, RuntimeError, ValueError) as broken:
                raise self._failure() from broken

    def _loaded(self) -> Any:
        if self._model is None:
            self._model, self._pid = self._load(), os.getpid()
        if self._pid != os.getpid():
            # OpenMP's threads are gone in a forked child: running the model there hangs for ever.
            raise RuntimeError("the model was loaded before a fork")
        return self._model


class LocalEmbedder(LocalModel):
    """An embedder in this process.

    The lock is taken per batch, so that a question waits for a short while at most.
    """

    name: ClassVar[str]
    package: ClassVar[str]
    batch: ClassVar[int]

    @cached_property
    def id(self) -> str:
        """Name and version, `name@version`."""
        return f"{self.name}@{version(self.package)}"

    @abstractmethod
    def _encode(self, model: Any, texts: list[str], *, is_query: bool) -> Matrix:
        """Return the normalised vectors of a batch."""

    async def embed_query(self, text: str) -> Vector:
        """Embed what somebody asks."""
        rows = await asyncio.to_thread(self._run, [text], is_query=True)
        return np.asarray(rows[0], dtype=np.float32)

    async def embed_passages(self, texts: Sequence[str]) -> Matrix:
        """Embed what is searched, one row a text."""
        if not texts:
            return np.empty((0, 0), np.float32)
        starts = range(0, len(texts), self.batch)
        batches = [list(texts[i : i + self.batch]) for i in starts]
        rows = [await asyncio.to_thread(self._run, b, is_query=False) for b in batches]
        return np.concatenate(rows)

    async def aclose(self) -> None:
        """Nothing is open: the model goes with the process."""

    def _run(self, texts: list[str], *, is_query: bool) -> Matrix:
        return self._with_model(lambda model: self._encode(model, texts, is_query=is_query))

    def _failure(self) -> EmbedderUnavailable:
        return EmbedderUnavailable("embed.unavailable", f"{self.id} cannot embed here.")
