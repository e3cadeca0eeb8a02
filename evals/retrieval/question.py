"""Questions with what answers them, read from the suite's files."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from evals.suite import SUITES, SuiteInvalid
from retrieval.models import LANGUAGES, Kind, Language

Half = Literal["tuning", "test"]
FOLDER = SUITES / "retrieval"


@dataclass(frozen=True, slots=True)
class Question:
    """A question and what answers it.

    Args:
        gold: names of what answers it: a document's slug, or an article; empty if nothing does.
        group: what it was written about: questions of one group are never in both halves, and
            are drawn together when an interval is made.
        spoken: as people say it, not as the text does.
    """

    text: str
    language: Language
    gold: tuple[str, ...]
    group: str
    half: Half
    kind: Kind = "knowledge"
    spoken: bool = False


def read_demo(path: Path = FOLDER / "demo.yaml") -> list[Question]:
    """Return the questions about the demo institution; the odd ones of each list are for tuning."""
    written: dict[Kind, dict[Language, list[dict[str, Any]]]] = _load(path)
    return [
        Question(
            entry["q"],
            language,
            tuple(entry["slugs"]),
            group=f"{kind}:{language}:{number}",
            half="tuning" if number % 2 else "test",
            kind=kind,
        )
        for kind, by_language in written.items()
        for language, entries in by_language.items()
        for number, entry in enumerate(entries, start=1)
    ]


def read_regulations(path: Path = FOLDER / "regulations.yaml") -> list[Question]:
    """Return the questions about the norms; half of the articles are for tuning.

    Raises: SuiteInvalid: a question cites an unknown norm or has no language.
    """
    written = _load(path)
    return [_about_norms(entry, written["norms"]) for entry in written["questions"]]


def _about_norms(entry: dict[str, Any], norms: dict[str, str]) -> Question:
    cited = [str(gold).partition(":") for gold in entry.get("gold", [])]
    if entry.get("lang") not in LANGUAGES or any(norm not in norms for norm, _, _ in cited):
        raise SuiteInvalid(f"{entry['q']}: an unknown norm or language.")
    gold = tuple(f"{norms[norm].lower()}:{article}" for norm, _, article in cited)
    group = gold[0] if gold else entry["q"]
    return Question(
        entry["q"], entry["lang"], gold, group, _half_of(group), spoken=entry.get("spoken", False)
    )


def _half_of(group: str) -> Half:
    return "tuning" if hashlib.sha256(group.encode()).digest()[0] % 2 else "test"


def _load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))
