"""Trains the recommender on the institution's own enrolments when enough of them are new."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from crm.courses.enrolments import store as enrolments
from retrieval.recommend.contest import Taken, contend
from retrieval.recommend.training import train
from retrieval.stores import pg_recommenders as recommenders
from tools.course_advice import text_of

if TYPE_CHECKING:
    from api.bootstrap import Services

_DAY = timedelta(days=1)
#: So large a share of new enrolments does not wait for the night.
_MANY = 0.05
_MOST_PEOPLE = 100_000


async def train_recommender(services: "Services") -> bool:
    """Train anew if a day or many enrolments have passed; return whether it did.

    What is kept is matrices of courses: nothing in them belongs to a person, and what goes together
    is learnt of courses that several people took, so that erasing somebody leaves nothing here. It
    serves unless it is worse than the one before at telling what was taken since then.
    """
    now = services.clock.now()
    async with services.database.read() as conn:
        count = await enrolments.count_enrolments(conn)
        last = await recommenders.newest_training(conn)
    if last and now - last.at < _DAY and abs(count - last.enrolments) <= _MANY * last.enrolments:
        return False
    async with services.database.read() as conn:
        champion = await recommenders.load_recommender(conn)
        until = await recommenders.serving_since(conn) or now
        rows = await enrolments.select_taken(conn, until=until, most=_MOST_PEOPLE)
    people = [Taken(before, since) for before, since in rows]
    texts = [text_of(c) async for c in services.courses.active_courses_for_index()]
    trained = await asyncio.to_thread(train, ((*p.before, *p.since) for p in people), texts)
    serves = True
    if champion is not None:
        contest = await asyncio.to_thread(contend, champion, people, texts)
        serves = contest.is_won
        trained = replace(trained, measures=trained.measures | {"contest": contest.measures()})
    async with services.database.transaction() as uow:
        await recommenders.save_recommender(
            uow.conn, trained, at=now, enrolments=count, serves=serves
        )
    return True
