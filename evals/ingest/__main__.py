"""`python -m evals.ingest`: pages, a worker over them, kills, and what is stored in the end.

It needs a database of its own, migrated (`ORIENTA_DATABASE_URL`); its index is emptied.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from evals.ingest.pages import write_pages
from evals.ingest.trial import Trial, growth, run_trial, work


def _lines(name: str, trial: Trial) -> Iterator[str]:
    job, rate = trial.job, trial.job.items_done / trial.seconds
    yield (
        f"{name}: {job.status}, {job.items_done} pages, {job.added} added, {job.set_aside} set"
        f" aside, {trial.chunk_count} passages, {trial.vectors} vectors, {trial.kills} kills,"
        f" {trial.seconds:.0f} s ({rate:.0f} pages/s)"
    )
    if trial.resident_mb:
        known = [r for r in trial.resident_mb if r]
        yield f"  memory: {known[len(known) // 4]:.0f} MB at a quarter, {max(known):.0f} MB at most"
        yield f"  last quarter ÷ second: {growth(trial.resident_mb):.2f}"


async def _compare(url: str, *, pages: int, kills: int, embed: bool) -> bool:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_pages(folder, pages)
        calm = await run_trial(url, folder, kills=0, pages=pages, embed=embed)
        hurt = await run_trial(url, folder, kills=kills, pages=pages, embed=embed)
    same = calm.chunks == hurt.chunks and calm.job.added == hurt.job.added == pages
    for line in (*_lines("undisturbed", calm), *_lines("killed", hurt)):
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"same passages: {same}\n")
    return same


def main() -> None:
    """Run the trial, or one worker of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--embed", action="store_true", help="with the fast embedder")
    parser.add_argument("--work", type=UUID, help=argparse.SUPPRESS)
    options = parser.parse_args()
    url = os.environ["ORIENTA_DATABASE_URL"]
    if options.work is not None:
        asyncio.run(work(url, options.work, embed=options.embed))
        return
    trial = _compare(url, pages=options.pages, kills=options.kills, embed=options.embed)
    sys.exit(0 if asyncio.run(trial) else 1)


if __name__ == "__main__":
    main()
