"""Whole sentences out of a stream of text, in Spanish and English."""

import re

_ABBREVIATIONS = frozenset(
    {"sr", "sra", "srta", "dr", "dra", "lic", "ing", "prof", "av", "jr", "etc", "ej", "p.ej", "pág"}
    | {
        "aprox",
        "mr",
        "mrs",
        "ms",
        "st",
        "vs",
        "e.g",
        "i.e",
        "p.m",
        "a.m",
        "ee.uu",
        "ee",
        "uu",
        "vol",
    }
)
_BEFORE_FIGURES = frozenset({"no", "nro", "núm", "num", "art", "tel", "máx", "mín", "max", "min"})
#: An ending, what closes with it, the marks that cite for it, and proof that it is over.
_END = re.compile(
    r"(?:[.!?…]+[\"'”»)\]*_]*(?:[ \t]*\[\[[^\]\n]*\]\])*(?=\s+[^\s\[])[ \t]*\n*)|(?:\n+(?=[^\n]))"
)
_LAST_WORD = re.compile(r"([\w.,:]+?)\.+$")


class SentenceStream:
    """Takes text as it comes and gives back sentences that are surely complete.

    What it gives, joined, is what it was fed: no character is lost or changed.
    """

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, text: str) -> list[str]:
        """Return the sentences that the new text completes, each with the space after it."""
        self._rest += text
        sentences: list[str] = []
        start = position = 0
        while found := _END.search(self._rest, position):
            position = found.end()
            if position < len(self._rest) and self._ends(start, found):
                sentences.append(self._rest[start:position])
                start = position
        self._rest = self._rest[start:]
        return sentences

    def close(self) -> list[str]:
        """Return what is left when the stream has ended."""
        rest, self._rest = self._rest, ""
        return [rest] if rest else []

    def _ends(self, start: int, found: re.Match[str]) -> bool:
        if "\n" in found.group():
            return True
        stop = re.match(r"[.!?…]+", found.group())
        following = self._rest[found.end() :].lstrip()[:1]
        if stop is None or stop.group() not in {".", "...", "…"}:
            return True
        if following.islower():
            return False
        so_far = self._rest[start : found.start() + 1]
        last = _LAST_WORD.search(so_far)
        word = last[1].casefold() if last else ""
        if word in _BEFORE_FIGURES and following.isdigit():
            return False
        enumerates = re.fullmatch(r"\s*\d{1,2}\.", so_far) is not None
        return not (enumerates or word in _ABBREVIATIONS or re.fullmatch(r"[^\W\d_]", word))


def sentences_of(text: str) -> list[str]:
    """Return the sentences of a text; joined they are the text."""
    stream = SentenceStream()
    return [*stream.feed(text), *stream.close()]
