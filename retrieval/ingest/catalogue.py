"""Reads an institution's folder (`knowledge/`, `courses.yaml`, `areas.yaml`) as documents."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from retrieval.ingest.courses import course_document
from retrieval.ingest.declared import NOTHING
from retrieval.ingest.folder import list_files, read_bytes
from retrieval.ingest.reading import read_document
from retrieval.models import LANGUAGES, Document


def read_institution(folder: Path) -> Iterator[Document]:
    """Yield every knowledge document and every course of an institution's folder.

    Raises: Unreadable: a file cannot be read; here, unlike in an ingest, that is an error.
    """
    knowledge = folder / "knowledge"
    for name in list_files(knowledge):
        yield read_document(name, read_bytes(knowledge, name), NOTHING)
    yield from read_courses(folder)


def read_courses(folder: Path) -> Iterator[Document]:
    """Yield each course of `courses.yaml` in both languages."""
    areas = {area["code"]: area["name"] for area in _load(folder / "areas.yaml")}
    for course in _load(folder / "courses.yaml"):
        for language in LANGUAGES:
            yield course_document(
                course["code"],
                language,
                title=course["title"][language],
                summary=course["summary"][language],
                outcomes=course["outcomes"][language],
                keywords=course["keywords"],
                area=areas[course["area"]][language],
                level=course["level"],
            )


def _load(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return rows
