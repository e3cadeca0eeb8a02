"""The path of a query: normalise, tell its language, find by words and meaning, fuse, judge."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from retrieval.candidates import Asked, FoundWords, NearVector, find_words
from retrieval.centre import Centring
from retrieval.confidence import Evidence, estimate_confidence, gather_evidence
from retrieval.elsewhere import Elsewhere
from retrieval.embed.cache import VectorCache
from retrieval.embed.protocol import Embedder, Vector
from retrieval.embed.serving import ServingEmbedder
from retrieval.errors import EmbedderUnavailable
from retrieval.fuse import Ranked, fuse, join_evidence, limit_repeats, prefer_language
from retrieval.language import Detection, LanguageDetector
from retrieval.models import LANGUAGES, Hit, Kind, Language, Mode, SearchResult
from retrieval.repeats import drop_repeats
from retrieval.rerank import Reranker
from retrieval.stores.protocol import Scope, SearchStore
from retrieval.text import normalise_query

_log = logging.getLogger(__name__)

#: So many more passages are read than are wanted: some may repeat others.
_SPARE = 5


@dataclass(frozen=True, slots=True)
class _Found:
    """Candidates in order and the evidence for them; the embedder if vectors took part."""

    ranked: list[Ranked]
    evidence: list[Evidence]
    embedder_id: str | None


class KnowledgeSearch:
    """Searches courses and knowledge in Spanish and English.

    Args:
        embedder: None for search by words alone.
        cache: ready-made vectors of it; they spare the first question a wait.
        serving: tells by whose vectors to search; without it by those of `embedder`.
        reranker: reads query and passage together, and has the last word on their order.
        fallback_language: of queries too short to tell, where the caller does not know either.
    """

    def __init__(
        self,
        store: SearchStore,
        embedder: Embedder | None,
        *,
        cache: VectorCache | None = None,
        serving: ServingEmbedder | None = None,
        reranker: Reranker | None = None,
        fallback_language: Language = "es",
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._serving = serving
        self._reranker = reranker
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
        language = self._language_of(text, query_language)
        among = [lang for lang in LANGUAGES if languages is None or lang in languages]
        asked = Asked(Scope(kind, audiences, on, topics, slugs), text, language, among)
        if not text or not audiences or not among:
            return SearchResult((), 0.0, language.language, "lexical")
        found = await self._find(asked)
        best = prefer_language(found.ranked, query_language or language.language)
        hits = await self._read(asked, best, limit=limit)
        confidence = estimate_confidence(found.evidence, found.embedder_id) if hits else 0.0
        mode: Mode = "hybrid" if found.embedder_id else "lexical"
        return SearchResult(tuple(hits), confidence, language.language, mode)

    async def _read(self, asked: Asked, ranked: Sequence[Ranked], *, limit: int) -> list[Hit]:
        """Return the best passages, each saying something new; of a course, one."""
        is_course = asked.scope.kind == "course"
        best = limit_repeats(ranked, whole_documents=is_course)
        most = max(limit + _SPARE, self._reranker.most if self._reranker else 0)
        scores = {r.candidate.chunk_id: r.score for r in best[:most]}
        hits = await self._store.get_hits(asked.scope, scores)
        if self._reranker is not None:
            hits = await self._reranker.rerank(asked.text, hits)
        return hits[:limit] if is_course else drop_repeats(hits, limit=limit)

    async def warm_up(self) -> None:
        """Load the embedder now, so that the first question need not wait for it."""
        if (asked := await self._embed("hola")) is not None:
            await self._elsewhere_of(asked.embedder).nearness(asked.vector)

    def _language_of(self, text: str, known: Language | None) -> Detection:
        detected = self._detector.detect(text, fallback=known or self._fallback)
        return Detection(detected.language, certain=detected.certain or known is not None)

    async def _find(self, asked: Asked) -> _Found:
        embedded, by_words = await asyncio.gather(
            self._embed(asked.text), find_words(self._store, asked)
        )
        if embedded is not None:
            found = await self._find_near(asked, embedded, by_words)
            if found is not None:
                return found
        ids = [m.chunk_id for m in by_words.matches]
        traits = await self._store.get_traits(ids, embedder_id=None)
        joined = join_evidence(by_words.matches, [], centring=Centring({}), traits=traits)
        ranked = fuse(joined, asked.native, understood=by_words.understood)
        return _Found(ranked, gather_evidence(asked, ranked), None)

    async def _find_near(
        self, asked: Asked, embedded: "_Embedded", by_words: FoundWords
    ) -> _Found | None:
        """Add meaning to words; None if no chunk has a vector yet."""
        near = NearVector(self._store, asked.scope, embedded.vector, embedded.embedder.id)
        by_meaning = await near.among(asked.among, also=by_words.matches)
        if not by_meaning:
            return None
        ids = {m.chunk_id for m in (*by_words.matches, *by_meaning)}
        joined = join_evidence(
            by_words.matches,
            by_meaning,
            centring=await near.centring(),
            traits=await self._store.get_traits(ids, embedder_id=embedded.embedder.id),
        )
        ranked = fuse(joined, asked.native, understood=by_words.understood)
        elsewhere = await self._elsewhere_of(embedded.embedder).nearness(embedded.vector)
        evidence = gather_evidence(asked, ranked, near=by_meaning, elsewhere=elsewhere)
        return _Found(ranked, evidence, embedded.embedder.id)

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


@dataclass(frozen=True, slots=True)
class _Embedded:
    """A query's vector and who made it."""

    embedder: Embedder
    vector: Vector
