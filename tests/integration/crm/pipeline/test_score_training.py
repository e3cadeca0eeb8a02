"""Training on what became of leads, as it was known a week after they began."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crm.actor import SERVICE_ACTOR
from crm.pipeline.scoring.report import ScoringReports
from crm.pipeline.scoring.service import ScoringService
from tests.integration.crm.conftest import NOW

if TYPE_CHECKING:
    from crm.db import Database

Office = Any

#: Of each three, one wrote within the week, and enrols; all of them write once it is too late.
LIVES = (
    """
    INSERT INTO people (id, full_name, locale, time_zone, status, created_at, updated_at)
    SELECT gen_random_uuid(), 'Vida ' || n, 'es', 'America/Lima', 'active',
        %(now)s - interval '600 days' + n * interval '5 hours', %(now)s
    FROM generate_series(1, 1500) n
    """,
    """
    INSERT INTO leads (id, person_id, source, term, language, stage, lost_reason, created_at,
        stage_since, last_activity_at)
    SELECT gen_random_uuid(), id, CASE WHEN n %% 2 = 0 THEN 'referral' ELSE 'event' END, 'x', 'es',
        CASE WHEN n %% 3 = 0 THEN 'enrolled' ELSE 'lost' END,
        CASE WHEN n %% 3 > 0 THEN 'price' END, created_at, created_at, created_at
    FROM (SELECT id, created_at, substr(full_name, 6)::int AS n FROM people
        WHERE full_name LIKE 'Vida %%') p
    """,
    """
    INSERT INTO lead_stages (id, lead_id, to_stage, occurred_at)
    SELECT gen_random_uuid(), id, s.stage, created_at + s.after FROM leads,
        LATERAL (VALUES ('inquiry', interval '0'), (stage, interval '20 days')) s (stage, after)
    WHERE term = 'x'
    """,
    """
    INSERT INTO activities (id, person_id, lead_id, kind, direction, occurred_at)
    SELECT gen_random_uuid(), person_id, id, 'message', 'in', created_at + interval '3 days'
    FROM leads WHERE term = 'x' AND (stage = 'enrolled' OR left(id::text, 1) = '0')
    UNION ALL
    SELECT gen_random_uuid(), person_id, id, 'message', 'in', created_at + interval '30 days'
    FROM leads WHERE term = 'x'
    """,
)


async def test_model_that_beats_the_scorecard_serves_and_explains(
    office: Office, database: Database
) -> None:
    scoring = ScoringService(database)
    assert await scoring.train() is None  # there is nothing to learn from yet
    async with database.transaction() as uow:
        for statement in LIVES:
            await uow.conn.execute(statement, {"now": NOW})
    lead = await office.open_lead()

    made = await scoring.train()

    assert made is not None
    assert made.leads == 1_500
    assert made.won
    assert made.measures["auc"] > 0.85
    async with database.transaction() as uow:
        await scoring.score(uow, whole=True, actor=SERVICE_ACTOR)
    reading = await scoring.read_score(lead.id, actor=SERVICE_ACTOR)
    assert reading.model.name == f"trained-{made.version}"
    told = reading.explanation
    assert told.base + sum(part.points for part in told.contributions) == told.score
    assert await office.count("SELECT count(*) FROM audit_events WHERE action = 'score.train'") == 1
    report = await ScoringReports(database).take(actor=SERVICE_ACTOR)
    assert report.model == reading.model.name
    assert [training.version for training in report.trainings] == [made.version]

    again = await scoring.train()

    assert again is not None
    assert not again.won  # it is no better than what serves
