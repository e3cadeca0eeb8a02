"""`orienta search`: what it finds, what it marks, and what it says when nothing is certain."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from retrieval.ingest.service import IngestService
from retrieval.models import Document
from retrieval.stores.pgvector import PgVectorStore
from tests.integration.retrieval.conftest import make_pool

if TYPE_CHECKING:
    from pathlib import Path

    from api.settings import Settings

BODY = (
    "## Alquiler\n\nSe pide en portería. El alquiler de la taquilla [bold]cuesta[/bold] diez soles."
)


@pytest.fixture(scope="module")
async def given(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment whose database holds one public document and one of the staff."""
    assert settings.database_url is not None
    assert settings.redis_url is not None
    documents = [
        Document(
            id=f"kb:{slug}:es",
            kind="knowledge",
            slug=slug,
            language="es",
            title="Taquillas",
            body=body,
            audience=audience,  # type: ignore[arg-type]
        )
        for slug, audience, body in (
            ("taquillas", "public", BODY),
            ("llaves", "staff", "## Llaves\n\nLa llave maestra de la taquilla está en el cajón."),
        )
    ]
    async with make_pool(settings.database_url) as pool:
        await IngestService(PgVectorStore(pool), None).ingest_documents(documents, collection="x")
    home: Path = tmp_path_factory.mktemp("home")
    return {
        **os.environ,
        "ORIENTA_HOME": str(home),
        "ORIENTA_DATABASE_URL": settings.database_url,
        "ORIENTA_REDIS_URL": settings.redis_url,
        "ORIENTA_EMBEDDER": "none",
        "COLUMNS": "200",
    }


def run(given: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "api.cli", "search", *arguments]
    done = subprocess.run(command, env=given, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_for_programs_it_says_what_was_asked_for_and_what_answers(given: dict[str, str]) -> None:
    out = run(given, "cuánto cuesta el alquiler de una taquilla", "--kind", "knowledge", "--json")
    (answer,) = json.loads(out)
    assert [hit["slug"] for hit in answer["hits"]] == ["taquillas"], "staff documents stay inside"
    (hit,) = answer["hits"]
    assert hit["words"] == ["alquiler", "taquilla", "cuesta"]
    assert hit["sentence"].startswith("El alquiler")
    assert (answer["query_language"], answer["mode"]) == ("es", "lexical")


def test_for_people_text_is_shown_as_it_stands(given: dict[str, str]) -> None:
    out = run(given, "cuánto cuesta el alquiler de una taquilla", "--kind", "knowledge")
    assert "Taquillas › Alquiler" in out
    assert "[bold]cuesta[/bold]" in out
    assert "/knowledge/kb:taquillas:es@1#alquiler" in out


def test_nothing_certain_is_said_in_the_language_of_the_question(given: dict[str, str]) -> None:
    out = run(given, "what will the weather be like tomorrow in the mountains?")
    assert out.count("I do not know") == 2
