"""The recommender is trained on the demo's own enrolments, and only when there is reason to."""

from api.bootstrap import open_services
from api.demo.loader import load_demo
from api.recommendation import train_recommender
from api.settings import Settings
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
