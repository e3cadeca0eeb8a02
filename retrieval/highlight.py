"""Marks in a passage which words a query asked for, and which sentence says most of them."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from retrieval.glossary import other_words
from retrieval.models import Hit, Language
from retrieval.sentences import Span, sentence_spans
from retrieval.text import fold, telling_words

_WORD = re.compile(r"[^\W_]+", re.UNICODE)
#: Words that share so much of the longer one are forms of one word: `matrícula`, `matricular`.
_SAME_STEM = 0.7
_SHORTEST_STEM = 4
#: What a word of the glossary is worth beside one of the query.
_OTHER_WORD = 0.5


@dataclass(frozen=True, slots=True)
class Highlights:
    """Where a passage answers, by places in its text.

    Args:
        words: those that the query has, in its own or in other words.
        sentence: the one that holds most of them, by how rare they are among what was found; None
            if none holds any: the passage was found by its meaning, or by its heading.
    """

    words: tuple[Span, ...]
    sentence: Span | None


def highlight(query: str, hits: Sequence[Hit], *, language: Language) -> list[Highlights]:
    """Return the highlights of each hit.

    Args:
        language: of the query.
    """
    asked = {hit.language: _asked(query, language, hit.language) for hit in hits}
    passages = [_Passage(hit.text, asked[hit.language]) for hit in hits]
    sentences = [s.held for p in passages for s in p.sentences]
    return [Highlights(p.words, p.best(sentences)) for p in passages]


def _asked(query: str, language: Language, target: Language) -> dict[str, float]:
    """Return what to look for, each word with what it is worth."""
    others = telling_words(other_words(query, language, target).text)
    own = telling_words(query)
    return {**dict.fromkeys(others, _OTHER_WORD), **dict.fromkeys(own, 1.0)}


@dataclass(frozen=True, slots=True)
class _Sentence:
    span: Span
    held: frozenset[str]


class _Passage:
    """A text with the words in it that were asked for."""

    def __init__(self, text: str, asked: dict[str, float]) -> None:
        self._asked = asked
        found = list(_find(text, asked))
        self.words = tuple(span for span, _ in found)
        self.sentences = [
            _Sentence(s, frozenset(w for span, w in found if s.start <= span.start < s.end))
            for s in sentence_spans(text)
        ]

    def best(self, others: Sequence[frozenset[str]]) -> Span | None:
        """Return the sentence that holds most, the first of equals.

        Args:
            others: what each sentence of everything that was found holds.
        """
        worth = {
            word: value * math.log(1 + len(others) / (1 + sum(word in held for held in others)))
            for word, value in self._asked.items()
        }
        scores = [sum(worth[word] for word in sorted(s.held)) for s in self.sentences]
        most = max(scores, default=0.0)
        return self.sentences[scores.index(most)].span if most > 0 else None


def _find(text: str, asked: dict[str, float]) -> Iterator[tuple[Span, str]]:
    for found in _WORD.finditer(text):
        word = fold(found[0])
        meant = next((a for a in asked if _is_same(word, a)), None)
        if meant is not None:
            yield Span(found.start(), found.end()), meant


def _is_same(word: str, asked: str) -> bool:
    """Return whether two words are forms of one, by how far they begin alike."""
    if word == asked or any(c.isdigit() for c in word):
        return word == asked
    needed = max(_SHORTEST_STEM, math.ceil(_SAME_STEM * max(len(word), len(asked))))
    return len(word) >= needed and word[:needed] == asked[:needed]
