"""Conversations that are written down end in the database as they should, without any model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.demo_database import environment
from tests.e2e.transcript import play, read, transcripts
from tests.live import LiveApi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def api(demo_database_url: str, redis_url: str) -> Iterator[LiveApi]:
    started = LiveApi(environment(demo_database_url, redis_url)).start()
    yield started
    started.stop()


def test_there_are_six_at_least_in_each_language() -> None:
    names = [path.name for path in transcripts()]
    assert sum(name.startswith("es_") for name in names) >= 6
    assert sum(name.startswith("en_") for name in names) >= 6


@pytest.mark.parametrize("path", transcripts(), ids=lambda path: path.stem)
async def test_conversation_ends_as_it_is_written(
    api: LiveApi, demo_database_url: str, path: Path
) -> None:
    await play(read(path), api.url, demo_database_url)
