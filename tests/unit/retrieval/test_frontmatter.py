"""Knowledge files: what they declare, and which ones are set aside."""

from datetime import date
from pathlib import Path, PurePath

import pytest

from retrieval.errors import Unreadable
from retrieval.ingest.folder import SetAside, read_folder
from retrieval.ingest.frontmatter import parse_document

MARKDOWN = """---
slug: refund-policy
title: "Devoluciones: plazos"
language: es
audience: students
topic: payments
version: 3
valid_from: 2026-02-01
source: https://andino.example/reglamento
---

# Devoluciones

Diez días.
"""
HTML = """<!doctype html><html><head><title>Other</title>
<meta name="slug" content="refund-policy"><meta name="title" content="Refunds">
<meta name="language" content="en"><meta name="version" content="2">
<meta name="valid_from" content="2026-02-01"></head><body><h1>Refunds</h1><p>Ten days.</p></body>
"""


def test_markdown_declares_itself_in_its_front_matter() -> None:
    document = parse_document(PurePath("a.md"), MARKDOWN)
    assert document.id == "kb:refund-policy:es"
    assert (document.title, document.audience, document.topic) == (
        "Devoluciones: plazos",
        "students",
        "payments",
    )
    assert (document.version, document.valid_from) == (3, date(2026, 2, 1))
    assert document.metadata == {"source": "https://andino.example/reglamento"}
    assert document.body.strip().startswith("# Devoluciones")
    assert document.format == "markdown"


def test_html_declares_itself_in_its_meta_tags() -> None:
    document = parse_document(PurePath("a.html"), HTML)
    assert document.id == "kb:refund-policy:en"
    assert (document.title, document.version, document.audience) == ("Refunds", 2, "public")
    assert document.valid_from == date(2026, 2, 1)
    assert document.format == "html"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("---\nslug", "slug", "front matter"),
        ("slug: refund-policy", "slug: ../../etc", "slug"),
        ("language: es", "language: fr", "language"),
        ("audience: students", "audience: everybody", "audience"),
        ("version: 3", "version: 0", "version"),
        ("valid_from: 2026-02-01", "valid_from: soon", "valid_from"),
        ('title: "Devoluciones: plazos"', "title: a: b", "YAML"),
        ("slug: refund-policy", "- slug", "YAML"),
        ("# Devoluciones\n\nDiez días.", " ", "no text"),
        ("Diez", "Di\x00ez", "NUL"),
    ],
)
def test_a_header_that_does_not_fit_is_refused_with_the_reason(
    old: str, new: str, reason: str
) -> None:
    assert old in MARKDOWN
    with pytest.raises(Unreadable) as refused:
        parse_document(PurePath("a.md"), MARKDOWN.replace(old, new))
    assert reason in refused.value.safe_message


def test_a_folder_yields_documents_and_what_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "es").mkdir()
    (tmp_path / "es" / "good.md").write_text(MARKDOWN, encoding="utf-8")
    (tmp_path / "es" / "same.md").write_text(MARKDOWN, encoding="utf-8")
    (tmp_path / "bytes.md").write_bytes(b"---\nslug: \xff\xfe\n---\n")
    (tmp_path / "deep.html").write_text(
        HTML.replace("<p>", "<div>" * 3_000 + "<p>"), encoding="utf-8"
    )
    (tmp_path / "large.html").write_text(HTML + " " * 2_200_000, encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not a document")
    found = dict(read_folder(tmp_path))
    reasons = {name: d.reason for name, d in found.items() if isinstance(d, SetAside)}
    assert set(found) - set(reasons) == {"es/good.md", "deep.html"}
    assert "UTF-8" in reasons["bytes.md"]
    assert "2 MB" in reasons["large.html"]
    assert "es/good.md has the same slug" in reasons["es/same.md"]


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(Unreadable):
        list(read_folder(tmp_path / "absent"))
