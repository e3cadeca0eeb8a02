"""The same questions to us and to the peers, by turns."""

import asyncio
from collections.abc import Callable, Sequence

from evals.bench.figure import Figure
from evals.bench.retrieval import peers
from evals.bench.retrieval.corpus import Corpus, Pool
from evals.bench.retrieval.measures import MOST, Ask, Effort, time_questions
from evals.bench.retrieval.questions import Question, scope_of
from evals.bench.turn.subject import Servers
from retrieval.stores.pgvector import PgVectorStore

Say = Callable[[str], None]


async def measure_beside(
    servers: Servers,
    pool: Pool,
    corpus: Corpus,
    questions: Sequence[Question],
    *,
    effort: Effort,
    say: Say,
) -> list[Figure]:
    """Look for the ten best passages by words and by vectors; peers that are not there are said."""
    index, scope = PgVectorStore(pool), scope_of(None, corpus)
    asked = questions[: effort.peer_questions]
    figures: list[Figure] = []
    if _is_there(peers.BM25, say):
        answer = await asyncio.to_thread(peers.haystack_bm25, corpus)
        ours: Ask = lambda q: index.search_lexical(scope, q.language, q.text, limit=MOST)  # noqa: E731
        figures.append(await _compare("by words", peers.BM25, ours, answer, asked))
    if _is_there(peers.VECTORS, say):
        ours = lambda q: index.search_dense(  # noqa: E731
            scope, q.language, q.vector, embedder_id=corpus.embedder_id, also=(), limit=MOST
        )
        with peers.langchain_pgvector(corpus, servers.peer_url) as answer:
            figures.append(await _compare("by vectors", peers.VECTORS, ours, answer, asked))
    return figures


def _is_there(peer: str, say: Say) -> bool:
    if peers.is_installed(peer):
        say(f"filling {peer}")
        return True
    say(f"{peer} is not installed, so not compared: {peers.INSTALL}")
    return False


async def _compare(
    what: str, peer: str, ours: Ask, answer: peers.Answer, asked: Sequence[Question]
) -> Figure:
    async def theirs(question: Question) -> None:
        await asyncio.to_thread(answer, question)

    times = await time_questions({"ours": ours, "theirs": theirs}, asked, repeats=1)
    return Figure(
        part="retrieval",
        name=f"{MOST} best {what}, p50",
        unit="ms",
        value=times["ours"].p50,
        aim=1.0,
        peer=peer,
        peer_value=times["theirs"].p50,
    )
