"""Killed in the middle of a large ingest, a worker is followed by another; nothing is lost."""

from pathlib import Path

import pytest

from evals.ingest.pages import write_pages
from evals.ingest.trial import growth, run_trial

PAGES = 800


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_killed_ingest_ends_like_one_that_nobody_disturbed(
    database_url: str, tmp_path: Path
) -> None:
    write_pages(tmp_path, PAGES)
    calm = await run_trial(database_url, tmp_path, kills=0, pages=PAGES, embed=False)
    hurt = await run_trial(database_url, tmp_path, kills=2, pages=PAGES, embed=False)
    assert (calm.kills, hurt.kills) == (0, 2)
    assert (hurt.job.status, hurt.job.added, hurt.job.set_aside) == ("done", PAGES, 0)
    assert (hurt.chunks, hurt.chunk_count) == (calm.chunks, calm.chunk_count)
    assert growth(calm.resident_mb) < 1.2
