"""The SQL of recommenders: versions of matrices of courses, none of them about a person."""

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import DictRow

from retrieval.recommend.artefact import pack, unpack
from retrieval.recommend.recommender import Recommender
from retrieval.recommend.training import Trained

#: Older versions are of no use to anybody.
_KEPT = 5


@dataclass(frozen=True, slots=True)
class TrainedOn:
    """When the newest recommender was made, and of how many enrolments."""

    at: datetime
    enrolments: int


async def newest_training(conn: AsyncConnection[DictRow]) -> TrainedOn | None:
    """Return what the newest recommender was made of; None before the first."""
    rows = await conn.execute(
        "SELECT trained_at, enrolments FROM recommenders ORDER BY version DESC LIMIT 1"
    )
    row = await rows.fetchone()
    return TrainedOn(row["trained_at"], row["enrolments"]) if row else None


async def save_recommender(
    conn: AsyncConnection[DictRow], trained: Trained, *, at: datetime, enrolments: int
) -> None:
    """Let a recommender serve from now on, and drop old versions."""
    values: list[Any] = [at, trained.kind, enrolments, json.dumps(trained.measures)]
    await conn.execute(
        "INSERT INTO recommenders (trained_at, kind, enrolments, measures, packed) "
        "VALUES (%s, %s, %s, %s, %s)",
        [*values, pack(trained.recommender)],
    )
    await conn.execute(
        "DELETE FROM recommenders WHERE version <= (SELECT max(version) FROM recommenders) - %s",
        [_KEPT],
    )


async def serving_version(conn: AsyncConnection[DictRow]) -> int | None:
    """Return the version of the recommender that serves; None before the first was trained."""
    rows = await conn.execute("SELECT max(version) AS version FROM recommenders")
    row = await rows.fetchone()
    return row["version"] if row else None


async def load_recommender(conn: AsyncConnection[DictRow]) -> Recommender | None:
    """Return the recommender that serves; None before the first was trained."""
    rows = await conn.execute(
        "SELECT version, packed FROM recommenders ORDER BY version DESC LIMIT 1"
    )
    row = await rows.fetchone()
    if row is None:
        return None
    return await asyncio.to_thread(unpack, row["packed"], version=row["version"])
