"""The path of a query: normalise, tell its language, find by words and meaning, fuse, judge."""

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from retrieval.confidence import Evidence, coverage_of, estimate_confidence, nearness_of
from retrieval.elsewhere import Elsewhere
from retrieval.embed.cache import VectorCache
from retrieval.embed.protocol import Embedder, Vector
from retrieval.embed.serving import ServingEmbedder
from retrieval.errors import EmbedderUnavailable
from retrieval.fuse import (
    Ranked,
    fuse,
    join_evidence,
    limit_per_document,
    prefer_language,
    shrink_centres,
)
from retrieval.language import Detection, LanguageDetector
from retrieval.models import LANGUAGES, Kind, Language, Mode, SearchResult
from retrieval.stores.protocol import Match, Scope, SearchStore
from retrieval.text import content_words, normalise_query, words_of

_log = logging.getLogger(__name__)

#: Candidates of each way of searching; 50 and 100 rank XQuAD alike, 20 loses one point in Spanish.
_CANDIDATES = 100
#: A course is found once; of a long document several passages may answer.
_CHUNKS_PER_DOCUMENT: dict[Kind, int] = {"course": 1, "knowledge": 3}


@dataclass(frozen=True, slots=True)
class _Found:
    """Candidates in order and the evidence for them; the embedder if vectors took part."""

    ranked: list[Ranked]
    evidence: Evidence
    embedder_id: str | None


class KnowledgeSearch:
    """Searches courses and knowledge in Spanish and English.

    Args:
        embedder: None for search by words alone.
        cache: ready-made vectors of it; they spare the first question a wait.
        serving: tells by whose vectors to search; without it by those of `embedder`.
        fallback_language: of queries too short to tell, where the caller does not know either.
    """

    def __init__(
        self,
        store: SearchStore,
        embedder: Embedder | None,
        *,
        cache: VectorCache | None = None,
        serving: ServingEmbedder | None = None,
        fallback_language: Language = "es",
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._serving = serving
        self._elsewhere: dict[str, Elsewhere] = {}
        if embedder is not None:
            self._elsewhere[embedder.id] = Elsewhere(embedder, cache or VectorCache({}))
        self._detector = LanguageDetector()
        self._fallback = fallback_language

    async def search(
        self,
        query: str,
        *,
        kind: Kind,
        audiences: frozenset[str],
        on: date,
        query_language: Language | None,
        languages: frozenset[Language] | None = None,
        topics: frozenset[str] | None = None,
        slugs: frozenset[str] | None = None,
        limit: int = 5,
    ) -> SearchResult:
        """Find the passages that answer a query, best first.

        It answers without vectors, too: while they are being made and when the embedder fails,
        `mode` is `lexical`.

        Args:
            audiences: whose documents may be shown; nothing else is ever returned.
            on: the reader's day; only what is in force on it is found.
            query_language: the reader's; None if the caller does not know. Of a translated text
                the reader's language is shown. A query that is clearly in the other language is
                looked up as such.
            languages: of the documents; None for all.
            topics: of the documents; None for all.
            slugs: the only documents to search; None for all.
        """
        text = normalise_query(query)
        asked = self._language_of(text, query_language)
        scope = Scope(kind, audiences, on, topics, slugs)
        among = [lang for lang in LANGUAGES if languages is None or lang in languages]
        if not text or not audiences or not among:
            return SearchResult((), 0.0, asked.language, "lexical")
        found = await self._find(scope, text, asked, among)
        best = prefer_language(found.ranked, query_language or asked.language)
        best = limit_per_document(best, _CHUNKS_PER_DOCUMENT[kind])[:limit]
        hits = await self._store.get_hits(scope, {r.candidate.chunk_id: r.score for r in best})
        confidence = estimate_confidence(found.evidence, found.embedder_id) if hits else 0.0
        mode: Mode = "hybrid" if found.embedder_id else "lexical"
        return SearchResult(tuple(hits), confidence, asked.language, mode)

    async def warm_up(self) -> None:
        """Load the embedder now, so that the first question need not wait for it."""
        if (asked := await self._embed("hola")) is not None:
            await self._elsewhere_of(asked.embedder).nearness(asked.vector)

    def _language_of(self, text: str, known: Language | None) -> Detection:
        detected = self._detector.detect(text, fallback=known or self._fallback)
        return Detection(detected.language, certain=detected.certain or known is not None)

    async def _find(
        self, scope: Scope, text: str, asked: Detection, among: Sequence[Language]
    ) -> _Found:
        native = {asked.language} if asked.certain else set(among)
        embedded, by_words = await asyncio.gather(
            self._embed(text), self._find_words(scope, text, among)
        )
        if embedded is not None:
            own = [m for m in by_words if m.language in native]
            found = await self._find_near(
                scope, text, embedded, among=among, native=native, own=own
            )
            if found is not None:
                return found
        ranked = fuse(join_evidence(by_words, [], {}), native)
        return _Found(ranked, Evidence(len(words_of(text)), coverage_of(ranked)), None)

    async def _find_near(
        self,
        scope: Scope,
        text: str,
        embedded: "_Embedded",
        *,
        among: Sequence[Language],
        native: Collection[Language],
        own: Collection[Match],
    ) -> _Found | None:
        """Add meaning to words; None if no chunk has a vector yet."""
        embedder, vector = embedded.embedder, embedded.vector
        near = _NearVector(self._store, scope, vector, embedder.id)
        by_meaning = await near.among(among, also=own)
        if not by_meaning:
            return None
        ranked = fuse(join_evidence(own, by_meaning, await near.centres()), native)
        evidence = Evidence(
            len(words_of(text)),
            coverage_of(ranked),
            nearness_of(by_meaning),
            await self._elsewhere_of(embedder).nearness(vector),
        )
        return _Found(ranked, evidence, embedder.id)

    def _elsewhere_of(self, embedder: Embedder) -> Elsewhere:
        if embedder.id not in self._elsewhere:
            self._elsewhere[embedder.id] = Elsewhere(embedder, VectorCache({}))
        return self._elsewhere[embedder.id]

    async def _embed(self, text: str) -> "_Embedded | None":
        embedder = await self._serving.current() if self._serving else self._embedder
        if embedder is None:
            return None
        try:
            return _Embedded(embedder, await embedder.embed_query(text))
        except EmbedderUnavailable:
            _log.warning("searching by words alone: the embedder fails", exc_info=True)
            return None

    async def _find_words(
        self, scope: Scope, text: str, among: Collection[Language]
    ) -> list[Match]:
        words = content_words(text)
        found = await asyncio.gather(
            *(
                self._store.search_lexical(scope, language, words, limit=_CANDIDATES)
                for language in among
            )
        )
        return [match for own in found for match in own]


@dataclass(frozen=True, slots=True)
class _Embedded:
    """A query's vector and who made it."""

    embedder: Embedder
    vector: Vector


@dataclass(frozen=True, slots=True)
class _NearVector:
    """Looks around the vector of one query."""

    store: SearchStore
    scope: Scope
    vector: Vector
    embedder_id: str

    async def among(
        self, languages: Collection[Language], *, also: Collection[Match]
    ) -> list[Match]:
        """Return the nearest chunks of each language, and those that words have found."""
        found = await asyncio.gather(
            *(
                self.store.search_dense(
                    self.scope,
                    language,
                    self.vector,
                    embedder_id=self.embedder_id,
                    also=[m.chunk_id for m in also if m.language == language],
                    limit=_CANDIDATES,
                )
                for language in languages
            )
        )
        return [match for own in found for match in own]

    async def centres(self) -> dict[Language, float]:
        """Return what to subtract in each language."""
        return shrink_centres(
            await self.store.get_centres(self.scope.kind, self.vector, embedder_id=self.embedder_id)
        )
