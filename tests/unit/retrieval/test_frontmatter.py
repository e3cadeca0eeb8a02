"""What files declare, what is declared for them, and what is found where neither."""

from datetime import date
from pathlib import Path

import pytest

from retrieval.errors import Unreadable
from retrieval.ingest.declared import NOTHING, Declared
from retrieval.ingest.folder import list_files, read_bytes
from retrieval.ingest.reading import MAX_TEXT_BYTES, read_document
from retrieval.models import Document

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


def read(name: str, text: str, declared: Declared = NOTHING) -> Document:
    return read_document(name, text.encode(), declared)


def test_markdown_declares_itself_in_its_front_matter() -> None:
    document = read("a.md", MARKDOWN)
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
    document = read("a.html", HTML)
    assert document.id == "kb:refund-policy:en"
    assert (document.title, document.version, document.audience) == ("Refunds", 2, "public")
    assert document.valid_from == date(2026, 2, 1)
    assert document.format == "html"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("slug: refund-policy", "slug: ../../etc", "slug"),
        ("language: es", "language: fr", "language"),
        ("audience: students", "audience: everybody", "audience"),
        ("version: 3", "version: 0", "version"),
        ("valid_from: 2026-02-01", "valid_from: soon", "valid_from"),
        ('title: "Devoluciones: plazos"', "title: a: b", "YAML"),
        ("slug: refund-policy", "- slug", "YAML"),
        ("valid_from: 2026-02-01", "valid_from: 2026-02-01\nvalid_to: 2026-02-01", "valid_to"),
        ("# Devoluciones\n\nDiez días.", " ", "no text"),
        ("Diez", "Di\x00ez", "NUL"),
    ],
)
def test_a_header_that_does_not_fit_is_refused_with_the_reason(
    old: str, new: str, reason: str
) -> None:
    assert old in MARKDOWN
    with pytest.raises(Unreadable) as refused:
        read("a.md", MARKDOWN.replace(old, new))
    assert reason in refused.value.safe_message


SPANISH = "La matrícula se paga en la caja o por transferencia antes del primer día de clases."
ENGLISH = "The enrolment fee is paid at the desk or by transfer before the first day of classes."


@pytest.mark.parametrize(
    ("name", "text", "document_id", "title"),
    [
        ("becas.md", f"# Becas 2026\n\n{SPANISH}", "kb:becas:es", "Becas 2026"),
        ("es/pagos/cuotas.md", ENGLISH, "kb:pagos-cuotas:es", "cuotas"),
        ("refunds.en.md", SPANISH, "kb:refunds:en", "refunds"),
        ("Guía de PAGOS.txt", SPANISH, "kb:guia-de-pagos:es", "Guía de PAGOS"),
        ("how_to_pay.txt", f"HOW TO PAY\n\n{ENGLISH}", "kb:how-to-pay:en", "HOW TO PAY"),
        ("a.html", f"<html lang=en><title>Fees</title><p>{SPANISH}", "kb:a:en", "Fees"),
        ("b.html", f"<title>Site</title><h1>Costos</h1><p>{SPANISH}", "kb:b:es", "Costos"),
        ("n.md", "México: 10 USD.", "kb:n:es", "n"),
    ],
)
def test_what_is_not_declared_is_found(name: str, text: str, document_id: str, title: str) -> None:
    document = read(name, text)
    assert (document.id, document.title) == (document_id, title)


def test_an_english_text_with_a_spanish_name_in_it_is_english() -> None:
    assert read("n.txt", f"{ENGLISH} Ask Íñigo Muñoz in México.").language == "en"


def test_a_text_in_a_third_language_is_refused_unless_its_language_is_declared() -> None:
    french = "Les frais d'inscription sont payés au guichet avant le premier jour des cours. " * 3
    with pytest.raises(Unreadable, match="neither Spanish nor English"):
        read("n.txt", french)
    assert read("n.txt", french, Declared(defaults={"language": "en"})).language == "en"


def test_names_that_cannot_stand_in_an_address_stay_apart() -> None:
    slugs = {read(name, SPANISH).slug for name in ("日本.md", "語学.md", "x" * 90 + "1.md")}
    slugs.add(read("x" * 90 + "2.md", SPANISH).slug)
    assert len(slugs) == 4
    assert all(len(slug) <= 80 for slug in slugs)


def test_what_a_file_says_beats_the_defaults_and_not_what_is_fixed() -> None:
    declared = Declared(
        defaults={"topic": "general", "audience": "staff"}, fixed={"slug": "pinned"}
    )
    document = read("a.md", MARKDOWN, declared)
    assert (document.topic, document.audience) == ("payments", "students")
    assert document.id == "kb:pinned:es"
    assert read("n.txt", SPANISH, declared).audience == "staff"


def test_a_folder_lists_what_is_read_and_nothing_hidden_or_outside(tmp_path: Path) -> None:
    folder = tmp_path / "knowledge"
    (folder / "es").mkdir(parents=True)
    (folder / ".git").mkdir()
    for name in ("es/good.md", "b.PDF", "c.docx", "notes.txt", ".git/x.md", ".hidden.md", "p.py"):
        (folder / name).write_text("x")
    (tmp_path / "secret.md").write_text("x")
    (folder / "link.md").symlink_to(tmp_path / "secret.md")
    assert list_files(folder) == ["b.PDF", "c.docx", "es/good.md", "notes.txt"]
    assert read_bytes(folder, "es/good.md") == b"x"


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(Unreadable):
        list_files(tmp_path / "absent")


def test_a_file_that_is_too_large_or_no_text_is_refused() -> None:
    with pytest.raises(Unreadable, match="larger than"):
        read("a.md", "x" * (MAX_TEXT_BYTES + 1))
    with pytest.raises(Unreadable, match="UTF-8"):
        read_document("a.md", b"---\nslug: \xff\xfe\n---\n", NOTHING)
