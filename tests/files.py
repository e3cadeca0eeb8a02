"""Makes the PDF and Word files that tests read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

from docx import Document as WordDocument
from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Frame,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

Rows = Sequence[Sequence[str]]
STYLES = getSampleStyleSheet()


def pdf(
    parts: Sequence[tuple[str, str] | Rows],
    *,
    columns: int = 1,
    title: str = "",
    running_head: str = "",
    password: str = "",
) -> bytes:
    """Write a PDF of headings (`h1`, `h2`), paragraphs (`p`) and ruled tables."""
    width, height = A4
    column = (width - 100) / columns
    frames = [Frame(50 + n * column, 60, column - 12, height - 130) for n in range(columns)]

    def dress(canvas: Canvas, template: BaseDocTemplate) -> None:
        canvas.setFont("Helvetica", 8)
        canvas.drawString(50, height - 30, running_head)
        canvas.drawCentredString(width / 2, 25, f"Página {canvas.getPageNumber()}")

    out = io.BytesIO()
    encryption = StandardEncryption(password) if password else None
    template = BaseDocTemplate(out, pagesize=A4, title=title or None, encrypt=encryption)
    template.addPageTemplates([PageTemplate(frames=frames, onPage=dress)])
    template.build([flowable for part in parts for flowable in _flowables(part)])
    return out.getvalue()


def _flowables(part: tuple[str, str] | Rows) -> list[object]:
    if isinstance(part, tuple) and isinstance(part[0], str):
        name, text = part
        style = {"h1": "Heading1", "h2": "Heading2", "p": "BodyText"}[name]
        return [Paragraph(str(text), STYLES[style])]
    grid = TableStyle([("GRID", (0, 0), (-1, -1), 0.5, "black")])
    return [Spacer(1, 8), Table([list(row) for row in part], style=grid), Spacer(1, 8)]


def blank_pdf() -> bytes:
    """Write a PDF whose page holds a picture's frame and no text, as a scan does."""
    out = io.BytesIO()
    canvas = Canvas(out)
    canvas.rect(50, 50, 300, 300, fill=1)
    canvas.save()
    return out.getvalue()


def docx(parts: Sequence[tuple[str, str] | Rows], *, title: str = "") -> bytes:
    """Write a Word file of headings, paragraphs, list items (`li`, `ol`) and tables."""
    word = WordDocument()
    word.core_properties.title = title
    for part in parts:
        if isinstance(part, tuple) and isinstance(part[0], str):
            name, text = str(part[0]), str(part[1])
            if name.startswith("h"):
                word.add_heading(text, int(name[1]))
            else:
                styles = {"li": "List Bullet", "ol": "List Number"}
                word.add_paragraph(text, style=styles.get(name))
            continue
        table = word.add_table(rows=0, cols=len(part[0]))
        for row in part:
            for cell, text in zip(table.add_row().cells, row, strict=True):
                cell.text = text
    out = io.BytesIO()
    word.save(out)
    return out.getvalue()


def with_member(archive: bytes, name: str, content: bytes) -> bytes:
    """Add a member to an archive, or put it in the place of the one of this name."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(archive)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for member in old.namelist():
            if member != name:
                new.writestr(member, old.read(member))
        new.writestr(name, content)
    return out.getvalue()
