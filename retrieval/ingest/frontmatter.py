"""What a document says about itself: YAML front matter or HTML meta tags."""

from datetime import date
from pathlib import PurePath
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from retrieval.errors import Unreadable
from retrieval.ingest.html import meta_of
from retrieval.models import Audience, Document, Language

_FENCE = "---"
_MAX_HEADER_CHARS = 8_192


class FrontMatter(BaseModel):
    """The fields a knowledge file declares."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True)

    slug: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)
    title: str = Field(min_length=1, max_length=300)
    language: Language
    audience: Audience = "public"
    topic: str = Field("", max_length=80)
    version: int = Field(1, ge=1)
    valid_from: date | None = None
    valid_to: date | None = None
    source: str = Field("", max_length=500)


def parse_document(path: PurePath, source: str) -> Document:
    """Read one knowledge file.

    Raises: Unreadable: no header, or one that does not fit; the message names the field.
    """
    if "\x00" in source:
        raise Unreadable("ingest.binary", "The file holds NUL bytes.")
    if path.suffix.lower() == ".md":
        header, body = split_front_matter(source)
        return _document(_validated(header), body, html=False)
    return _document(_validated(meta_of(source)), source, html=True)


def split_front_matter(source: str) -> tuple[dict[str, Any], str]:
    """Split a Markdown file into its YAML header and its body.

    Raises: Unreadable: no header, or not a YAML mapping.
    """
    first, _, rest = source.lstrip("\ufeff").partition("\n")
    header, closed, body = rest.partition(f"\n{_FENCE}")
    if first.strip() != _FENCE or not closed or len(header) > _MAX_HEADER_CHARS:
        raise Unreadable("ingest.header", "The file does not begin with front matter.")
    try:
        fields = yaml.safe_load(header)
    except yaml.YAMLError as broken:
        raise Unreadable("ingest.header", "The front matter is not valid YAML.") from broken
    if not isinstance(fields, dict):
        raise Unreadable("ingest.header", "The front matter is not a mapping.")
    return fields, body.partition("\n")[2]


def _validated(header: dict[str, Any]) -> FrontMatter:
    try:
        return FrontMatter.model_validate(header)
    except ValidationError as broken:
        first = broken.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise Unreadable("ingest.header", f"{field}: {first['msg']}") from broken


def _document(header: FrontMatter, body: str, *, html: bool) -> Document:
    if not body.strip():
        raise Unreadable("ingest.empty", "The document has no text.")
    return Document(
        id=f"kb:{header.slug}:{header.language}",
        kind="knowledge",
        slug=header.slug,
        language=header.language,
        title=header.title,
        body=body,
        format="html" if html else "markdown",
        audience=header.audience,
        topic=header.topic,
        version=header.version,
        valid_from=header.valid_from,
        valid_to=header.valid_to,
        metadata={"source": header.source} if header.source else {},
    )
