"""How a document is shown to whoever opens a citation: its version, and its text in sections."""

import re
from dataclasses import dataclass
from datetime import date

from api.web.catalogue import Locale, translate
from api.web.formats import day
from retrieval.ingest.render import render_html
from retrieval.models import Document, Language
from retrieval.stores.protocol import DocumentReader, Scope

_HEADING = re.compile(r'(?=<h[1-6] id=")')
_LEVEL = re.compile(r'<h([1-6]) id="([^"]+)">(.*?)</h\1>', re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
_LISTED = 100


@dataclass(frozen=True, slots=True)
class Heading:
    """A line of the table of contents; its text is safe HTML."""

    anchor: str
    html: str


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document as its page shows it.

    Args:
        sections: safe HTML, each from one heading to the next, so that a cited one stands out.
        newer: the version in force, when it is not this one.
        other_language: the same text in the other language, if there is one.
    """

    title: str
    language: Language
    version: int
    valid_from: str
    sections: tuple[str, ...]
    contents: tuple[Heading, ...]
    has_title: bool
    newer: int | None
    newer_url: str
    other_language: Language | None
    other_url: str


async def find_public_document(
    reader: DocumentReader, name: str, version: int | None, language: Locale, *, today: date
) -> Document | None:
    """Return a document by its id, or by its slug in the language or else the other one.

    Args:
        today: the reader's day; a version that holds only later is not shown yet.
    """
    if ":" in name:
        return _public(await reader.get_document(name, version, on=today), today)
    for wanted in (language, _other(language)):
        found = await reader.find_document("knowledge", name, wanted, on=today, version=version)
        if _public(found, today):
            return found
    return None


async def view_document(
    reader: DocumentReader, document: Document, locale: Locale, *, today: date
) -> DocumentView:
    """Describe a document together with its newer version and its translation."""
    html = render_html(document)
    current = _public(await reader.get_document(document.id, on=today), today)
    translation = _other(document.language)
    other = _public(
        await reader.find_document("knowledge", document.slug, translation, on=today), today
    )
    newer = current.version if current and current.version > document.version else None
    return DocumentView(
        title=document.title,
        language=document.language,
        version=document.version,
        valid_from=_since(document.valid_from, locale),
        sections=tuple(part for part in _HEADING.split(html) if part.strip()),
        contents=_contents(html),
        has_title='<h1 id="' in html,
        newer=newer,
        newer_url=f"/knowledge/{document.id}@{newer}",
        other_language=other.language if other else None,
        other_url=f"/knowledge/{other.id}@{other.version}" if other else "",
    )


async def list_public_documents(
    reader: DocumentReader, language: Locale, *, today: date
) -> list[Document]:
    """Return what anybody may read in a language, by title."""
    public = Scope("knowledge", frozenset({"public"}), today)
    found = await reader.list_documents(public, language=language, limit=_LISTED)
    return sorted(found, key=lambda document: document.title)


def _public(document: Document | None, today: date) -> Document | None:
    if document is None or document.kind != "knowledge" or document.audience != "public":
        return None
    has_begun = document.valid_from is None or document.valid_from <= today
    return document if has_begun else None


def _other(language: Language) -> Language:
    return "en" if language == "es" else "es"


def _since(valid_from: date | None, locale: Locale) -> str:
    return (
        translate(locale, "document.validFrom", {"date": day(valid_from, locale)})
        if valid_from
        else ""
    )


def _contents(html: str) -> tuple[Heading, ...]:
    found = (match.groups() for match in _LEVEL.finditer(html))
    return tuple(
        Heading(anchor, _TAG.sub("", text)) for level, anchor, text in found if level == "2"
    )
