"""Chunking: nothing is lost, nothing is mixed, tables stay whole."""

from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.ingest.chunk import chunk_document, estimate_tokens
from retrieval.ingest.html import read_html
from retrieval.ingest.markdown import read_markdown
from retrieval.models import Document
from retrieval.text import words_of

WORD = st.text("abcdefghijklmnñopqrstuvwxyzáéíóú", min_size=1, max_size=9)
SENTENCE = st.lists(WORD, min_size=1, max_size=40).map(lambda ws: " ".join(ws).capitalize() + ".")
PARAGRAPH = st.lists(SENTENCE, min_size=1, max_size=6).map(" ".join)
LISTING = st.lists(SENTENCE, min_size=1, max_size=6).map(lambda xs: "\n".join(f"- {x}" for x in xs))
TABLE = st.lists(st.tuples(WORD, WORD), min_size=1, max_size=60).map(
    lambda rows: "\n".join(["| a | b |", "|---|---|", *(f"| {x} | {y} |" for x, y in rows)])
)
HEADING = st.tuples(st.integers(1, 4), st.lists(WORD, min_size=1, max_size=4)).map(
    lambda h: "#" * h[0] + " " + " ".join(h[1])
)
MARKDOWN = st.lists(st.one_of(HEADING, PARAGRAPH, LISTING, TABLE), min_size=1, max_size=12).map(
    "\n\n".join
)


def document(body: str, *, title: str = "Título", html: bool = False) -> Document:
    return Document(
        id="kb:x:es",
        kind="knowledge",
        slug="x",
        language="es",
        title=title,
        body=body,
        format="html" if html else "markdown",
    )


@given(MARKDOWN, st.integers(40, 200))
@settings(max_examples=150, deadline=None)
def test_no_text_is_lost_or_reordered(body: str, limit: int) -> None:
    chunks = chunk_document(document(body), limit=limit)
    text = [b.text for b in read_markdown(body) if b.kind != "heading"]
    written = words_of(" ".join(c.text for c in chunks))
    expected = words_of(" ".join(text))
    left = iter(written)
    assert all(word in left for word in expected)
    headings = {b.text for b in read_markdown(body) if b.kind == "heading" and b.text}
    shown = {h for c in chunks for h in (*c.heading_path, c.text)}
    assert headings <= shown | {"Título"}


@given(MARKDOWN, st.integers(40, 200))
@settings(max_examples=150, deadline=None)
def test_chunks_keep_to_the_limit(body: str, limit: int) -> None:
    for chunk in chunk_document(document(body), limit=limit):
        assert chunk.tokens <= limit + 5


@given(MARKDOWN)
@settings(max_examples=150, deadline=None)
def test_every_table_that_fits_is_whole_and_of_others_every_row_under_the_head(body: str) -> None:
    chunks = chunk_document(document(body), limit=60)
    for table in (b.text for b in read_markdown(body) if b.kind == "table"):
        if estimate_tokens(table) <= 60:
            assert any(table in c.text for c in chunks)
            continue
        head, *rows = table.split("\n")
        parts = [c.text for c in chunks if head in c.text]
        assert all(any(row in part for part in parts) for row in rows)


def test_a_table_with_a_caption_repeats_both_above_every_part() -> None:
    rows = "".join(f"<tr><td>Curso {n}</td><td>{n} USD</td></tr>" for n in range(60))
    html = f"<table><caption>Precios</caption><tr><th>Curso</th><th>Precio</th></tr>{rows}</table>"
    chunks = chunk_document(document(html, html=True), limit=80)
    assert len(chunks) > 3
    assert all(c.text.startswith("| Precios |\n| Curso | Precio |\n| Curso ") for c in chunks)


def test_no_sentence_ends_after_an_abbreviation() -> None:
    sentence = "Según el art. 5 y la pág. 7 del reglamento, el Sr. Ruiz devuelve la cuota."
    chunks = chunk_document(document(" ".join([sentence] * 12)), limit=60)
    assert len(chunks) > 2
    assert all(c.text.startswith("Según") and c.text.endswith("cuota.") for c in chunks)


@given(MARKDOWN)
@settings(max_examples=150, deadline=None)
def test_anchors_name_headings_uniquely_and_chunks_use_them(body: str) -> None:
    anchors = [b.anchor for b in read_markdown(body) if b.kind == "heading"]
    assert len(set(anchors)) == len(anchors)
    assert all(anchors)
    assert {c.anchor for c in chunk_document(document(body))} <= {"", *anchors}


def test_sections_are_never_mixed() -> None:
    chunks = chunk_document(document("Antes.\n\n## Uno\n\nA.\n\n### Dos\n\nB.\n\n## Tres\n\nC."))
    assert [(c.anchor, c.heading_path, c.text) for c in chunks] == [
        ("", ("Título",), "Antes."),
        ("uno", ("Título", "Uno"), "A."),
        ("dos", ("Título", "Uno", "Dos"), "B."),
        ("tres", ("Título", "Tres"), "C."),
    ]


def test_the_first_heading_is_not_repeated_when_it_is_the_title() -> None:
    chunks = chunk_document(document("# título\n\nTexto.\n\n## Parte\n\nMás."))
    assert [c.heading_path for c in chunks] == [("Título",), ("Título", "Parte")]


def test_a_heading_without_text_is_kept_as_text() -> None:
    chunks = chunk_document(document("## Cerrado\n\n## Abierto\n\nDe 9 a 18."))
    assert [c.text for c in chunks] == ["Cerrado", "De 9 a 18."]


def test_a_long_paragraph_is_cut_between_sentences() -> None:
    body = " ".join(f"La frase número {n} habla de otra cosa distinta." for n in range(40))
    chunks = chunk_document(document(body), limit=60)
    assert len(chunks) > 5
    assert all(c.text.startswith("La frase") and c.text.endswith(".") for c in chunks)


def test_headings_go_before_the_text_that_is_embedded() -> None:
    (chunk,) = chunk_document(document("## Plazos\n\nDiez días.", title="Reembolsos"))
    assert chunk.embedding_text == "Reembolsos: Plazos.\nDiez días."


def test_html_is_cut_like_markdown() -> None:
    markdown = "## Uno\n\nA b.\n\n- x\n- y\n\n| a | b |\n|---|---|\n| 1 | 2 |"
    html = (
        "<h2>Uno</h2><p>A b.</p><ul><li>x</li><li>y</li></ul>"
        "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>"
    )
    assert [(b.kind, b.text) for b in read_html(html)] == [
        (b.kind, b.text) for b in read_markdown(markdown)
    ]
    assert chunk_document(document(html, html=True)) == chunk_document(document(markdown))


def test_token_estimate_grows_with_the_text() -> None:
    assert estimate_tokens("") == 1
    assert 8 <= estimate_tokens("¿Cuánto cuesta el curso de Python?") <= 14
