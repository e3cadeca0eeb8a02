"""Reads sitemaps: addresses of pages, and of further sitemaps."""

import re
import zlib
from dataclasses import dataclass
from html import unescape

from retrieval.errors import Unreadable

_MAX_BYTES = 50 * 2**20
_LOCATION = re.compile(
    r"<(?:\w+:)?loc\s*>\s*(?:<!\[CDATA\[)?\s*([^<\]]{1,2000}?)\s*(?:\]\]>)?\s*</"
)
_IS_INDEX = re.compile(r"<(?:\w+:)?sitemapindex[\s>]")
_IS_SITEMAP = re.compile(r"<(?:\w+:)?urlset[\s>]")


@dataclass(frozen=True, slots=True)
class Sitemap:
    """What a sitemap names."""

    pages: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()


def read_sitemap(content: bytes) -> Sitemap:
    """Read a sitemap, an index of them, or a list of addresses line by line; packed or not.

    Raises: Unreadable("ingest.sitemap" | "ingest.bomb").
    """
    text = _unpacked(content).decode("utf-8", "replace")
    # Nothing but addresses is looked for: no parser, no entities of the document's own.
    found = tuple(unescape(match) for match in _LOCATION.findall(text))
    if _IS_INDEX.search(text):
        return Sitemap(sitemaps=found)
    if _IS_SITEMAP.search(text):
        return Sitemap(pages=found)
    lines = tuple(line.strip() for line in text.splitlines() if line.strip())
    if lines and all(line.startswith(("http://", "https://")) for line in lines):
        return Sitemap(pages=lines)
    raise Unreadable("ingest.sitemap", "The address leads to no sitemap.")


def _unpacked(content: bytes) -> bytes:
    if not content.startswith(b"\x1f\x8b"):
        return content
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(content, _MAX_BYTES)
    except zlib.error as broken:
        raise Unreadable("ingest.sitemap", "The sitemap is damaged.") from broken
    if unpacker.unconsumed_tail:
        raise Unreadable("ingest.bomb", "The sitemap unpacks to more than is allowed.")
    return unpacked
