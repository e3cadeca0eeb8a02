"""Reads HTML into blocks and renders it safe, by writing anew only what is allowed."""

import re
from collections.abc import Callable, Iterator
from html import escape

from bs4 import BeautifulSoup, CData, Tag
from bs4.element import NavigableString, PageElement, PreformattedString
from bs4.exceptions import ParserRejectedMarkup

from retrieval.errors import Unreadable
from retrieval.ingest.blocks import Block, table_text
from retrieval.ingest.draft import Draft
from retrieval.text import Anchors

_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
_BLOCKS = {"p", "pre", "blockquote", "ul", "ol", "li", "table", "dl", "dt", "dd"} | _HEADINGS
_INLINE = {"strong", "em", "b", "i", "code", "sub", "sup", "a"}
_TABLE = {"caption", "thead", "tbody", "tr", "th", "td"}
_VOID = {"br", "hr"}
_KEPT = _BLOCKS | _INLINE | _TABLE | _VOID
#: Elements whose content is not text for the reader.
_DROPPED = set(
    "script style template noscript iframe object embed svg math form input button select textarea "
    "head title meta link img video audio canvas".split()
)
#: Pages of people are a dozen elements deep; each level costs a few frames of the stack.
_MAX_DEPTH = 100
_DECLARED = frozenset(
    "slug title language audience topic version valid_from valid_to source".split()
)
#: Navigation and the like, where a page does not say which part is the main one.
_AROUND = frozenset({"nav", "footer", "aside"})
_AROUND_ROLES = frozenset({"navigation", "contentinfo", "complementary", "search"})
_MIN_MAIN_CHARS = 200
_HIDDEN = re.compile(
    r"(?:display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0(?![.\d]*[1-9])"
    r"|font-size\s*:\s*0(?![.\d]*[1-9]))",
    re.IGNORECASE,
)
_SAFE_LINK = re.compile(r"(https?://|mailto:|tel:|/(?!/)|#)", re.IGNORECASE)


def read_page(source: str) -> Draft:
    """Return a page's main part, with what its `<meta>` tags, its title and its language say."""
    soup = _parsed(source)
    pairs = {
        str(m["name"]): str(m.get("content", "")) for m in soup.find_all("meta", {"name": True})
    }
    title = soup.title.get_text().strip() if soup.title is not None else ""
    root = soup.find("html")
    language = str(root.get("lang", "")) if isinstance(root, Tag) else ""
    fields = {name: pairs[name] for name in _DECLARED & pairs.keys()}
    return Draft(_main_part(soup), "html", title=title, language=language, fields=fields)


def _main_part(soup: BeautifulSoup) -> str:
    """Return the part that a page calls its main one, or its body without what stands around it."""
    _drop(soup, lambda tag: _is_hidden(tag))
    mains = [t for t in soup.find_all(True) if t.name == "main" or t.get("role") == "main"]
    if not mains:
        mains = soup.find_all("article")
    if len(mains) == 1 and len(mains[0].get_text(strip=True)) > _MIN_MAIN_CHARS:
        return str(mains[0])
    body = soup.body or soup
    _drop(body, lambda tag: tag.name in _AROUND or tag.get("role") in _AROUND_ROLES)
    return str(body)


def _drop(root: Tag, unwanted: Callable[[Tag], bool]) -> None:
    for tag in [t for t in root.find_all(True) if unwanted(t)]:
        if not tag.decomposed:
            tag.decompose()


def _is_hidden(tag: Tag) -> bool:
    """Return whether whoever looks at the page does not see it."""
    return tag.has_attr("hidden") or bool(_HIDDEN.search(str(tag.get("style", ""))))


def _parsed(source: str) -> BeautifulSoup:
    try:
        return BeautifulSoup(source, "html.parser")
    except ParserRejectedMarkup:
        # Python's parser gives up at a marked section without a name, which browsers read as text.
        return BeautifulSoup(source.replace("<![", "&lt;!["), "html.parser")


def _body(source: str) -> Tag:
    soup = _parsed(source)
    return soup.body or soup


def render_html_body(source: str) -> str:
    """Return safe HTML whose heading ids are the anchors of the chunks."""
    anchors = Anchors()
    return "".join(_safe(child, anchors) for child in _body(source).children)


def _safe(node: PageElement, anchors: Anchors) -> str:
    if isinstance(node, NavigableString):
        return escape(str(node)) if _is_text(node) else ""
    if not isinstance(node, Tag) or node.name in _DROPPED:
        return ""
    if node.name in _VOID:
        return f"<{node.name}>"
    attributes = _attributes(node, anchors)
    inner = "".join(_safe(child, anchors) for child in node.children)
    return f"<{node.name}{attributes}>{inner}</{node.name}>" if node.name in _KEPT else inner


def _attributes(node: Tag, anchors: Anchors) -> str:
    if node.name in _HEADINGS:
        # Inside these the reader of blocks sees no heading, so it must not use up an anchor.
        inside = node.find_parent(["table", "pre", *_HEADINGS])
        return "" if inside else f' id="{anchors.name(_inline(node))}"'
    if node.name == "a" and _SAFE_LINK.match(str(node.get("href", "")).strip()):
        return f' href="{escape(str(node["href"]).strip())}" rel="noopener nofollow"'
    spans = [(n, str(node.get(n, ""))) for n in ("colspan", "rowspan") if node.name in {"td", "th"}]
    return "".join(f' {n}="{v}"' for n, v in spans if re.fullmatch(r"[1-9]\d?", v))


def _is_text(node: NavigableString) -> bool:
    return not isinstance(node, PreformattedString) or isinstance(node, CData)


def read_html(source: str) -> list[Block]:
    """Return the blocks of a page's body in reading order.

    Raises: Unreadable("ingest.nesting"): elements are nested too deeply.
    """
    body = _body(source)
    return list(_Reader(_holders(body)).read(body, depth=-1))


def _holders(body: Tag) -> set[int]:
    """Return the ids of the elements that hold blocks, in one pass over the page."""
    holders: set[int] = set()
    depths = {id(body): 0}
    for tag in body.find_all(True):
        depth = depths[id(tag)] = depths[id(tag.parent)] + 1
        if depth > _MAX_DEPTH:
            raise Unreadable("ingest.nesting", "The file is nested too deeply.")
        holder: Tag | None = tag if tag.name in _BLOCKS else None
        while holder is not None and id(holder) not in holders:
            holders.add(id(holder))
            holder = holder.parent
    return holders


class _Reader:
    """Reads elements into blocks and names the headings."""

    def __init__(self, holders: set[int]) -> None:
        self._holders = holders
        self._anchors = Anchors()

    def read(self, parent: Tag, *, depth: int) -> Iterator[Block]:
        """Yield the blocks inside an element; text between them is a block of its own."""
        loose: list[str] = []
        for child in parent.children:
            if isinstance(child, Tag) and self._holds_blocks(child):
                yield from _flush(loose)
                yield from self._block(child, depth=depth)
            else:
                loose.append(_inline(child, strip=False))
        yield from _flush(loose)

    def _holds_blocks(self, tag: Tag) -> bool:
        return tag.name not in _DROPPED and id(tag) in self._holders

    def _block(self, tag: Tag, *, depth: int) -> Iterator[Block]:
        if tag.name in _HEADINGS:
            text = _inline(tag)
            yield Block("heading", text, int(tag.name[1]), self._anchors.name(text))
        elif tag.name == "table":
            yield Block("table", table_text(_rows(tag)))
        elif tag.name == "pre":
            yield Block("code", tag.get_text().strip("\n"))
        elif tag.name in {"ul", "ol"}:
            yield from self._items(tag, depth=depth + 1)
        else:
            yield from self.read(tag, depth=depth)

    def _items(self, listing: Tag, *, depth: int) -> Iterator[Block]:
        number = 0
        for child in listing.children:
            if isinstance(child, Tag) and child.name in {"ul", "ol"}:
                yield from self._items(child, depth=depth + 1)
            elif isinstance(child, Tag):
                number += 1
                marker = f"{number}. " if listing.name == "ol" else "- "
                yield from self._item(child, depth=depth, marker=marker)
            else:
                yield from _flush([_inline(child)])

    def _item(self, item: Tag, *, depth: int, marker: str) -> Iterator[Block]:
        for block in self.read(item, depth=depth):
            if block.kind != "text":
                yield block
                continue
            yield Block("item", f"{'  ' * depth}{marker}{block.text}", depth)
            marker = "  "


def _flush(loose: list[str]) -> Iterator[Block]:
    text = _squeeze("".join(loose))
    loose.clear()
    if text:
        yield Block("text", text)


def _rows(table: Tag) -> list[list[str]]:
    caption = table.find("caption")
    title = [[_inline(caption)]] if isinstance(caption, Tag) else []
    return title + [
        [_inline(cell) for cell in row.find_all(["th", "td"])] for row in table.find_all("tr")
    ]


def _inline(node: PageElement, *, strip: bool = True) -> str:
    if isinstance(node, NavigableString):
        text = str(node) if _is_text(node) else ""
    elif isinstance(node, Tag) and node.name not in _DROPPED:
        inner = "".join(_inline(child, strip=False) for child in node.children)
        text = "\n" if node.name == "br" else inner
    else:
        text = ""
    return _squeeze(text) if strip else text


def _squeeze(text: str) -> str:
    return " ".join(text.split())
