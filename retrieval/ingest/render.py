"""Renders a document as a safe page fragment for the reader of a citation."""

from retrieval.ingest.html import render_html_body
from retrieval.ingest.markdown import render_markdown
from retrieval.models import Document


def render_html(document: Document) -> str:
    """Return safe HTML whose heading ids are the anchors that citations open."""
    if document.format == "html":
        return render_html_body(document.body)
    return render_markdown(document.body)
