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
    conn: AsyncConnection[DictRow],
    trained: Trained,
    *,
    at: datetime,
    enrolments: int,
    serves: bool = True,
) -> None:
    """Keep a recommender, and drop old versions that do not serve.

    Args:
        serves: from now on, in the place of the one before.
    """
    if serves:
        await conn.execute("UPDATE recommenders SET serves = false WHERE serves")
    values: list[Any] = [at, trained.kind, enrolments, json.dumps(trained.measures), serves]
    await conn.execute(
        "INSERT INTO recommenders (trained_at, kind, enrolments, measures, serves, packed) "
        "VALUES (%s, %s, %s, %s, %s, %s)",
        [*values, pack(trained.recommender)],
    )
    await conn.execute(
        "DELETE FROM recommenders WHERE NOT serves "
        "AND version <= (SELECT max(version) FROM recommenders) - %s",
        [_KEPT],
    )


async def serving_since(conn: AsyncConnection[DictRow]) -> datetime | None:
    """Return when the recommender that serves was trained; None before the first was."""
    rows = await conn.execute("SELECT trained_at FROM recommenders WHERE serves")
    row = await rows.fetchone()
    return row["trained_at"] if row else None


async def serving_version(conn: AsyncConnection[DictRow]) -> int | None:
    """Return the version of the recommender that serves; None before the first was trained."""
    rows = await conn.execute("SELECT version FROM recommenders WHERE serves")
    row = await rows.fetchone()
    return row["version"] if row else None


async def load_recommender(conn: AsyncConnection[DictRow]) -> Recommender | None:
    """Return the recommender that serves; None before the first was trained."""
    rows = await conn.execute("SELECT version, packed FROM recommenders WHERE serves")
    row = await rows.fetchone()
    if row is None:
        return None
    return await asyncio.to_thread(unpack, row["packed"], version=row["version"])
