"""Fuses what was found by words and by meaning into one order, whatever the store."""

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from retrieval.centre import Centring
from retrieval.models import Language
from retrieval.stores.protocol import Match, Trait

#: What words are worth in the query's language. On XQuAD, R@1 with .2/.3/.35/.4: Spanish .953/.957/
#: .960/.953, English .957/.962/.964/.962; on the demo .25 to .45 are alike.
_WORDS = 0.35
#: … and in the other: names and figures are spelt alike, and a glossary knows more. On XQuAD, from
#: Spanish to English, R@1 with 0/.1/.15/.2: .877/.888/.895/.891; on the norms, asked in English,
#: R@5 with 0/.2/.35/.5: .59/.76/.81/.86.
_NAMES = 0.15
_TRANSLATION = 0.6
#: How much of that is left where there are texts in the query's own language, too: with all of it
#: "¿cuándo me dan mi certificado?" found what English courses ask for; on the demo R@1 .864 → .875.
_BESIDE_NATIVE = 0.5
#: Where no chunk holds this share of a query, its words are worth less: what then matches best is
#: no better than the rest.
_FULL_COVERAGE = 0.3
#: The shares of a chunk's nearness that come from the best chunks of its section and of its
#: document: on the norms R@5 rises from .872 to .883, on the demo R@1 from .875 to .886.
_SECTION_SHARE = 0.4
_DOCUMENT_SHARE = 0.15
_BEST_CHUNKS = 3
_WITHOUT_HEADING = 3
_PER_SECTION = 1
#: What words are worth in a language that is not the query's, where vectors say nothing.
_FOREIGN_WORDS = 0.5
#: A text in the reader's language that scores this much less than its translation lacks the answer.
_TRANSLATION_GAP = 0.4


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk with the evidence for it.

    Args:
        section: the anchor of its heading.
        dense: nearness as seen from the language's centre; None without a vector.
        words: BM25; None if its words did not match or were not looked at.
        coverage: the share of the query that its words cover.
    """

    chunk_id: int
    document_id: str
    slug: str
    language: Language
    section: str = ""
    dense: float | None = None
    words: float | None = None
    coverage: float = 0.0


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate and its fused score, 0 to 1."""

    candidate: Candidate
    score: float


def join_evidence(
    lexical: Iterable[Match],
    dense: Iterable[Match],
    *,
    centring: Centring,
    traits: Mapping[int, Trait],
) -> list[Candidate]:
    """Bring what both ways of searching say about a chunk together."""
    by_words = {m.chunk_id: m for m in lexical}
    by_meaning = {m.chunk_id: m for m in dense}
    candidates = []
    for chunk_id, match in {**by_words, **by_meaning}.items():
        words, near = by_words.get(chunk_id), by_meaning.get(chunk_id)
        trait = traits.get(chunk_id, Trait(""))
        candidates.append(
            Candidate(
                chunk_id,
                match.document_id,
                match.slug,
                match.language,
                trait.section,
                dense=centring.score(match.language, near.score, trait.products) if near else None,
                words=words.score if words else None,
                coverage=words.coverage if words else 0.0,
            )
        )
    return candidates


def fuse(
    candidates: Sequence[Candidate], native: Collection[Language], *, understood: float = 0.0
) -> list[Ranked]:
    """Order candidates by meaning and words, each scaled to 0..1.

    Within the query's languages both are summed. In another one words only put the chunks of that
    language in order: how near they are stays what decides between languages, as words that happen
    to be spelt alike are no reason to prefer a language. A chunk without a vector is judged by its
    words alone.

    Args:
        native: the languages the query may be in.
        understood: how much of the query a glossary has put into the other language, 0 to 1.
    """
    near = _scaled(_blended(candidates))
    scores = [0.0] * len(candidates)
    if any(c.language in native for c in candidates):
        understood *= _BESIDE_NATIVE
    for own in (True, False):
        places = [n for n, c in enumerate(candidates) if (c.language in native) == own]
        side = [candidates[n] for n in places]
        weight = _WORDS if own else _NAMES + understood * (_TRANSLATION - _NAMES)
        judged = _judged(side, [near[n] for n in places], weight=weight, native=own)
        for n, score in zip(places, judged, strict=True):
            scores[n] = score
    ranked = [Ranked(c, score) for c, score in zip(candidates, scores, strict=True)]
    return sorted(ranked, key=lambda r: (-r.score, r.candidate.chunk_id))


def _judged(
    side: Sequence[Candidate], near: Sequence[float | None], *, weight: float, native: bool
) -> list[float]:
    """Return the scores of the candidates of one side."""
    words, coverage = _matching(side)
    weight *= min(1.0, coverage / _FULL_COVERAGE)
    fused = [
        None if n is None else (1 - weight) * n + weight * w
        for n, w in zip(near, words, strict=True)
    ]
    if not native:
        fused = _in_order_of(fused, [n for n in near if n is not None])
    alone = 1.0 if native else _FOREIGN_WORDS
    return [w * alone if f is None else f for f, w in zip(fused, words, strict=True)]


def _matching(side: Sequence[Candidate]) -> tuple[list[float], float]:
    """Return how well each one's words match, best is 1, and the largest coverage."""
    best = max((c.words for c in side if c.words is not None), default=0.0)
    coverage = max((c.coverage for c in side), default=0.0)
    if not best:
        return [0.0] * len(side), 0.0
    if not coverage:
        return [(c.words or 0.0) / best for c in side], 0.0
    return [((c.words or 0.0) / best + c.coverage / coverage) / 2 for c in side], coverage


def _in_order_of(fused: Sequence[float | None], values: Sequence[float]) -> list[float | None]:
    """Give the values out anew, the best one to whom the fused score puts first."""
    places = sorted(
        (n for n, score in enumerate(fused) if score is not None), key=lambda n: -(fused[n] or 0.0)
    )
    given = dict(zip(places, sorted(values, reverse=True), strict=True))
    return [given.get(n) for n in range(len(fused))]


def _blended(candidates: Sequence[Candidate]) -> list[float | None]:
    """Return each chunk's nearness, drawn towards that of its section and of its document."""
    near = [c.dense for c in candidates]
    near = _drawn(near, [c.document_id for c in candidates], _DOCUMENT_SHARE)
    return _drawn(near, [(c.document_id, c.section) for c in candidates], _SECTION_SHARE)


def _drawn(
    near: Sequence[float | None], groups: Sequence[Hashable], share: float
) -> list[float | None]:
    by_group: dict[Hashable, list[float]] = {}
    for value, group in zip(near, groups, strict=True):
        if value is not None:
            by_group.setdefault(group, []).append(value)
    best = {g: sorted(v, reverse=True)[:_BEST_CHUNKS] for g, v in by_group.items()}
    whole = {g: sum(v) / len(v) for g, v in best.items()}
    return [
        None if value is None else (1 - share) * value + share * whole[group]
        for value, group in zip(near, groups, strict=True)
    ]


def _scaled(values: Sequence[float | None]) -> list[float | None]:
    known = [v for v in values if v is not None]
    if not known:
        return list(values)
    low, span = min(known), max(known) - min(known)
    return [None if v is None else (v - low) / span if span > 0 else 1.0 for v in values]


def prefer_language(ranked: Sequence[Ranked], language: Language) -> list[Ranked]:
    """Put the text in the reader's language in the place of its translation.

    Where a slug was found in both languages and the reader's is not far behind, its best chunk
    gets the better score of the two and the translation's chunks go.
    """
    own, foreign = (_best_scores(ranked, language, native=native) for native in (True, False))
    replaced = {
        slug for slug, score in own.items() if score >= foreign.get(slug, 0.0) - _TRANSLATION_GAP
    }
    kept: list[Ranked] = []
    raised: set[str] = set()
    for r in ranked:
        slug = r.candidate.slug
        if r.candidate.language != language:
            kept += [] if slug in replaced else [r]
        elif slug in replaced and slug not in raised:
            raised.add(slug)
            kept.append(Ranked(r.candidate, max(r.score, foreign.get(slug, 0.0))))
        else:
            kept.append(r)
    return sorted(kept, key=lambda r: (-r.score, r.candidate.chunk_id))


def _best_scores(ranked: Sequence[Ranked], language: Language, *, native: bool) -> dict[str, float]:
    best: dict[str, float] = {}
    for r in ranked:
        if (r.candidate.language == language) == native:
            best[r.candidate.slug] = max(best.get(r.candidate.slug, 0.0), r.score)
    return best


def limit_repeats(ranked: Sequence[Ranked], *, whole_documents: bool) -> list[Ranked]:
    """Keep the best chunk of each section, or of each document: the rest comes along with it.

    Text that stands under no heading may be long, so several of its chunks are kept.
    """
    seen: Counter[tuple[str, str]] = Counter()
    kept = []
    for r in ranked:
        section = "" if whole_documents else r.candidate.section
        place = (r.candidate.document_id, section)
        seen[place] += 1
        if seen[place] <= (1 if whole_documents else _PER_SECTION if section else _WITHOUT_HEADING):
            kept.append(r)
    return kept
