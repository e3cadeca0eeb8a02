"""Use cases of scores: compute them in batches, and explain one."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from crm.actor import Actor
from crm.db import Database, UnitOfWork
from crm.errors import NotFound
from crm.identity.permissions import Area, require
from crm.ids import PersonId, new_id
from crm.journal.audit import shown
from crm.people.authority import audits_reads
from crm.pipeline.events import LeadScored, LeadsScored
from crm.pipeline.models import LeadId
from crm.pipeline.scoring import store
from crm.pipeline.scoring.facts import Batch, LeadFacts, batch_of
from crm.pipeline.scoring.features import default_features
from crm.pipeline.scoring.models import AdditiveModel, Explanation
from crm.pipeline.scoring.moves import is_move, most_moved
from crm.pipeline.scoring.scorecard import default_scorecard
from crm.pipeline.scoring.store import Scoring

#: As many leads that something happened with are scored together.
DUE_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class ScoreReading:
    """A lead's score as it stands.

    Args:
        model: that explains it; its scales have the cells' bounds.
    """

    lead_id: LeadId
    person_id: PersonId
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

    async def _read(self, uow: UnitOfWork, lead_id: LeadId) -> ScoreReading:
        line = await store.select_score(uow.conn, lead_id)
        person_id = await store.select_person_of(uow.conn, lead_id)
        model = await self._named(uow, line.model) if line else None
        if line is None or person_id is None or model is None:
            raise NotFound("score.unknown", "This lead has no score yet.")
        explanation = model.explain(line.cells, default_features())
        return ScoreReading(lead_id, person_id, model, explanation, line.scored_at)

    async def _serving(self, uow: UnitOfWork) -> AdditiveModel:
        return default_scorecard()

    async def _named(self, uow: UnitOfWork, name: str) -> AdditiveModel | None:
        card = default_scorecard()
        return card if card.name == name else None


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
