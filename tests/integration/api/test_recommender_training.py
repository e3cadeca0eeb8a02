"""The recommender is trained on the demo's own enrolments, and only when there is reason to."""

import pytest

from api.bootstrap import open_services
from api.demo.loader import load_demo
from api.recommendation import train_recommender
from api.settings import Settings
from retrieval.recommend.contest import Contest
from retrieval.recommend.measures import Interval
from retrieval.recommend.recommender import Profile
from retrieval.stores.pg_recommenders import load_recommender


async def test_is_trained_once_and_serves(settings: Settings) -> None:
    plain = settings.model_copy(update={"embedder": "none"})
    async with open_services(plain) as services:
        await load_demo(services, report=lambda *_: None)
        assert await train_recommender(services)
        assert not await train_recommender(services)
        async with services.database.read() as conn:
            recommender = await load_recommender(conn)
        assert recommender is not None
        assert recommender.version == 1
        found = recommender.rank(Profile(taken=["PRG-101"]), limit=3)
        assert len(found) == 3
        assert "PRG-101" not in {s.code for s in found}


async def test_challenger_that_is_worse_is_kept_on_record_and_does_not_serve(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = settings.model_copy(update={"embedder": "none"})
    async with open_services(plain) as services:
        await load_demo(services, report=lambda *_: None)
        async with services.database.transaction() as uow:
            await uow.conn.execute("DELETE FROM recommenders")
        assert await train_recommender(services)
        serving = services.tools.recommenders
        champion = await serving.current()
        assert champion is not None
        for won in (False, True):
            lost = Contest(40, Interval(-0.02, -0.03, 0.01 if won else -0.01))
            monkeypatch.setattr("api.recommendation.contend", lambda *_, found=lost: found)
            async with services.database.transaction() as uow:
                await uow.conn.execute("UPDATE recommenders SET trained_at = '2026-01-01'")
            assert await train_recommender(services)
            current = await serving.current()
            assert current is not None
            assert (current.version != champion.version) == won
        async with services.database.read() as conn:
            rows = await conn.execute(
                "SELECT serves, measures->'contest'->>'won' AS won FROM recommenders "
                "ORDER BY version"
            )
            found = [(row["serves"], row["won"]) for row in await rows.fetchall()]
        assert found == [(False, None), (False, "false"), (True, "true")]
