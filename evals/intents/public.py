"""The same method on phrases that are not ours, beside words alone."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.llm.offline.features import Scaling, count_words, learn_scaling
from agents.llm.offline.regression import fit_regression
from agents.llm.offline.training import STRENGTH
from crm.errors import NotFound
from retrieval.embed.protocol import Embedder, Matrix

FOLDER = "intents"
_FOLDS = 5
_SEED = 3
#: `[0055](ticket_no)` marks what a slot holds.
_SLOT = re.compile(r"\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class Labelled:
    """Phrases with their labels, and which of them are tested on.

    Args:
        tested: rounds, each a mask of what is tested on; the rest is learnt from.
    """

    name: str
    texts: tuple[str, ...]
    labels: NDArray[np.intp]
    tested: tuple[NDArray[np.bool_], ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """What was right of each text that was tested on."""

    ours: NDArray[np.bool_]
    words: NDArray[np.bool_]


def load_banking(root: Path) -> Labelled:
    """Read banking77, tested on its own test part.

    Raises: NotFound("data.missing").
    """
    learnt, tested = (
        list(_rows(_required(root, f"banking77_{part}.csv"))) for part in ("train", "test")
    )
    mask = np.arange(len(learnt) + len(tested)) >= len(learnt)
    return _labelled("banking77", [*learnt, *tested], (mask,))


def load_ucuenca(root: Path) -> Labelled:
    """Read the phrases of a Spanish university's help desk, each fifth tested on in turn.

    Raises: NotFound("data.missing").
    """
    text = _required(root, "ucuenca_data_nlu.md").read_text(encoding="utf-8")
    pairs: list[tuple[str, str]] = []
    label = ""
    for line in text.splitlines():
        if line.startswith("## "):
            label = line[3:].strip()
        elif line.startswith("- "):
            pairs.append((_SLOT.sub(r"\1", line[2:]).strip(), label))
    order = np.random.default_rng(_SEED).permutation(len(pairs))
    part = np.empty(len(pairs), int)
    # Within each label in turn, so that every fifth has some of each.
    ranked = sorted(order, key=lambda place: pairs[place][1])
    part[ranked] = np.arange(len(pairs)) % _FOLDS
    return _labelled("ucuenca", pairs, tuple(part == p for p in range(_FOLDS)))


async def compare(data: Labelled, embedder: Embedder) -> Compared:
    """Learn and test, with vectors of meaning and without."""
    vectors = np.stack([await embedder.embed_query(text) for text in data.texts])
    counts = count_words(data.texts)
    ours, words = list[NDArray[np.bool_]](), list[NDArray[np.bool_]]()
    for tested in data.tested:
        scaling = learn_scaling(vectors[~tested], counts[~tested])
        ours.append(_right(data, scaling, (vectors, counts), tested))
        words.append(_right(data, scaling, (np.zeros_like(vectors), counts), tested))
    return Compared(np.concatenate(ours), np.concatenate(words))


def _right(
    data: Labelled, scaling: Scaling, seen: tuple[Matrix, Matrix], tested: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    meaning = bool(seen[0].any())
    centre = scaling.centre if meaning else np.zeros_like(scaling.centre)
    rows = Scaling(centre, scaling.rarity).rows(*seen)
    model = fit_regression(rows[~tested], data.labels[~tested], strength=STRENGTH)
    found = model.probabilities(rows[tested]).argmax(axis=1)
    return np.asarray(found == data.labels[tested])


def _labelled(
    name: str, pairs: list[tuple[str, str]], tested: tuple[NDArray[np.bool_], ...]
) -> Labelled:
    names = sorted({label for _, label in pairs})
    labels = np.array([names.index(label) for _, label in pairs])
    return Labelled(name, tuple(text for text, _ in pairs), labels, tested)


def _rows(path: Path) -> Iterator[tuple[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield row["text"], row["category"]


def _required(root: Path, name: str) -> Path:
    path = root / FOLDER / name
    if not path.is_file():
        raise NotFound(
            "data.missing", f"There is no {FOLDER}/{name}; set ORIENTA_DATA to the data's folder."
        )
    return path
