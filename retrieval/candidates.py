"""Finds the chunks that a query may mean, by words and by meaning."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial

from retrieval.centre import Centring
from retrieval.embed.protocol import Vector
from retrieval.glossary import other_words
from retrieval.language import Detection
from retrieval.models import Language
from retrieval.stores.protocol import Match, Scope, SearchStore
from retrieval.text import content_words

#: Candidates of each way of searching; 50 and 100 rank XQuAD alike, 20 loses one point in Spanish.
_CANDIDATES = 100
#: What a synonym is worth beside the word itself; on the norms .3 to .6 are alike.
_SYNONYMS = 0.4
#: How much less words are worth in a foreign language where all of the query is translated.
_NAMES_UNDERSTOOD = 0.6


@dataclass(frozen=True, slots=True)
class Asked:
    """A query as it is looked up.

    Args:
        text: normalised.
        language: that of the text, and whether the text or the caller says so for certain.
        among: the languages of documents that may be found.
    """

    scope: Scope
    text: str
    language: Detection
    among: Sequence[Language]

    @property
    def native(self) -> frozenset[Language]:
        """Return the languages that the text may be in."""
        return frozenset({self.language.language} if self.language.certain else self.among)


@dataclass(frozen=True, slots=True)
class FoundWords:
    """What was found by words.

    Args:
        understood: how much of the query the glossary knows in other words, 0 to 1.
    """

    matches: list[Match]
    understood: float


async def find_words(store: SearchStore, asked: Asked) -> FoundWords:
    """Find chunks by the query's words and by those that the glossary has for them."""
    found = await asyncio.gather(*(_find_in(store, asked, lang) for lang in asked.among))
    matches = [match for own in found for match in own.matches]
    return FoundWords(matches, max(own.understood for own in found))


async def _find_in(store: SearchStore, asked: Asked, language: Language) -> FoundWords:
    words = content_words(asked.text)
    others = other_words(asked.text, asked.language.language, language)
    own = await store.search_lexical(asked.scope, language, words, limit=_CANDIDATES)
    by_others = (
        await store.search_lexical(asked.scope, language, others.text, limit=_CANDIDATES)
        if others.text
        else []
    )
    if language in asked.native:
        return FoundWords(_joined(own, by_others, _with_synonyms), others.share)
    join = partial(_with_translation, share=others.share)
    return FoundWords(_joined(own, by_others, join), others.share)


#: BM25 and coverage.
_Score = tuple[float, float]


def _with_synonyms(words: _Score, synonyms: _Score) -> _Score:
    """Add what synonyms say of the part of the query that its own words leave open."""
    worth = _SYNONYMS * (1 - words[1])
    return words[0] + worth * synonyms[0], words[1] + worth * synonyms[1]


def _with_translation(names: _Score, translation: _Score, *, share: float) -> _Score:
    score = (1 - _NAMES_UNDERSTOOD * share) * names[0] + translation[0]
    return score, share * translation[1] + (1 - share) * names[1]


def _joined(
    words: Sequence[Match], others: Sequence[Match], join: Callable[[_Score, _Score], _Score]
) -> list[Match]:
    """Make one match of what the query's own words and others say about a chunk."""
    by_words, by_others = ({m.chunk_id: m for m in found} for found in (words, others))
    joined = []
    for chunk_id, match in {**by_others, **by_words}.items():
        score, coverage = join(_score(by_words.get(chunk_id)), _score(by_others.get(chunk_id)))
        joined.append(replace(match, score=score, coverage=coverage))
    return joined


def _score(match: Match | None) -> _Score:
    return (match.score, match.coverage) if match else (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class NearVector:
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

    async def centring(self) -> Centring:
        """Return how nearness is made comparable between languages."""
        return Centring(
            await self.store.get_centres(self.scope.kind, self.vector, embedder_id=self.embedder_id)
        )
