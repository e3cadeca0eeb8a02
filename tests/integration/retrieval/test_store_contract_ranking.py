"""What every search store does alike when it ranks by words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.integration.retrieval.shelves import PUBLIC, Shelf, document, find_words, put, slugs


async def test_a_word_that_is_known_is_never_taken_for_a_typo(shelf: Shelf) -> None:
    await put(shelf, [document("tent", "La carpa azul."), document("letter", "La carta azul.")])
    assert slugs(await find_words(shelf, "carpa")) == ["tent"]


async def test_languages_and_kinds_do_not_mix(shelf: Shelf) -> None:
    spanish = document("refund", "La devolución tarda diez días.")
    english = document("refund", "A refund takes ten days.", "en")
    course = document("refund", "Curso sobre devolución de mercadería.", kind="course")
    await put(shelf, [spanish, english, course])
    found = await find_words(shelf, "devolución")
    assert [(m.document_id, m.language) for m in found] == [("knowledge:refund:es", "es")]
    courses = replace(PUBLIC, kind="course")
    assert [m.document_id for m in await find_words(shelf, "devolución", scope=courses)] == [
        "course:refund:es"
    ]
    assert await find_words(shelf, "devolución", "en") == []


async def test_the_chunk_with_more_of_the_rare_words_comes_first(shelf: Shelf) -> None:
    texts = {
        "both": "La beca cubre el transporte de ida.",
        "rare": "El transporte sale temprano de casa.",
        "common": "La beca se pide cada año.",
        "other": "Otra beca distinta se pide aparte.",
    }
    await put(shelf, [document(slug, text) for slug, text in texts.items()])
    found = await find_words(shelf, "beca transporte")
    assert slugs(found)[:2] == ["both", "rare"]
    assert found[0].score > found[1].score > found[2].score > 0


async def test_a_word_said_more_often_counts_more_and_a_long_text_less(shelf: Shelf) -> None:
    filler = " ".join(f"relleno{n}" for n in range(40))
    await put(
        shelf,
        [
            document("once", "La matrícula empieza hoy mismo."),
            document("often", "La matrícula, matrícula y matrícula."),
            document("long", f"La matrícula empieza hoy {filler}."),
        ],
    )
    assert slugs(await find_words(shelf, "matrícula")) == ["often", "once", "long"]


async def test_scores_are_those_of_bm25(shelf: Shelf) -> None:
    """One document, one word: ln(1 + 0.5/1.5) × 2.2 / (1 + 1.2) by the formula, whatever store."""
    await put(shelf, [document("only", "Matrícula.", title="Matrícula")])
    (found,) = await find_words(shelf, "matrícula")
    frequency = 2  # title and text
    expected = np.log(1 + 0.5 / 1.5) * frequency * 2.2 / (frequency + 1.2)
    assert found.score == pytest.approx(expected, rel=0.35)


async def test_a_common_word_covers_less_than_a_rare_one(shelf: Shelf) -> None:
    texts = ["La beca y el transporte.", "La beca uno.", "La beca dos.", "La beca tres."]
    await put(shelf, [document(f"d{n}", text) for n, text in enumerate(texts)])
    found = {m.slug: m.coverage for m in await find_words(shelf, "beca transporte")}
    assert found["d0"] == pytest.approx(1)
    assert found["d1"] == found["d2"] == found["d3"] < 0.2


async def test_only_so_many_are_returned_those_with_every_word_first(shelf: Shelf) -> None:
    texts = [f"La beca número {n}{' de transporte' * (n > 8)}." for n in range(12)]
    await put(shelf, [document(f"d{n:02}", text) for n, text in enumerate(texts)])
    assert len(await find_words(shelf, "beca transporte", limit=50)) == 12
    assert set(slugs(await find_words(shelf, "beca transporte", limit=3))) == {"d09", "d10", "d11"}


async def test_nothing_is_found_where_there_is_nothing(shelf: Shelf) -> None:
    await put(shelf, [])
    assert await find_words(shelf, "devolución") == []
    assert await find_words(shelf, "refund", "en") == []
