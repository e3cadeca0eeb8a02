"""Reads the enrolments, course texts and fields of the IBM course data."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crm.errors import NotFound
from retrieval.recommend.histories import Histories, Matrix, number_items
from retrieval.recommend.texts import unit_rows, weigh_texts

FOLDER = "recommendation"
TRAIN = "ibm_ratings_train80.csv"


@dataclass(frozen=True, slots=True)
class CourseData:
    """Enrolments in courses with what is known about the courses.

    Args:
        side: item × word of its text.
        fields: item × field of study, 1 where it belongs to it.
        held_out: what else the same people took; None where nobody gave it.
    """

    codes: tuple[str, ...]
    seen: Histories
    side: Matrix
    fields: Matrix
    held_out: Histories | None = None


def load_data(root: Path, *, held_out: Path | None = None) -> CourseData:
    """Read the data.

    Args:
        root: the folder of shared data.
        held_out: a file like the training data, with other enrolments of the same people.
    Raises: NotFound("data.missing").
    """
    folder = root / FOLDER
    if not (folder / TRAIN).is_file():
        raise NotFound(
            "data.missing", f"There is no {FOLDER}/{TRAIN}; set ORIENTA_DATA to the data's folder."
        )
    train = _by_person(folder / TRAIN)
    hidden = _by_person(held_out) if held_out else {}
    codes = tuple(sorted({c for t in (*train.values(), *hidden.values()) for c in t}))
    fields = _fields(folder / "course_genre.csv", codes)
    return CourseData(
        codes,
        number_items(train.values(), codes),
        weigh_texts(_texts(folder / "course_processed.csv", codes)),
        fields,
        number_items((hidden.get(p, ()) for p in train), codes) if held_out else None,
    )


def _by_person(path: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in _rows(path):
        found.setdefault(row["user"], []).append(row["item"])
    return dict(sorted(found.items()))


def _texts(path: Path, codes: tuple[str, ...]) -> list[str]:
    # A title says in five words what a description says in fifty.
    texts = {r["COURSE_ID"]: f"{(r['TITLE'] + ' ') * 3}{r['DESCRIPTION']}" for r in _rows(path)}
    return [texts.get(code, "") for code in codes]


def _fields(path: Path, codes: tuple[str, ...]) -> Matrix:
    rows = {r.pop("COURSE_ID"): r for r in _rows(path)}
    names = [name for name in next(iter(rows.values())) if name != "TITLE"]
    values = [[float(rows.get(code, {}).get(name, 0)) for name in names] for code in codes]
    return np.array(values, np.float32)


def field_similarity(data: CourseData) -> Matrix:
    """Return how alike the fields of each two courses are, 0 to 1."""
    fields = unit_rows(data.fields)
    alike: Matrix = fields @ fields.T
    return alike


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
