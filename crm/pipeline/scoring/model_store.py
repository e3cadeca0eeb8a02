"""The SQL of trained models: tables of weights, none of them about a person."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from crm.db import Connection
from crm.pipeline.scoring.models import AdditiveModel, from_plain, to_plain

#: What a stored score calls a trained model, before its version.
PREFIX = "trained-"


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A model that was trained, whether it serves or did not win.

    Args:
        measures: on leads that it was not trained on, with those of what served then.
    """

    version: int
    trained_at: datetime
    leads: int
    won: bool
    measures: Mapping[str, float]


async def insert_model(
    conn: Connection,
    model: AdditiveModel,
    *,
    leads: int,
    won: bool,
    measures: Mapping[str, float],
    at: datetime,
) -> int:
    """Keep a model, and let it serve from now on if it won; return its version."""
    rows = await conn.execute(
        "INSERT INTO score_models (trained_at, features_version, leads, won, measures, model) "
        "VALUES (%s, %s, %s, %s, %s, %s) RETURNING version",
        [at, model.features_version, leads, won, Jsonb(dict(measures)), Jsonb(to_plain(model))],
    )
    row = await rows.fetchone()
    assert row is not None  # noqa: S101
    return int(row["version"])


async def select_champion(conn: Connection, *, features_version: int) -> AdditiveModel | None:
    """Return the trained model that serves; None while the scorecard does."""
    rows = await conn.execute(
        "SELECT version, model FROM score_models WHERE won AND features_version = %s "
        "ORDER BY version DESC LIMIT 1",
        [features_version],
    )
    return _model(await rows.fetchone())


async def select_named(conn: Connection, name: str) -> AdditiveModel | None:
    """Return a trained model by what stored scores call it."""
    version = name.removeprefix(PREFIX)
    if version == name or not version.isdecimal():
        return None
    rows = await conn.execute(
        "SELECT version, model FROM score_models WHERE version = %s", [int(version)]
    )
    return _model(await rows.fetchone())


async def select_trainings(conn: Connection, *, limit: int) -> list[TrainedModel]:
    """Return the latest trainings, the newest first."""
    rows = await conn.execute(
        "SELECT version, trained_at, leads, won, measures FROM score_models "
        "ORDER BY version DESC LIMIT %s",
        [limit],
    )
    return [TrainedModel(**row) for row in await rows.fetchall()]


def _model(row: DictRow | None) -> AdditiveModel | None:
    return from_plain(f"{PREFIX}{row['version']}", row["model"]) if row else None
