"""Reads a CSV file record by record; a broken line costs itself and no other."""

import codecs
import csv
import io
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, TextIO

from crm.errors import RuleBroken

#: A quoted cell may hold line breaks; one that goes on for longer has lost its closing quote.
_LONGEST_RECORD = 50
_LINE_MAX = 64 * 1024
_DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the file.

    Args:
        number: the line it begins on.
        cells: None when it cannot be read.
    """

    number: int
    cells: list[str] | None


def open_text(file: BinaryIO) -> TextIO:
    """Return the file as text: UTF-8, or what spreadsheets on Windows write.

    Args:
        file: at any position; read once whole, in pieces.
    """
    encoding = "utf-8-sig" if _is_utf8(file) else "cp1252"
    file.seek(0)
    return io.TextIOWrapper(file, encoding, errors="replace", newline="")


def _is_utf8(file: BinaryIO) -> bool:
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while piece := file.read(1 << 20):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


class RecordReader:
    """The records of a file after its header.

    Args:
        text: at its start.
    Raises: RuleBroken("import.empty"): there is no header.
    """

    def __init__(self, text: TextIO) -> None:
        self._lines = _numbered(text)
        self._waiting: deque[tuple[int, str]] = deque()
        first = next(self._lines, None)
        if first is None or not first[1].strip():
            raise RuleBroken("import.empty", "The file has no header line.")
        self._delimiter = max(_DELIMITERS, key=first[1].count)
        self.header = [cell.strip() for cell in self._split(first[1]) or []]

    def __iter__(self) -> Iterator[Record]:
        """Yield the records; blank lines are none."""
        while (line := self._next()) is not None:
            if line[1].strip():
                yield self._record(*line)

    def _next(self) -> tuple[int, str] | None:
        return self._waiting.popleft() if self._waiting else next(self._lines, None)

    def _record(self, number: int, text: str) -> Record:
        """Join lines until every quote is closed; what does not end soon is one bad line."""
        joined = text
        taken: list[tuple[int, str]] = []
        while joined.count('"') % 2:
            more = self._next() if len(taken) < _LONGEST_RECORD else None
            if more is None:
                self._waiting.extendleft(reversed(taken))
                return Record(number, None)
            taken.append(more)
            joined += more[1]
        cells = self._split(joined) if len(joined) <= _LINE_MAX else None
        if taken and (cells is None or len(cells) != len(self.header)):
            # The quote that closed belongs to another line: give the others back.
            self._waiting.extendleft(reversed(taken))
            return Record(number, None)
        return Record(number, cells if cells and len(cells) == len(self.header) else None)

    def _split(self, text: str) -> list[str] | None:
        try:
            return next(csv.reader([text], delimiter=self._delimiter, strict=True), [])
        except csv.Error:
            return None


def _numbered(text: TextIO) -> Iterator[tuple[int, str]]:
    number = 0
    while line := text.readline(_LINE_MAX + 1):
        number += 1
        while not line.endswith(("\n", "\r")) and (rest := text.readline(_LINE_MAX + 1)):
            # Too long to be a line of ours: keep enough to see that, drop the rest.
            line = line[: _LINE_MAX + 1] + ("\n" if rest.endswith(("\n", "\r")) else "")
        yield number, line
