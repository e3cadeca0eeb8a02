"""Which documents a page shows, and how."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from api.web.document_views import (
    find_public_document,
    list_public_documents,
    view_document,
)
from retrieval.models import Document, Kind, Language
from retrieval.stores.protocol import Scope

BODY = """# Retiros

Puedes retirarte.

## Cuánto se devuelve

Depende <script>alert(1)</script> del día.

### La reserva

Igual.
"""


TODAY = date(2026, 11, 24)


def begun(document: Document, on: date) -> bool:
    return document.valid_from is None or document.valid_from <= on


class Shelf:
    """Documents and their versions, in memory."""

    def __init__(self, *documents: Document) -> None:
        self._all = documents

    async def get_document(
        self, document_id: str, version: int | None = None, *, on: date
    ) -> Document | None:
        named = [d for d in self._all if d.id == document_id]
        found = [d for d in named if (begun(d, on) if version is None else d.version == version)]
        return max(found, key=lambda d: d.version, default=None)

    async def find_document(
        self, kind: Kind, slug: str, language: Language, *, on: date, version: int | None = None
    ) -> Document | None:
        for document in self._all:
            if (document.kind, document.slug, document.language) == (kind, slug, language):
                return await self.get_document(document.id, version, on=on)
        return None

    async def list_documents(
        self, scope: Scope, *, language: Language | None = None, after: str = "", limit: int = 50
    ) -> list[Document]:
        return [d for d in self._all if d.audience in scope.audiences and d.language == language]


def _document(**changes: object) -> Document:
    plain = Document(
        id="kb:refunds:es",
        kind="knowledge",
        slug="refunds",
        language="es",
        title="Retiros",
        body=BODY,
        valid_from=date(2026, 1, 1),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


async def test_document_is_found_by_id_and_by_name_in_either_language() -> None:
    shelf = Shelf(_document())
    for name in ("kb:refunds:es", "refunds"):
        found = await find_public_document(shelf, name, None, "en", today=TODAY)
        assert found is not None
        assert found.id == "kb:refunds:es"


@pytest.mark.parametrize("audience", ["students", "staff"])
@pytest.mark.parametrize("name", ["kb:refunds:es", "refunds"])
async def test_document_that_is_not_public_is_not_shown(audience: str, name: str) -> None:
    shelf = Shelf(_document(audience=audience))
    assert await find_public_document(shelf, name, None, "es", today=TODAY) is None
    assert await list_public_documents(shelf, "es", today=TODAY) == []


async def test_unknown_version_is_not_shown() -> None:
    assert (
        await find_public_document(Shelf(_document()), "kb:refunds:es", 7, "es", today=TODAY)
        is None
    )


async def test_version_that_holds_only_later_is_not_shown_yet() -> None:
    old, new = _document(), _document(version=2, valid_from=date(2026, 12, 1))
    shelf = Shelf(old, new)
    assert await find_public_document(shelf, "kb:refunds:es", 2, "es", today=TODAY) is None
    assert await find_public_document(shelf, "refunds", None, "es", today=TODAY) == old
    assert (await view_document(shelf, old, "es", today=TODAY)).newer is None
    then = date(2026, 12, 1)
    assert await find_public_document(shelf, "kb:refunds:es", 2, "es", today=then) == new
    assert (await view_document(shelf, old, "es", today=then)).newer == 2


async def test_text_is_cut_at_headings_so_that_the_cited_part_can_stand_out() -> None:
    view = await view_document(Shelf(_document()), _document(), "es", today=TODAY)
    assert len(view.sections) == 3
    assert view.sections[1].startswith('<h2 id="cuanto-se-devuelve">')
    assert "La reserva" not in view.sections[1]
    assert [heading.anchor for heading in view.contents] == ["cuanto-se-devuelve"]
    assert view.valid_from == "vigente desde el 1 de enero de 2026"


async def test_markup_in_a_document_is_not_executed() -> None:
    view = await view_document(Shelf(_document()), _document(), "es", today=TODAY)
    assert "<script" not in "".join(view.sections)


async def test_earlier_version_points_to_the_one_in_force() -> None:
    old, new = _document(version=1), _document(version=2)
    shown = await view_document(Shelf(old, new), old, "es", today=TODAY)
    assert shown.newer == 2
    assert shown.newer_url == "/knowledge/kb:refunds:es@2"
    assert (await view_document(Shelf(old, new), new, "es", today=TODAY)).newer is None


async def test_translation_is_offered_when_anybody_may_read_it() -> None:
    english = _document(id="kb:refunds:en", language="en", title="Refunds")
    shown = await view_document(Shelf(_document(), english), _document(), "es", today=TODAY)
    assert shown.other_url == "/knowledge/kb:refunds:en@1"
    hidden = Shelf(_document(), replace(english, audience="staff"))
    assert (await view_document(hidden, _document(), "es", today=TODAY)).other_language is None
