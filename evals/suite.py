"""Suites: folders of scenarios, read and checked before anything runs."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from crm.errors import NotFound, OrientaError
from evals.scenario import Scenario

SUITES = Path(__file__).parent / "suites"
#: Folders of questions instead of scenarios: what answers them is measured, nobody is played.
MEASURED = frozenset({"intents", "retrieval", "recommendation", "scoring"})


class SuiteInvalid(OrientaError):
    """A suite cannot be graded as it is written; the message says where and why."""

    def __init__(self, message: str) -> None:
        super().__init__("suite.invalid", message)


@dataclass(frozen=True, slots=True)
class Suite:
    """Scenarios that are run and reported together."""

    name: str
    scenarios: tuple[Scenario, ...]


def list_suites(folder: Path = SUITES) -> list[str]:
    """Return the names of the suites of scenarios there are."""
    names = {path.name for path in folder.iterdir() if any(path.glob("*.yaml"))}
    return sorted(names - MEASURED)


def load_suite(name: str, folder: Path = SUITES) -> Suite:
    """Read a suite.

    Raises:
        NotFound("suite.unknown").
        SuiteInvalid: a scenario has unknown keys, no expectations, or another's id.
    """
    if name not in list_suites(folder):
        raise NotFound("suite.unknown", f"There is no suite called {name!r}.")
    scenarios: list[Scenario] = []
    for path in sorted((folder / name).glob("*.yaml")):
        scenarios += load_scenarios(path)
    _check_ids(scenarios)
    return Suite(name, tuple(scenarios))


def load_scenarios(path: Path) -> list[Scenario]:
    """Read a file of scenarios.

    Raises: SuiteInvalid.
    """
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(raw, list):
        raise SuiteInvalid(f"{path.name} is not a list of scenarios.")
    return [_scenario(path.name, entry) for entry in raw]


def _scenario(file: str, entry: Any) -> Scenario:
    name = entry.get("id", "?") if isinstance(entry, dict) else "?"
    try:
        return Scenario.model_validate(entry)
    except ValidationError as broken:
        reasons = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'scenario'}: {e['msg']}" for e in broken.errors()
        )
        raise SuiteInvalid(f"{file}, scenario {name}: {reasons}") from broken


def _check_ids(scenarios: list[Scenario]) -> None:
    twice = [name for name, count in Counter(s.id for s in scenarios).items() if count > 1]
    if twice:
        raise SuiteInvalid(f"More than one scenario is called {', '.join(sorted(twice))}.")
