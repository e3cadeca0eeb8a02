"""Whether scores are still right and fair: what serves, what drifts, who is called first."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crm.actor import Actor
from crm.db import Database
from crm.identity.permissions import Area, require
from crm.pipeline.scoring import model_store, report_store
from crm.pipeline.scoring.features import default_features
from crm.pipeline.scoring.measures import stability
from crm.pipeline.scoring.model_store import TrainedModel
from crm.pipeline.scoring.models import AdditiveModel
from crm.pipeline.scoring.moves import BANDS
from crm.pipeline.scoring.scorecard import default_scorecard

RECENT = timedelta(days=30)
EARLIER = timedelta(days=120)
#: Of fewer leads a share says nothing, and might say who they are.
FEWEST = 30
_TRAININGS = 10


@dataclass(frozen=True, slots=True)
class Drift:
    """How far a feature's recent values are from earlier ones; above .25 it is much.

    Args:
        stability_index: None with too few leads to say.
    """

    feature: str
    stability_index: float | None


@dataclass(frozen=True, slots=True)
class GroupShare:
    """How often leads of a group are among those to be called first.

    Args:
        ratio: to the group of its kind with the largest share; below .8 somebody should look.
            None with too few leads to say.
    """

    kind: str
    name: str
    leads: int
    share: float | None
    ratio: float | None


@dataclass(frozen=True, slots=True)
class ScoringReport:
    """What serves, and what is known of it."""

    model: str
    taken_at: datetime
    drifts: tuple[Drift, ...]
    groups: tuple[GroupShare, ...]
    trainings: tuple[TrainedModel, ...]


class ScoringReports:
    """Reports on scores, for staff; they name nobody."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def take(self, *, actor: Actor) -> ScoringReport:
        """Return the report of this moment.

        Raises: Denied("auth.role").
        """
        require(actor, Area.ANALYTICS)
        now, version = self._db.clock.now(), default_features().version
        async with self._db.read() as conn:
            model = await model_store.select_champion(conn, features_version=version)
            model = model or default_scorecard()
            recent = await report_store.count_cells(
                conn, model.name, since=now - RECENT, until=now + timedelta(seconds=1)
            )
            earlier = await report_store.count_cells(
                conn, model.name, since=now - EARLIER, until=now - RECENT
            )
            rows = await report_store.count_groups(
                conn, high_from=BANDS[-1], today=now.date(), since=now - report_store.WINDOW
            )
            trainings = await model_store.select_trainings(conn, limit=_TRAININGS)
        counted = [(r["kind"], r["name"], r["leads"], r["high"]) for r in rows]
        return ScoringReport(
            model.name, now, drifts_of(model, earlier, recent), shares_of(counted), (*trainings,)
        )


Counts = Sequence[tuple[int, int, int]]


def drifts_of(model: AdditiveModel, earlier: Counts, recent: Counts) -> tuple[Drift, ...]:
    """Return how far each feature's cells moved."""
    was, now = _by_scale(model, earlier), _by_scale(model, recent)
    return tuple(
        Drift(
            scale.feature,
            stability(was[place], now[place])
            if min(sum(was[place]), sum(now[place])) >= FEWEST
            else None,
        )
        for place, scale in enumerate(model.scales)
    )


def _by_scale(model: AdditiveModel, counts: Counts) -> list[list[int]]:
    table = [[0] * len(scale.weights) for scale in model.scales]
    for scale, cell, leads in counts:
        table[scale][cell] = leads
    return table


def shares_of(counted: Sequence[tuple[str, str, int, int]]) -> tuple[GroupShare, ...]:
    """Return each group's share of high scores, and its ratio to the largest of its kind.

    Source: the four-fifths rule, Uniform Guidelines on Employee Selection Procedures, 1978.
    """
    largest: dict[str, float] = defaultdict(float)
    for kind, _, leads, high in counted:
        if leads >= FEWEST:
            largest[kind] = max(largest[kind], high / leads)
    return tuple(
        GroupShare(kind, name, leads, *_share(leads, high, largest[kind]))
        for kind, name, leads, high in counted
    )


def _share(leads: int, high: int, largest: float) -> tuple[float | None, float | None]:
    if leads < FEWEST:
        return None, None
    share = high / leads
    return share, share / largest if largest else None
