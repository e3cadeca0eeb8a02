"""Finds where the sentences of a text begin and end."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_END = re.compile(r"(?<=[.!?…])\s+|\n+")
_ABBREVIATION = re.compile(
    r"\b(?:arts?|n[uú]ms?|nros?|no|p[aá]gs?|p|ej|etc|dra?|sra?|lic|ing|inc|cap|ed|vs|e\.g|i\.e"
    r"|mrs?|ms|prof|vol|fig|d|ss|aa|ee|uu|[A-Z])\.$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a text, from the first character to the one after the last."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """Return that part."""
        return text[self.start : self.end]


def sentence_spans(text: str) -> Iterator[Span]:
    """Yield sentences and lines in order; the full stop of an abbreviation ends none."""
    start = 0
    for end, following in _breaks(text):
        if _ABBREVIATION.search(text[start:end]) and end < len(text):
            continue
        if start < end:
            yield Span(start, end)
        start = following


def split_sentences(text: str) -> Iterator[str]:
    """Yield sentences and lines, each on one line."""
    return (_END.sub(" ", span.of(text)) for span in sentence_spans(text))


def _breaks(text: str) -> Iterator[tuple[int, int]]:
    """Yield where a sentence may end, and where the next one begins then."""
    yield from ((found.start(), found.end()) for found in _END.finditer(text))
    yield len(text), len(text)
