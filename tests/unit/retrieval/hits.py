"""Hits as a search returns them."""

from retrieval.models import Hit, Language


def hit(
    text: str, *, slug: str = "a", language: Language = "es", chunk_id: int = 1, score: float = 1.0
) -> Hit:
    return Hit(
        chunk_id=chunk_id,
        document_id=f"kb:{slug}:{language}",
        version=1,
        kind="knowledge",
        slug=slug,
        language=language,
        audience="public",
        topic="",
        title="Título",
        anchor="",
        heading_path=("Título",),
        text=text,
        url="/x",
        valid_from=None,
        metadata={},
        score=score,
    )
