"""What retrieval speaks of: documents, chunks, hits and results."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

Language = Literal["es", "en"]
Kind = Literal["knowledge", "course"]
Audience = Literal["public", "students", "staff"]
BodyFormat = Literal["markdown", "html"]
Mode = Literal["hybrid", "lexical"]

#: Words. Leaving long ones out finds 4 more of 100 questions' articles among the first five.
_SHORT_TITLE = 8

LANGUAGES: tuple[Language, ...] = ("es", "en")


@dataclass(frozen=True, slots=True)
class Document:
    """A text that can be searched and cited.

    Args:
        id: stable over versions, e.g. `kb:refund-policy:es`.
        slug: names the same text in every language; a course's code.
        version: declared; ingest raises it when the content changed and this did not.
        valid_from: the first day on which this version holds; None for always.
        valid_to: the first day on which the document holds no more; None for never.
        url: where a citation leads; empty for the page of the document itself.
        metadata: JSON that comes back with each hit; no part of the content.
    """

    id: str
    kind: Kind
    slug: str
    language: Language
    title: str
    body: str
    format: BodyFormat = "markdown"
    audience: Audience = "public"
    topic: str = ""
    version: int = 1
    valid_from: date | None = None
    valid_to: date | None = None
    url: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def content_hash(self) -> bytes:
        """What decides whether a new version is due."""
        content = [self.title, self.body, self.format, self.language, str(self.valid_from)]
        return hashlib.sha256(json.dumps(content).encode()).digest()


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage of a document, small enough to embed and to quote.

    Args:
        anchor: the id of the heading it stands under; empty before the first heading.
        heading_path: the document's title, then the headings it stands under.
    """

    ordinal: int
    anchor: str
    heading_path: tuple[str, ...]
    text: str
    tokens: int

    @property
    def embedding_text(self) -> str:
        """The passage with its headings: what is embedded."""
        return embedding_text(self.heading_path, self.text)

    @property
    def text_hash(self) -> bytes:
        """Names `embedding_text`, in the index and in vector caches."""
        return hash_text(self.embedding_text)


def embedding_text(heading_path: tuple[str, ...], text: str) -> str:
    """Put the heading before a passage, as a sentence that a language model may have read.

    So is the title, unless it is long: a law's, say, drowns what each of its passages is about.
    """
    title, *headings = heading_path
    if not headings:
        return f"{title}.\n{text}"
    named = [title, headings[-1]] if len(title.split()) <= _SHORT_TITLE else [headings[-1]]
    return f"{': '.join(named).removesuffix('.')}.\n{text}"


def hash_text(text: str) -> bytes:
    """Return the name of a text in the index and in vector caches."""
    return hashlib.sha256(text.encode()).digest()


def citation_url(document_id: str, version: int, *, url: str = "", anchor: str = "") -> str:
    """Return where a citation of this version opens, at its heading."""
    page = url or f"/knowledge/{document_id}@{version}"
    return f"{page}#{anchor}" if anchor else page


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found, with what is needed to cite it.

    Args:
        score: 0 to 1, comparable within one result only.
        before: the passage before it under the same heading; empty at the section's start.
        after: the passage after it, likewise.
    """

    chunk_id: int
    document_id: str
    version: int
    kind: Kind
    slug: str
    language: Language
    audience: Audience
    topic: str
    title: str
    anchor: str
    heading_path: tuple[str, ...]
    text: str
    url: str
    valid_from: date | None
    metadata: Mapping[str, Any]
    score: float
    before: str = ""
    after: str = ""

    @property
    def section(self) -> str:
        """The passage with its neighbours: all that stands under its heading, unless it is long."""
        return "\n\n".join(part for part in (self.before, self.text, self.after) if part)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found and how much it is worth.

    Args:
        confidence: 0 to 1, the chance that the first hit answers the query; see `confidence`.
        mode: `lexical` when no vectors took part.
    """

    hits: tuple[Hit, ...]
    confidence: float
    query_language: Language
    mode: Mode
