"""Rendering: safe for a reader, with the anchors that citations open."""

import re

import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.ingest.chunk import chunk_document
from retrieval.ingest.render import render_html
from retrieval.models import Document

BODIES = {
    "markdown": "# A\n\nx\n\n## Pago en *cuotas*\n\ny\n\n"
    "## Pago en cuotas\n\nz\n\n### ¿Cuánto?\n\nw",
    "html": "<h1>A</h1><p>x</p><h2>Pago en <em>cuotas</em></h2>y<table><tr><td><h2>A</h2></td></tr>"
    "</table><div><h2>Pago en cuotas</h2><p>z</p></div><h3>¿Cuánto?</h3><p>w</p>",
}


def document(body: str, body_format: str) -> Document:
    return Document(
        id="kb:x:es",
        kind="knowledge",
        slug="x",
        language="es",
        title="T",
        body=body,
        format="html" if body_format == "html" else "markdown",
    )


@pytest.mark.parametrize("body_format", ["markdown", "html"])
def test_heading_ids_are_the_anchors_of_the_chunks(body_format: str) -> None:
    page = document(BODIES[body_format], body_format)
    ids = [h["id"] for h in BeautifulSoup(render_html(page), "html.parser").find_all(id=True)]
    assert ids == ["a", "pago-en-cuotas", "pago-en-cuotas-2", "cuanto"]
    assert [c.anchor for c in chunk_document(page)] == ids


@pytest.mark.parametrize(
    ("body_format", "body"),
    [
        ("markdown", "<script>alert(1)</script>\n\n<img src=x onerror=alert(1)>"),
        ("markdown", "[x](javascript:alert(1)) ![y](https://elsewhere.example/p.png)"),
        ("markdown", "[x](data:text/html;base64,PHNjcmlwdD4=)"),
        ("html", "<p onclick='alert(1)'>x</p><script>alert(1)</script>"),
        ("html", "<img src=x onerror=alert(1)><iframe src='//x.example'></iframe>"),
        ("html", "<a href='java\nscript:alert(1)'>x</a><a href=' JavaScript:alert(1)'>y</a>"),
        ("html", "<a href='//elsewhere.example'>x</a><svg><script>alert(1)</script></svg>"),
        ("html", "<style>body{display:none}</style><form action=/x><input name=q></form>"),
        ("html", "<a href='/x\" onmouseover=\"alert(1)'>x</a>"),
        ("html", "<p><![CDATA[<script>alert(1)</script>]]></p><!-- <script>alert(1)</script> -->"),
        ("html", "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>"),
    ],
)
def test_rendered_documents_carry_no_code_and_load_nothing(body_format: str, body: str) -> None:
    page = BeautifulSoup(render_html(document(body, body_format)), "html.parser")
    allowed = {"p", "a", "pre", "code"}
    for tag in page.find_all(True):
        assert tag.name in allowed
        assert set(tag.attrs) <= {"href", "rel"}
        assert re.match(r"(https?://|/(?!/)|#)", tag.get("href", "#"))


@given(st.text("<>/\"'=&; abchrefonclickscriptimgsvgstyle!-[]\n", max_size=200))
@settings(max_examples=300, deadline=None)
def test_no_html_gets_past_the_allow_list(source: str) -> None:
    page = BeautifulSoup(render_html(document(source, "html")), "html.parser")
    attributes = {name for tag in page.find_all(True) for name in tag.attrs}
    assert attributes <= {"id", "href", "rel", "colspan", "rowspan"}
    assert not page.find_all(["script", "style", "img", "svg", "iframe", "form", "link", "meta"])


def test_marked_section_without_a_name_is_text() -> None:
    html = render_html(document("<p>antes</p><![; <p>después</p>", "html"))
    assert "antes" in html
    assert "después" in html


def test_markup_of_the_text_survives() -> None:
    html = render_html(document("**negrita** y\n\n| a | b |\n|---|---|\n| 1 | 2 |", "markdown"))
    assert "<strong>negrita</strong>" in html
    assert "<table>" in html
    html = render_html(document("<p>a <b>b</b> <td colspan=2>c</td></p>", "html"))
    assert "<b>b</b>" in html
    assert 'colspan="2"' in html
