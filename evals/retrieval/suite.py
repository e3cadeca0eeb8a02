"""Asks all questions of all corpora and gathers the figures."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from evals.retrieval.corpus import (
    article_of,
    has_regulations,
    has_xquad,
    read_norms,
    read_xquad,
)
from evals.retrieval.index import ask_all, open_index
from evals.retrieval.measure import (
    Asked,
    Figure,
    Score,
    figure,
    gain,
    recall_at,
    reciprocal_rank,
    was_refused,
)
from evals.retrieval.question import Question, read_demo, read_regulations
from retrieval.embed.protocol import Embedder
from retrieval.ingest.catalogue import read_institution
from retrieval.models import Document, Hit, Language

INSTITUTION = Path("api/demo/institution")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class RetrievalResult:
    """What the suite came to.

    Args:
        skipped: what was not measured, and why.
    """

    started_at: str
    seconds: float
    embedder: str
    figures: Sequence[Figure]
    skipped: Sequence[str] = field(default_factory=list)

    suite = "retrieval"

    @property
    def good(self) -> bool:
        """Return whether no figure is out of its bounds."""
        return all(f.holds is not False for f in self.figures)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the suite works.

    Args:
        url: of any database of a server that may be used.
        data: the folder of shared data.
    """

    url: str
    embedder: Embedder
    data: Path


async def measure_retrieval(place: Place, say: Say) -> RetrievalResult:
    """Measure whatever there is data for."""
    started_at, clock = datetime.now(UTC), time.monotonic()
    figures: list[Figure] = []
    skipped: list[str] = []
    say("asking about the demo institution")
    figures += await _demo(place)
    if has_regulations(place.data):
        say("asking about the norms")
        figures += await _norms(place)
    else:
        skipped.append(f"norms: there is no {place.data / 'regulations'}; set ORIENTA_DATA")
    if has_xquad(place.data):
        say("asking XQuAD's questions")
        figures += await _xquad(place)
    else:
        skipped.append(f"XQuAD: there is no {place.data / 'retrieval'}; set ORIENTA_DATA")
    seconds = round(time.monotonic() - clock, 1)
    began = started_at.isoformat(timespec="seconds")
    return RetrievalResult(began, seconds, place.embedder.id, figures, skipped)


async def _demo(place: Place) -> list[Figure]:
    documents = list(read_institution(INSTITUTION))
    async with open_index(place.url, place.embedder, documents) as search:
        asked = await ask_all(search, read_demo(), tell_language=True)
    return [
        *_ranks("demo, all", _answerable(asked)),
        *_judged("demo, test half", _half(asked, "test"), refused=0.90, wrongly=0.10),
    ]


async def _norms(place: Place) -> list[Figure]:
    documents = read_norms(place.data)
    async with open_index(place.url, place.embedder, documents) as search:
        asked = await ask_all(search, read_regulations(), name_of=_article)
    figures = _ranks("norms, all", _answerable(asked), at_5=0.90)
    figures += _judged("norms, all", asked, refused=0.90, wrongly=0.08)
    for half in ("tuning", "test"):
        part = _half(asked, half)
        figures.append(figure(f"norms, {half} half", "R@5", _answerable(part), recall_at(5)))
        figures += _judged(f"norms, {half} half", part)
    english = [a for a in _answerable(asked) if a.question.language == "en"]
    spoken = [a for a in _answerable(asked) if a.question.spoken]
    figures.append(figure("norms, asked in English", "R@5", english, recall_at(5)))
    figures.append(figure("norms, as students speak", "R@5", spoken, recall_at(5)))
    return figures


def _article(hit: Hit) -> str:
    return article_of(hit.slug, hit.anchor)


_WITHIN: tuple[tuple[Language, Language, float], ...] = (
    ("es", "es", 0.95),
    ("en", "en", 0.96),
    ("en", "es", 0.88),
    ("es", "en", 0.88),
)


async def _xquad(place: Place) -> list[Figure]:
    xquad = read_xquad(place.data)
    figures: list[Figure] = []
    async with open_index(place.url, place.embedder, xquad.documents) as search:
        for asks, holds, least in _WITHIN:
            questions = [q for q in xquad.questions if q.language == asks]
            asked = await ask_all(search, questions, languages=frozenset({holds}))
            figures += _ranks(f"XQuAD, {asks} → {holds}", asked, at_1=least)
    mixed = [d for d in xquad.documents if d.language == _only_in(d.slug)]
    async with open_index(place.url, place.embedder, mixed) as search:
        asked = await ask_all(search, xquad.questions)
        figures += _ranks("XQuAD, each paragraph in one language", asked, at_1=0.88)
    half = [d for d in xquad.documents if _is_kept(d)]
    async with open_index(place.url, place.embedder, half) as search:
        asked = await ask_all(search, [_without_removed(q) for q in xquad.questions])
        figures += _judged("XQuAD, half of the paragraphs removed", asked)
    return figures


def _only_in(slug: str) -> Language:
    return "es" if int(slug.removeprefix("p")) % 2 else "en"


def _is_kept(document: Document) -> bool:
    return int(document.slug.removeprefix("p")) // 2 % 2 == 0


def _without_removed(question: Question) -> Question:
    number = int(question.group.removeprefix("p"))
    gold = question.gold if number // 2 % 2 == 0 else ()
    return Question(question.text, question.language, gold, question.group, question.half)


def _ranks(
    corpus: str, asked: Sequence[Asked], *, at_1: float | None = None, at_5: float | None = None
) -> list[Figure]:
    scores: list[tuple[str, Score, float | None]] = [
        ("R@1", recall_at(1), at_1),
        ("R@5", recall_at(5), at_5),
        ("MRR@10", reciprocal_rank, None),
        ("nDCG@10", gain, None),
    ]
    return [figure(corpus, name, asked, score, least=least) for name, score, least in scores]


def _judged(
    corpus: str,
    asked: Sequence[Asked],
    *,
    refused: float | None = None,
    wrongly: float | None = None,
) -> list[Figure]:
    answerable = _answerable(asked)
    others = [a for a in asked if not a.question.gold]
    return [
        figure(corpus, "refused, rightly", others, was_refused, least=refused),
        figure(corpus, "refused, wrongly", answerable, was_refused, most=wrongly),
    ]


def _answerable(asked: Sequence[Asked]) -> list[Asked]:
    return [a for a in asked if a.question.gold]


def _half(asked: Sequence[Asked], half: str) -> list[Asked]:
    return [a for a in asked if a.question.half == half]
