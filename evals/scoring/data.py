"""Reads the leads of X Education in the order in which they came."""

import csv
from pathlib import Path

import numpy as np
import yaml

from crm.errors import NotFound
from crm.pipeline.scoring.features import FeatureSet, read_features
from crm.pipeline.scoring.training import Seen

FILE = "leads/x_education_oldest80.csv"
FEATURES_FILE = Path(__file__).with_name("features.yaml")


def load_features(path: Path = FEATURES_FILE) -> FeatureSet:
    """Return what may be looked at.

    Raises: RuleBroken("score.denied_feature"): a leaky column is among it.
    """
    return read_features(yaml.safe_load(path.read_text(encoding="utf-8")))


def load_leads(root: Path, features: FeatureSet) -> Seen:
    """Return the leads with their outcome, the oldest first.

    Raises: NotFound("data.missing").
    """
    path = root / FILE
    if not path.is_file():
        raise NotFound(
            "data.missing", f"There is no {FILE}; set ORIENTA_DATA to the data's folder."
        )
    with path.open(encoding="utf-8", newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: int(row["Lead Number"]))
    columns = {
        feature.name: np.array(
            [_number(row, feature.name) for row in rows]
            if feature.kind == "number"
            else [row[feature.name] for row in rows]
        )
        for feature in features.features
    }
    return Seen(columns, np.array([row["Converted"] == "1" for row in rows]))


def _number(row: dict[str, str], name: str) -> float:
    if name != "Time Per Visit":
        return float(row[name] or "nan")
    visits = float(row["TotalVisits"] or "nan")
    return float(row["Total Time Spent on Website"] or "nan") / visits if visits else float("nan")
