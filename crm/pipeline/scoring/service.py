"""Use cases of scores: compute them in batches, and explain one."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np

from crm.actor import SERVICE_ACTOR, Actor
from crm.db import Database, UnitOfWork
from crm.errors import NotFound
from crm.identity.permissions import Area, require
from crm.ids import PersonId, new_id
from crm.journal.audit import performed, shown
from crm.people.authority import audits_reads
from crm.people.models import Locale
from crm.pipeline.events import LeadScored, LeadsScored
from crm.pipeline.models import LeadId
from crm.pipeline.scoring import history_store, model_store, store
from crm.pipeline.scoring.contest import enough, hold_contest
from crm.pipeline.scoring.facts import Batch, LeadFacts, batch_of
from crm.pipeline.scoring.features import default_features
from crm.pipeline.scoring.model_store import TrainedModel
from crm.pipeline.scoring.models import AdditiveModel, Explanation
from crm.pipeline.scoring.moves import is_move, most_moved
from crm.pipeline.scoring.scorecard import default_scorecard
from crm.pipeline.scoring.store import Scoring
from crm.pipeline.scoring.training import Seen

#: As many leads that something happened with are scored together.
DUE_BATCH = 1_000
#: Older leads say little about today's.
MOST_LEARNT = 100_000


@dataclass(frozen=True, slots=True)
class ScoreReading:
    """A lead's score as it stands.

    Args:
        language: in which the person is talked to.
        model: that explains it; its scales have the cells' bounds.
    """

    lead_id: LeadId
    person_id: PersonId
    language: Locale
    model: AdditiveModel
    explanation: Explanation
    scored_at: datetime


@dataclass(frozen=True, slots=True)
class Scored:
    """What a batch came to: which lines to write, whose score moved, and the digest of all."""

    lines: Sequence[str]
    moves: Sequence[LeadScored]
    digest: bytes


class ScoringService:
    """The scores of leads."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def mark_due(self, *, lead_id: UUID | None = None, person_id: UUID | None = None) -> None:
        """Let a lead, or all open leads of a person, be scored anew within seconds."""
        async with self._db.transaction() as uow:
            await store.mark_due(uow.conn, lead_id=lead_id, person_id=person_id)

    async def has_due(self) -> bool:
        """Return whether a lead waits to be scored anew."""
        async with self._db.read() as conn:
            return await store.has_due(conn)

    async def language_of(self, lead_id: UUID) -> Locale:
        """Return in which language the person of a lead is talked to.

        Raises: NotFound("lead.unknown").
        """
        async with self._db.read() as conn:
            addressee = await store.select_addressee(conn, lead_id)
        if addressee is None:
            raise NotFound("lead.unknown", "There is no such lead.")
        return addressee[1]

    async def last_whole(self) -> datetime | None:
        """Return when all leads were last scored."""
        async with self._db.read() as conn:
            return await store.select_last_whole(conn)

    async def score(self, uow: UnitOfWork, *, whole: bool, actor: Actor) -> Scoring | None:
        """Score all open leads, or a batch of those that something happened with.

        Only what changed is written; `LeadScored` tells of those who moved most.

        Returns: None when nothing was due.
        Raises: Denied("auth.role").
        """
        require(actor, Area.PIPELINE, write=True)
        due = None if whole else await store.take_due(uow.conn, limit=DUE_BATCH)
        if whole:
            await store.forget_due(uow.conn)
        elif not due:
            return None
        model, now = await self._serving(uow), uow.clock.now()
        facts = await store.select_facts(uow.conn, at=now, lead_ids=due)
        # Arithmetic over many leads would hold up everything else in this process.
        scored = await asyncio.to_thread(score_leads, model, facts, now)
        if scored.lines:
            await store.copy_scores(uow.conn, scored.lines)
        scoring = Scoring(
            id=new_id(),
            model=model.name,
            whole=whole,
            leads=len(facts),
            changed=len(scored.lines),
            digest=scored.digest,
            scored_at=now,
        )
        await store.insert_scoring(uow.conn, scoring)
        for move in scored.moves:
            uow.publish(move)
        if scored.lines:
            uow.publish(LeadsScored(scoring_id=scoring.id, changed=scoring.changed))
        return scoring

    async def train(self) -> TrainedModel | None:
        """Train a model on the leads whose outcome is known; it serves only if it wins.

        Returns: None while there is too little to learn from.
        Raises: Unavailable("score.trainer").
        """
        features, now = default_features(), self._db.clock.now()
        async with self._db.read() as conn:
            facts, outcomes = await history_store.select_history(conn, now=now, most=MOST_LEARNT)
        labels = np.array(outcomes, dtype=np.bool_)
        if not enough(labels):
            return None
        seen = Seen(batch_of(facts).columns, labels)
        async with self._db.transaction() as uow:
            champion = await self._serving(uow)
        # Training takes seconds: it holds neither a connection nor the event loop.
        held = await asyncio.to_thread(hold_contest, seen, champion, features)
        async with self._db.transaction() as uow:
            version = await model_store.insert_model(
                uow.conn,
                held.model,
                leads=len(seen),
                won=held.won,
                measures=held.measures,
                at=now,
            )
            told = {"version": version, "won": held.won, "leads": len(seen), **held.measures}
            uow.audit(performed(SERVICE_ACTOR, "score.train", payload=told))
        return TrainedModel(version, now, len(seen), held.won, held.measures)

    async def last_training(self) -> datetime | None:
        """Return when a model was last trained."""
        async with self._db.read() as conn:
            trained = await model_store.select_trainings(conn, limit=1)
        return trained[0].trained_at if trained else None

    async def read_score(self, lead_id: LeadId, *, actor: Actor) -> ScoreReading:
        """Return a lead's score with where it comes from; the reading is audited.

        Raises: NotFound("score.unknown"): no such lead, or it was not scored yet;
            Denied("auth.role").
        """
        require(actor, Area.PIPELINE)
        async with self._db.audited_read() as uow:
            reading = await self._read(uow, lead_id)
            if audits_reads(actor):
                uow.audit(shown(actor, "score.read", [reading.person_id], lead_id=lead_id))
        return reading

    async def explain_within(self, uow: UnitOfWork, lead_id: LeadId) -> Explanation | None:
        """Return why a lead's score is what it is, for what follows from it; None without one."""
        line = await store.select_score(uow.conn, lead_id)
        model = await self._named(uow, line.model) if line else None
        return model.explain(line.cells, default_features()) if line and model else None

    async def _read(self, uow: UnitOfWork, lead_id: LeadId) -> ScoreReading:
        line = await store.select_score(uow.conn, lead_id)
        addressee = await store.select_addressee(uow.conn, lead_id)
        model = await self._named(uow, line.model) if line else None
        if line is None or addressee is None or model is None:
            raise NotFound("score.unknown", "This lead has no score yet.")
        explanation = model.explain(line.cells, default_features())
        return ScoreReading(lead_id, *addressee, model, explanation, line.scored_at)

    async def _serving(self, uow: UnitOfWork) -> AdditiveModel:
        version = default_features().version
        trained = await model_store.select_champion(uow.conn, features_version=version)
        return trained or default_scorecard()

    async def _named(self, uow: UnitOfWork, name: str) -> AdditiveModel | None:
        card = default_scorecard()
        return card if card.name == name else await model_store.select_named(uow.conn, name)


def score_leads(model: AdditiveModel, facts: Sequence[LeadFacts], at: datetime) -> Scored:
    """Return what has to be written of the scores of these leads."""
    if not facts:
        return Scored([], [], hashlib.sha256().digest())
    batch = batch_of(facts)
    cells = model.cells(batch.columns)
    scores = model.scores(cells)
    digest = hashlib.sha256(b"".join(i.bytes for i in batch.lead_ids) + scores.tobytes()).digest()
    packed, width = cells.tobytes(), cells.shape[1]
    rows = [packed[start : start + width] for start in range(0, len(packed), width)]
    changed = [
        place
        for place, (row, last, name) in enumerate(
            zip(rows, batch.last_cells, batch.last_models, strict=True)
        )
        if row != last or name != model.name
    ]
    stamp = at.isoformat()
    lines = [
        f"{new_id()}\t{batch.lead_ids[i]}\t{scores[i]}\t{model.name}\t\\\\x{rows[i].hex()}\t{stamp}\n"
        for i in changed
    ]
    return Scored(lines, _moves(batch, scores.tolist(), changed), digest)


def _moves(batch: Batch, scores: list[int], changed: Sequence[int]) -> list[LeadScored]:
    moved = [i for i in changed if is_move(batch.last_scores[i], scores[i])]
    return [
        LeadScored(
            lead_id=batch.lead_ids[i],
            person_id=batch.person_ids[i],
            score=scores[i],
            before=batch.last_scores[i],
        )
        for i in most_moved(moved, batch.last_scores, scores)
    ]
