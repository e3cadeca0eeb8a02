"""A newly trained recommender serves unless it is worse than the one that serves."""

from dataclasses import replace

import numpy as np

from retrieval.recommend.contest import Contest, Taken, contend
from retrieval.recommend.measures import Interval
from retrieval.recommend.recommender import Recommender
from retrieval.recommend.training import train
from tests.unit.retrieval.recommend.test_recommend import CODES, COURSES, people


def taken(rows: list[list[str]], *, news: int) -> list[Taken]:
    """The last course of each person is new, for so many of them."""
    return [Taken(row[:-1], row[-1:]) if i < news else Taken(row, ()) for i, row in enumerate(rows)]


def perfect(rows: list[Taken]) -> Recommender:
    """One that was trained on all that its judges took."""
    return train([(*t.before, *t.since) for t in rows], COURSES).recommender


def random_champion() -> Recommender:
    noise = np.random.default_rng(9).random(len(CODES)).astype(np.float32)
    return replace(train([], COURSES).recommender, popularity=noise, texts=np.zeros((16, 1)))


def test_better_challenger_wins_beyond_chance() -> None:
    rows = taken(people(400), news=300)
    contest = contend(random_champion(), rows, COURSES)
    assert contest.is_won
    assert contest.people == 150
    assert contest.interval is not None
    assert contest.interval.low > 0


def test_worse_challenger_does_not_serve() -> None:
    """What is new follows the old crowds, which the challenger forgot: nearly all is noise."""
    crowds = people(400)
    champion = train(crowds, COURSES).recommender
    rng = np.random.default_rng(4)
    noise = [[CODES[i] for i in rng.choice(16, 4, replace=False)] for _ in range(500)]
    rows = [*taken(crowds, news=400), *(Taken(row, ()) for row in noise)]
    contest = contend(champion, rows, COURSES)
    assert not contest.is_won
    assert contest.measures()["won"] is False


def test_the_like_is_taken_up() -> None:
    rows = taken(people(400), news=200)
    assert contend(perfect(rows), rows, COURSES).people == 100
    assert contend(train([t.before for t in rows], COURSES).recommender, rows, COURSES).is_won


def test_without_news_there_is_nobody_to_judge_and_the_newer_serves() -> None:
    contest = contend(random_champion(), taken(people(100), news=0), COURSES)
    assert contest == Contest(0, None)
    assert contest.is_won
    assert contest.measures() == {"judges": 0, "ndcg_difference": None, "won": True}


def test_only_beyond_chance_is_worse() -> None:
    assert Contest(9, Interval(-0.01, -0.03, 0.01)).is_won
    assert not Contest(9, Interval(-0.02, -0.03, -0.01)).is_won
