"""Processes that write at once, some of them killed: an effect is there if its record is, once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.integration.crm.journal.scribe import SHARED, own_chain

if TYPE_CHECKING:
    from collections.abc import Iterator

Archive = Any
ROOT = Path(__file__).parents[4]
MUCH = 10_000

EFFECTS = "SELECT code FROM areas WHERE code LIKE 'scribe%'"
RECORDS = "SELECT effect_key AS code FROM audit_events WHERE effect_key LIKE 'scribe%'"
#: Somebody waits for a row that this very connection holds.
WAITS = """
    SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid)))
"""


class Scribe:
    """One writing process."""

    def __init__(self, url: str, name: str, count: int) -> None:
        self.name = name
        self.said: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.crm.journal.scribe", url, name, str(count)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )

    def listen(self, count: int = MUCH) -> None:
        """Hear so much of what it has committed, or all."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.strip())
            count -= 1
            if not count:
                return

    def kill(self) -> None:
        """End it at once, and hear what it had still said."""
        self.process.kill()
        self.end()

    def end(self) -> int:
        """Hear all it says, and return how it ended."""
        self.listen()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return self.process.wait()


@pytest.fixture
def blocker(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url) as connection:
        yield connection


@pytest.mark.slow
async def test_effects_and_records_agree_whoever_is_killed(
    archive: Archive, database_url: str, blocker: psycopg.Connection
) -> None:
    steady = [Scribe(database_url, f"scribe-{number}", 60) for number in range(3)]
    killed = []
    for number in range(4):
        victim = Scribe(database_url, f"scribe-v{number}", MUCH)
        victim.listen(10 + 3 * number)
        if number % 2:
            _hold_in_mid_append(blocker, victim)
        victim.kill()
        blocker.rollback()
        killed.append(victim)
    assert [scribe.end() for scribe in steady] == [0, 0, 0]

    effects, records = [await _codes(archive, sql) for sql in (EFFECTS, RECORDS)]
    assert sorted(effects) == sorted(records)
    assert len(set(records)) == len(records)
    said = {code for scribe in [*steady, *killed] for code in scribe.said}
    assert said <= set(effects)
    # What was committed and not said any more: at most the last transaction of each that died.
    assert len(effects) - len(said) <= 2 * len(killed)
    found = await archive.journal.verify_chains()
    assert found.broken == ()
    assert found.events == len(records)
    assert await _length(archive, SHARED) == len(records) / 2
    assert await _length(archive, own_chain("scribe-0")) == 48


def _hold_in_mid_append(blocker: psycopg.Connection, victim: Scribe) -> None:
    """Wait until the victim has written its effects and waits for the head of its chain."""
    blocker.execute(
        "SELECT FROM audit_chains WHERE chain_id = %s FOR UPDATE", [own_chain(victim.name)]
    )
    while True:
        row = blocker.execute(WAITS).fetchone()
        if row is not None and row[0]:
            return


async def _codes(archive: Archive, sql: str) -> list[str]:
    async with archive.database.read() as conn:
        rows = await conn.execute(sql)
        return [row["code"] for row in await rows.fetchall()]


async def _length(archive: Archive, chain_id: object) -> int:
    length: int = await archive.count(
        "SELECT count(*) FROM audit_events WHERE chain_id = %s", chain_id
    )
    return length
