"""No leaky column gets into the trial of scores, and it sees what it shall."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml

from crm.errors import NotFound, RuleBroken
from evals.scoring.data import FEATURES_FILE, FILE, load_features, load_leads
from evals.scoring.report import sums_hold, try_newest

if TYPE_CHECKING:
    from pathlib import Path

RAW: dict[str, Any] = yaml.safe_load(FEATURES_FILE.read_text(encoding="utf-8"))
LEAKY = (
    *("Tags", "Lead Quality", "Lead Profile", "Last Activity", "Last Notable Activity"),
    *("Asymmetrique Activity Index", "Asymmetrique Profile Index"),
    *("Asymmetrique Activity Score", "Asymmetrique Profile Score", "Converted"),
    *("What is your current occupation", "Country", "City", "Prospect ID", "Lead Number"),
)


@pytest.mark.parametrize("column", LEAKY)
def test_leaky_column_is_refused(tmp_path: Path, column: str) -> None:
    path = tmp_path / "features.yaml"
    features = [*RAW["features"], {"name": column, "kind": "category"}]
    path.write_text(yaml.safe_dump(RAW | {"features": features}), encoding="utf-8")

    with pytest.raises(RuleBroken, match=r"score\.denied_feature"):
        load_features(path)


def test_no_leaky_column_is_among_the_features() -> None:
    assert not {name.lower() for name in load_features().names} & {c.lower() for c in LEAKY}


def test_missing_data_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"data\.missing"):
        load_leads(tmp_path, load_features())


def test_trial_is_ordered_by_time_and_explained(tmp_path: Path) -> None:
    features = load_features()
    _write(tmp_path / FILE, [f.name for f in features.features if f.name != "Time Per Visit"])

    leads = load_leads(tmp_path, features)
    model, found = try_newest(leads, features)

    assert found.leads == 240
    assert found.auc > 0.8
    assert sums_hold(model, leads, features)[0]
    order = leads.columns["TotalVisits"]
    assert np.array_equal(order, np.arange(1_200) % 7)


def _write(path: Path, columns: list[str]) -> None:
    path.parent.mkdir()
    rng = np.random.default_rng(5)
    rows = []
    for number in range(1_200):
        minutes = int(rng.integers(0, 1_000))
        row = dict.fromkeys(columns, "No") | {
            "Lead Number": str(number),
            "TotalVisits": str(number % 7),
            "Total Time Spent on Website": str(minutes),
            "Page Views Per Visit": "",
            "Converted": str(int(rng.random() < minutes / 1_000)),
        }
        rows.append(row)
    rng.shuffle(rows)  # type: ignore[arg-type]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
