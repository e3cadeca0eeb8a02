"""Measures understanding: our held-out utterances, and the same method on what is not ours."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from agents.llm.offline.guessing import intent_model
from api.guessing import build_guesser
from crm.errors import NotFound
from evals.intents.public import Labelled, compare, load_banking, load_ucuenca
from evals.intents.utterances import LOCALES, OUTSIDE, Routed, load_utterances, route
from evals.retrieval.measure import Figure, interval
from evals.retrieval.vectors import KeptVectors
from evals.settings import EvalSettings
from retrieval.embed.cache import VectorCache
from retrieval.embed.choice import choose_embedder
from retrieval.settings import RetrievalSettings

_VECTORS = Path("eval-intents")
#: What words alone reach on all of each set: TF-IDF with logistic regression of scikit-learn.
_PEERS: tuple[tuple[Callable[[Path], Labelled], float], ...] = (
    (load_banking, 0.913),
    (load_ucuenca, 0.850),
)

Say = Callable[[str], None]


def measure_intents(say: Say) -> tuple[Figure, ...]:
    """Measure with the embedder that is set; public data only where it is there.

    Raises: NotFound("embed.none").
    """
    settings = EvalSettings()
    embedder = choose_embedder(RetrievalSettings())
    if embedder is None:
        raise NotFound("embed.none", "Intents are measured with an embedder; none is set.")
    kept = KeptVectors(embedder, settings.home / _VECTORS, ready=VectorCache({}))
    try:
        return asyncio.run(_measure(kept, settings.data, say))
    finally:
        kept.save()


async def _measure(embedder: KeptVectors, data: Path, say: Say) -> tuple[Figure, ...]:
    guesser = build_guesser(intent_model(), embedder)
    if guesser is None:
        say(f"the classifier was not trained for {embedder.id}: the rules are measured alone")
    ruled = [await route(u, None) for u in load_utterances()]
    routed = [await route(u, guesser) for u in load_utterances()]
    for line in _by_label(routed):
        say(line)
    return (*_ours(ruled, routed), *await _public(embedder, data, say))


def _ours(ruled: Sequence[Routed], routed: Sequence[Routed]) -> list[Figure]:
    inside = [float(r.outside) for r in routed if r.utterance.label != OUTSIDE]
    outside = [float(r.outside) for r in routed if r.utterance.label == OUTSIDE]
    return [
        _figure("rules alone", "routed right", [float(r.right) for r in ruled]),
        *(_in_language(routed, locale) for locale in LOCALES),
        _figure("utterances", "routed right", [float(r.right) for r in routed], least=0.90),
        _figure("utterances", "out of scope, recognised", outside, least=0.90),
        _figure("utterances", "ours, declined", inside, most=0.05),
    ]


def _in_language(routed: Sequence[Routed], locale: str) -> Figure:
    scores = [float(r.right) for r in routed if r.utterance.locale == locale]
    return _figure(f"utterances {locale}", "routed right", scores, least=0.90)


def _by_label(routed: Sequence[Routed]) -> list[str]:
    """Return how each label fares, without a word of what was said."""
    labels = sorted({r.utterance.label for r in routed})
    own = {label: [r.right for r in routed if r.utterance.label == label] for label in labels}
    return [f"{label}: {sum(right)} of {len(right)}" for label, right in own.items()]


async def _public(embedder: KeptVectors, data: Path, say: Say) -> list[Figure]:
    found: list[Figure] = []
    for load, peer in _PEERS:
        try:
            phrases = load(data)
        except NotFound as missing:
            say(f"skipped: {missing.safe_message}")
            continue
        say(f"{phrases.name}: {len(phrases.texts)} phrases")
        result = await compare(phrases, embedder)
        found += [
            _figure(phrases.name, "words alone", result.words.astype(float).tolist()),
            _figure(phrases.name, "ours", result.ours.astype(float).tolist(), least=peer),
        ]
    return found


def _figure(
    corpus: str,
    name: str,
    scores: list[float],
    *,
    least: float | None = None,
    most: float | None = None,
) -> Figure:
    low, high = interval(scores, list(map(str, range(len(scores)))))
    mean = float(np.mean(scores))
    return Figure(corpus, name, mean, low, high, len(scores), least=least, most=most)
