"""Asks for what is there: sentences of the demo's own documents, and what is truly nearest."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evals.bench.retrieval.corpus import AUDIENCE, Corpus, real_chunks
from evals.bench.retrieval.passages import Floats
from retrieval.embed.protocol import Embedder, Matrix, Vector
from retrieval.models import LANGUAGES, Language
from retrieval.stores.protocol import Scope

_MOST_WORDS = 12


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and its vector."""

    text: str
    language: Language
    vector: Vector


class Prepared:
    """An embedder that knows the questions' vectors: what is left is the search itself."""

    def __init__(self, embedder_id: str, questions: Sequence[Question]) -> None:
        self.id = embedder_id
        self._vectors = {q.text: q.vector for q in questions}

    async def embed_query(self, text: str) -> Vector:
        """Return the vector of a question."""
        return self._vectors[text]

    async def embed_passages(self, texts: Sequence[str]) -> Matrix:
        """Return a row a text: for the judgement of confidence, which is not timed."""
        any_vector = next(iter(self._vectors.values()))
        return np.stack([any_vector for _ in texts])


async def ask_for(embedder: Embedder, count: int) -> list[Question]:
    """Return so many questions, in both languages by turns."""
    chunks = real_chunks()
    asked = []
    for n in range(count):
        language = LANGUAGES[n % len(LANGUAGES)]
        own = chunks[language]
        chunk = own[n * len(own) // count]
        words = f"{' '.join(chunk.heading_path[-1:])} {chunk.text}".split()[:_MOST_WORDS]
        text = " ".join(words)
        asked.append(Question(text, language, await embedder.embed_query(text)))
    return asked


def scope_of(topic: str | None, corpus: Corpus) -> Scope:
    """Return the scope of all passages, or of those of a topic."""
    topics = None if topic is None else frozenset({topic})
    return Scope("knowledge", frozenset({AUDIENCE}), corpus.day, topics=topics)


def truly_nearest(
    corpus: Corpus, language: Language, vectors: Floats, *, topic: str | None, most: int
) -> list[set[int]]:
    """Return the ids of the chunks nearest to each vector, by comparing all of them.

    In the precision in which they are stored: what is measured is what the search leaves out.
    """
    passages, ids = corpus.passages[language], np.array(corpus.ids[language])
    allowed = np.array([topic is None or t == topic for t in passages.topics])
    stored = passages.vectors[allowed].astype(np.float16).astype(np.float32)
    asked = vectors.astype(np.float16).astype(np.float32)
    order = np.argsort(-(asked @ stored.T), axis=1)[:, :most]
    return [set(ids[allowed][row].tolist()) for row in order]
