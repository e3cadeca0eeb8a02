"""Reads and renders Markdown; raw HTML in it stays text."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

from retrieval.ingest.blocks import Block, table_text
from retrieval.text import Anchors

_CONTAINERS = {"bullet_list", "ordered_list"}


def _parser() -> MarkdownIt:
    # Images would let a document load something from elsewhere into the reader's page.
    return (
        MarkdownIt("commonmark", {"html": False, "maxNesting": 100})
        .enable("table")
        .disable("image")
    )


def render_markdown(body: str) -> str:
    """Return safe HTML whose heading ids are the anchors of the chunks."""
    parser = _parser()
    tokens = parser.parse(body)
    anchors = Anchors()
    for token, inline in pairwise(tokens):
        if token.type == "heading_open":
            token.attrSet("id", anchors.name(" ".join(_plain(inline).split())))
    return str(parser.renderer.render(tokens, parser.options, {}))


def read_markdown(body: str) -> list[Block]:
    """Return the blocks of a Markdown text in reading order."""
    return list(_Reader(_parser().parse(body)).blocks())


def _plain(inline: Token) -> str:
    """Return the text of inline markup as a reader sees it."""
    parts = []
    for child in inline.children or ():
        if child.type == "softbreak":
            parts.append(" ")
        elif child.type == "hardbreak":
            parts.append("\n")
        elif child.type in {"text", "code_inline", "text_special"}:
            parts.append(child.content)
    return "".join(parts).strip()


class _Reader:
    """Walks the flat token stream and remembers the lists it is in."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = iter(tokens)
        self._anchors = Anchors()
        self._counters: list[int | None] = []
        self._marker = ""

    def blocks(self) -> Iterator[Block]:
        for token in self._tokens:
            if token.type == "heading_open":
                yield self._heading(token)
            elif token.type == "table_open":
                yield Block("table", table_text(self._rows()))
            elif token.type in {"fence", "code_block"}:
                yield Block("code", token.content.rstrip("\n"))
            elif token.type == "inline":
                yield self._paragraph(_plain(token))
            else:
                self._track_lists(token)

    def _heading(self, token: Token) -> Block:
        text = " ".join(_plain(next(self._tokens)).split())
        level = int(token.tag[1])
        return Block("heading", text, level, self._anchors.name(text))

    def _paragraph(self, text: str) -> Block:
        if not self._counters:
            return Block("text", text)
        depth = len(self._counters) - 1
        marker, self._marker = self._marker or "  ", ""
        return Block("item", f"{'  ' * depth}{marker}{text}", depth)

    def _rows(self) -> list[list[str]]:
        rows: list[list[str]] = []
        for token in self._tokens:
            if token.type == "table_close":
                break
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "inline":
                rows[-1].append(_plain(token))
        return rows

    def _track_lists(self, token: Token) -> None:
        name, _, side = token.type.rpartition("_")
        if name in _CONTAINERS and side == "open":
            start = int(token.attrGet("start") or 1) if name == "ordered_list" else None
            self._counters.append(start)
        elif name in _CONTAINERS:
            self._counters.pop()
        elif token.type == "list_item_open":
            self._marker = self._next_marker()

    def _next_marker(self) -> str:
        number = self._counters[-1]
        if number is None:
            return "- "
        self._counters[-1] = number + 1
        return f"{number}. "
