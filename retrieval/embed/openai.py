"""Embeddings from any endpoint that speaks OpenAI's protocol."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import httpx
import numpy as np
from pydantic import BaseModel, Field, SecretStr, ValidationError

from retrieval.embed.circuit import Circuit
from retrieval.embed.protocol import Matrix, Vector, normalised
from retrieval.errors import EmbedderUnavailable

BASE_URL = "https://api.openai.com/v1"
_BUSY = 429
_SERVER_FAILS = 500
_FIRST_WAIT_S = 0.5


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is, and what is asked of it.

    Args:
        dimensions: asked for where the model can shorten its vectors; None for all it has.
        batch: texts a request.
    """

    model: str
    base_url: str = BASE_URL
    key: SecretStr | None = None
    dimensions: int | None = None
    batch: int = 64


@dataclass(frozen=True, slots=True)
class Patience:
    """How long somebody waits.

    Args:
        timeout_s: for one answer.
        tries: at most so many.
        longest_wait_s: between two tries; when the server asks for more, it has failed.
    """

    timeout_s: float
    tries: int
    longest_wait_s: float


#: Somebody waits for the answer to a question; without vectors it is answered by words at once.
ASKING = Patience(timeout_s=4.0, tries=2, longest_wait_s=1.0)
FILLING = Patience(timeout_s=60.0, tries=6, longest_wait_s=60.0)


class _Row(BaseModel):
    index: int
    embedding: list[float] = Field(min_length=1)


class _Answer(BaseModel):
    data: list[_Row]


class _Unusable(Exception):
    """An answer that no second try will mend."""


class OpenAIEmbedder:
    """A model behind an endpoint.

    Args:
        sleep: waits between tries.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        asking: Patience = ASKING,
        filling: Patience = FILLING,
        circuit: Circuit | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._endpoint = endpoint
        self._asking = asking
        self._filling = filling
        self._circuit = circuit or Circuit()
        self._sleep = sleep
        self._client: httpx.AsyncClient | None = None
        self._dimensions = endpoint.dimensions

    @cached_property
    def id(self) -> str:
        """Model and size; another endpoint may mean another model by the same name."""
        endpoint = self._endpoint
        elsewhere = hashlib.sha256(endpoint.base_url.rstrip("/").encode()).hexdigest()[:8]
        place = "" if endpoint.base_url.rstrip("/") == BASE_URL else f"-{elsewhere}"
        return f"openai/{endpoint.model}@{endpoint.dimensions or 'full'}{place}"

    async def embed_query(self, text: str) -> Vector:
        """Embed what somebody asks."""
        rows = await self._embed([text], self._asking)
        return np.asarray(rows[0], dtype=np.float32)

    async def embed_passages(self, texts: Sequence[str]) -> Matrix:
        """Embed what is searched, one row a text."""
        if not texts:
            return np.empty((0, self._dimensions or 0), np.float32)
        size = self._endpoint.batch
        batches = [list(texts[i : i + size]) for i in range(0, len(texts), size)]
        return np.concatenate([await self._embed(b, self._filling) for b in batches])

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _embed(self, texts: list[str], patience: Patience) -> Matrix:
        if not self._circuit.may_try():
            raise EmbedderUnavailable("embed.unavailable", f"{self.id} has just failed.")
        try:
            rows = self._rows_of(await self._ask(texts, patience), len(texts))
        except (httpx.HTTPError, httpx.InvalidURL, _Unusable, TimeoutError) as failure:
            self._circuit.failed()
            raise EmbedderUnavailable(
                "embed.unavailable", f"{self.id} does not answer as it should."
            ) from failure
        self._circuit.succeeded()
        return rows

    async def _ask(self, texts: list[str], patience: Patience) -> httpx.Response:
        for left in reversed(range(patience.tries)):
            wait_s = _FIRST_WAIT_S * 2.0 ** (patience.tries - left - 1)
            try:
                answer = await self._post(texts, patience.timeout_s)
            except (httpx.TransportError, TimeoutError):
                if not left:
                    raise
            else:
                if answer.status_code != _BUSY and answer.status_code < _SERVER_FAILS:
                    return answer.raise_for_status()
                wait_s = _retry_after(answer) or wait_s
                if not left or wait_s > patience.longest_wait_s:
                    answer.raise_for_status()
            await self._sleep(min(wait_s, patience.longest_wait_s))
        raise _Unusable("no try was allowed")

    async def _post(self, texts: list[str], timeout_s: float) -> httpx.Response:
        endpoint = self._endpoint
        if self._client is None:
            self._client = httpx.AsyncClient(follow_redirects=False)
        headers = {}
        if endpoint.key is not None:
            headers["Authorization"] = f"Bearer {endpoint.key.get_secret_value()}"
        asked: dict[str, object] = {
            "model": endpoint.model,
            "input": texts,
            "encoding_format": "float",
        }
        if endpoint.dimensions is not None:
            asked["dimensions"] = endpoint.dimensions
        url = f"{endpoint.base_url.rstrip('/')}/embeddings"
        async with asyncio.timeout(timeout_s):  # the client's own is for each piece of an answer
            return await self._client.post(url, json=asked, headers=headers, timeout=timeout_s)

    def _rows_of(self, answer: httpx.Response, count: int) -> Matrix:
        try:
            data = _Answer.model_validate_json(answer.content).data
        except ValidationError as garbage:
            raise _Unusable("no embeddings") from garbage
        if sorted(row.index for row in data) != list(range(count)):
            raise _Unusable("not one embedding a text")
        sizes = {len(row.embedding) for row in data}
        if sizes != {self._dimensions or len(data[0].embedding)}:
            raise _Unusable("embeddings of another size")
        ordered = [row.embedding for row in sorted(data, key=lambda row: row.index)]
        rows = normalised(np.asarray(ordered, dtype=np.float32))
        if not np.isfinite(rows).all():
            raise _Unusable("numbers that are none")
        self._dimensions = rows.shape[1]
        return rows


def _retry_after(answer: httpx.Response) -> float | None:
    """Return how many seconds the server asks to wait; dates are not understood."""
    try:
        return max(0.0, float(answer.headers.get("Retry-After", "")))
    except ValueError:
        return None
