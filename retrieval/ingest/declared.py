"""What a document declares of itself, what is declared for it, and what is found where neither."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import PurePosixPath
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from retrieval.errors import Unreadable
from retrieval.ingest.blocks import Block
from retrieval.ingest.draft import Draft
from retrieval.language import LanguageDetector
from retrieval.models import LANGUAGES, Audience, Document, Language
from retrieval.text import fold

SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"
_NOT_IN_SLUG = re.compile(r"[^a-z0-9]+")
_MAX_SLUG = 80
_MAX_TITLE = 300
_SAMPLE = 400
_SAMPLES = 5
#: Shorter texts say too little of their language.
_MIN_CHARS = 40


class Header(BaseModel):
    """The fields that are declared."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True)

    slug: str | None = Field(None, pattern=SLUG, max_length=_MAX_SLUG)
    title: str | None = Field(None, min_length=1, max_length=_MAX_TITLE)
    language: Language | None = None
    audience: Audience = "public"
    topic: str = Field("", max_length=80)
    version: int = Field(1, ge=1, lt=2**31)
    valid_from: date | None = None
    valid_to: date | None = None
    source: str = Field("", max_length=2_000)

    @model_validator(mode="after")
    def _in_order(self) -> "Header":
        if self.valid_from and self.valid_to and self.valid_to <= self.valid_from:
            raise ValueError("valid_to must be later than valid_from")
        return self


@dataclass(frozen=True, slots=True)
class Declared:
    """What whoever brings a file says of it.

    Args:
        defaults: hold where the file says nothing.
        fixed: hold whatever the file says.
        language: of a text too short to tell, where nobody says.
    """

    defaults: Mapping[str, Any] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    language: Language = "es"


NOTHING = Declared()


def declare(name: str, draft: Draft, blocks: Sequence[Block], declared: Declared) -> Document:
    """Make a document of a draft.

    Args:
        name: of the file, from the folder that is read.
        blocks: of the draft's body.
    Raises: Unreadable("ingest.header" | "ingest.empty" | "ingest.language").
    """
    if not any(b.text.strip() for b in blocks):
        raise Unreadable("ingest.empty", "The document has no text.")
    header = _validated({**declared.defaults, **draft.fields, **declared.fixed})
    path = _Path.of(name)
    language = header.language or path.language or _language_of(draft, blocks, declared.language)
    slug = header.slug or path.slug
    return Document(
        id=f"kb:{slug}:{language}",
        kind="knowledge",
        slug=slug,
        language=language,
        title=header.title or _title_of(draft, blocks) or path.title,
        body=draft.body,
        format=draft.format,
        audience=header.audience,
        topic=header.topic,
        version=header.version,
        valid_from=header.valid_from,
        valid_to=header.valid_to,
        metadata={"source": header.source} if header.source else {},
    )


def _validated(fields: dict[str, Any]) -> Header:
    try:
        return Header.model_validate(fields)
    except ValidationError as broken:
        first = broken.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or "header"
        raise Unreadable("ingest.header", f"{name}: {first['msg']}") from broken


@dataclass(frozen=True, slots=True)
class _Path:
    """What a file's place says: `es/becas.pdf` and `becas.es.pdf` alike."""

    slug: str
    title: str
    language: Language | None

    @classmethod
    def of(cls, name: str) -> "_Path":
        parts = list(PurePosixPath(name).with_suffix("").parts)
        stem, _, last = parts[-1].rpartition(".")
        language = last if stem and last in LANGUAGES else None
        if language:
            parts[-1] = stem
        elif len(parts) > 1 and parts[0] in LANGUAGES:
            language, parts = parts[0], parts[1:]
        title = " ".join(re.split(r"[\s_-]+", parts[-1])).strip()
        return cls(slug_of("-".join(parts)), title[:_MAX_TITLE] or name, _known(language))


def slug_of(path: str) -> str:
    """Return the slug of a file by its place."""
    slug = _NOT_IN_SLUG.sub("-", fold(path)).strip("-")
    if slug and len(slug) <= _MAX_SLUG:
        return slug
    # What is cut, or has no letter that may stand in an address, is told apart by its whole name.
    digest = hashlib.sha256(path.encode()).hexdigest()[:8]
    return f"{slug[: _MAX_SLUG - 9].strip('-')}-{digest}".strip("-")


def _title_of(draft: Draft, blocks: Sequence[Block]) -> str:
    first = next((b.text for b in blocks[:20] if b.kind == "heading" and b.level <= 2), "")
    return (" ".join(first.split()) or " ".join(draft.title.split()))[:_MAX_TITLE]


def _language_of(draft: Draft, blocks: Sequence[Block], fallback: Language) -> Language:
    if known := _known(draft.language):
        return known
    text = " ".join(" ".join(b.text for b in blocks).split())
    if len(text) < _MIN_CHARS:
        return fallback
    step = max(_SAMPLE, len(text) // _SAMPLES)
    totals: dict[str, float] = {}
    for start in range(0, min(len(text), step * _SAMPLES), step):
        for code, score in _DETECTOR.scores(text[start : start + _SAMPLE]).items():
            totals[code] = totals.get(code, 0.0) + score
    best = _known(max(totals, key=lambda code: totals[code]))
    if best is None:
        raise Unreadable("ingest.language", "The text is neither Spanish nor English.")
    return best


def _known(code: str | None) -> Language | None:
    primary = (code or "").lower().partition("-")[0]
    return next((known for known in get_args(Language) if known == primary), None)


_DETECTOR = LanguageDetector()
