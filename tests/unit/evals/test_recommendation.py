import csv
from pathlib import Path

import numpy as np
import pytest

from crm.errors import NotFound
from evals.recommendation.data import load_data
from evals.recommendation.experiment import EASE, OURS, POPULARITY, try_newcomers, try_split
from retrieval.recommend.splits import split_histories

FIELDS = ("Wine", "Law", "Data")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three crowds of 40 people, each within its own five courses."""
    room = tmp_path / "recommendation"
    room.mkdir()
    rng = np.random.default_rng(1)
    courses = [f"{field}-{i}" for field in FIELDS for i in range(5)]
    rows = [
        {"user": str(person), "item": f"{FIELDS[person % 3]}-{i}", "rating": "3.0"}
        for person in range(120)
        for i in rng.choice(5, 4, replace=False)
    ]
    _write(room / "ibm_ratings_train80.csv", rows)
    texts = [{"COURSE_ID": c, "TITLE": c[:-2], "DESCRIPTION": f"{c[:-2]} lessons"} for c in courses]
    _write(room / "course_processed.csv", texts)
    genres = [
        {"COURSE_ID": c, "TITLE": c, **{f: int(c.startswith(f)) for f in FIELDS}} for c in courses
    ]
    _write(room / "course_genre.csv", genres)
    return tmp_path


def _write(path: Path, rows: list[dict[str, object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_says_which_data_is_missing(tmp_path: Path):
    with pytest.raises(NotFound, match="ORIENTA_DATA"):
        load_data(tmp_path)


def test_models_are_judged_on_the_same_people(folder: Path):
    data = load_data(folder)
    trial = try_split(data, split_histories(data.seen, seed=1))
    assert {len(j.recall) for j in trial.judged.values()} == {120}
    for model in (OURS, EASE):
        assert trial.judged[model].ndcg.mean() > trial.judged[POPULARITY].ndcg.mean() + 0.2


def test_newcomers_with_a_course_get_more_than_popularity(folder: Path):
    found = try_newcomers(load_data(folder))
    assert len(found["1 courses"][OURS]) == 5
    ours, theirs = (
        np.mean([j.ndcg.mean() for j in found["1 courses"][model]]) for model in (OURS, POPULARITY)
    )
    assert ours > theirs + 0.1


def test_held_out_enrolments_belong_to_the_same_people(folder: Path, tmp_path: Path):
    _write(tmp_path / "more.csv", [{"user": "7", "item": "Law-0", "rating": "3.0"}])
    data = load_data(folder, held_out=tmp_path / "more.csv")
    assert data.held_out is not None
    assert len(data.held_out) == len(data.seen) == 120
    assert sum(len(taken) for taken in data.held_out.taken) == 1
