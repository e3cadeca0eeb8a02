"""Takes a document's passage apart into what can be quoted: sentences, items, rows, tables."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agents.llm.offline.thesaurus import meanings_of
from agents.runtime.guards.input import fold
from agents.runtime.guards.sentences import sentences_of

_ROW = re.compile(r"^\s*\|(.+)\|\s*$")
_RULE = re.compile(r"^[\s|:-]+$")
_ITEM = re.compile(r"\s*(?:[-*]|\d+\.)\s")
_YES, _NO = frozenset({"si", "yes"}), frozenset({"no"})


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence, an item, a row or a table of a passage.

    Args:
        kind: a table holds the rows that stand beside it as units of their own.
    """

    passage: int
    text: str
    kind: str = "sentence"

    @property
    def is_list(self) -> bool:
        """Return whether this is one of several things, or all of them."""
        return self.kind in {"item", "table"}


def units_of(text: str, passage: int = 0, *, question: str = "") -> Iterator[Unit]:
    """Yield what a passage consists of, without marks of layout.

    Args:
        question: picks the column of a table of who needs what.
    """
    for block in re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.)\s)", text):
        rows = [row[1] for line in block.splitlines() if (row := _ROW.match(line))]
        if rows:
            yield from _units_of_table(rows, passage, question)
            continue
        kind = "item" if _ITEM.match(block) else "sentence"
        for sentence in sentences_of(" ".join(block.split())):
            if clean := _clean(sentence):
                yield Unit(passage, clean, kind)


def _units_of_table(rows: Sequence[str], passage: int, question: str) -> Iterator[Unit]:
    cells = [[_clean(c) for c in row.split("|")] for row in rows if not _RULE.match(row)]
    head, body = cells[0], cells[1:]
    if not body:
        return
    if _is_of_needs(body):
        yield Unit(passage, _needed(head, body, question), "table")
        return
    texts = [_row(head, row) for row in body]
    yield from (Unit(passage, f"{text}.", "row") for text in texts)
    whole = texts if len(head) == 2 else [row[0] for row in body]
    opening = "" if len(head) == 2 else f"{head[0]}: "
    yield Unit(passage, f"{opening}{'; '.join(whole)}.", "table")


def _is_of_needs(body: Sequence[Sequence[str]]) -> bool:
    marks = [fold(cell) for row in body for cell in row[1:]]
    return bool(marks) and all(mark in _YES | _NO for mark in marks)


def _needed(head: Sequence[str], body: Sequence[Sequence[str]], question: str) -> str:
    """Return what the table says yes to, in the column that the question names if it names one."""
    asked = meanings_of(question)
    column = next((i for i, name in enumerate(head) if i and asked & meanings_of(name)), 0)
    chosen = [row[0] for row in body if not column or fold(row[column]) in _YES]
    opening = f"{head[0]} ({head[column]})" if column else head[0]
    return f"{opening}: {'; '.join(chosen)}."


def _row(head: Sequence[str], row: Sequence[str]) -> str:
    if len(row) <= 2:
        return ": ".join(row)
    return f"{row[0]}: {', '.join(f'{h} {c}' for h, c in zip(head[1:], row[1:], strict=False))}"


def _clean(text: str) -> str:
    bare = re.sub(r"^\s*(?:[-*•]|#+|\d+\.)\s+", "", text.strip())
    bare = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", bare)
    return re.sub(r"[*_`]{1,2}(?=\S)|(?<=\S)[*_`]{1,2}", "", bare).strip()
