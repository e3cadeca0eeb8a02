"""Reads an institution's folder (`knowledge/`, `courses.yaml`, `areas.yaml`) as documents."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from retrieval.errors import Unreadable
from retrieval.ingest.courses import course_document
from retrieval.ingest.folder import SetAside, read_folder
from retrieval.models import LANGUAGES, Document


def read_institution(folder: Path) -> Iterator[Document]:
    """Yield every knowledge document and every course of an institution's folder.

    Raises: Unreadable: a file cannot be read; here, unlike in an ingest, that is an error.
    """
    for name, found in read_folder(folder / "knowledge"):
        if isinstance(found, SetAside):
            raise Unreadable("ingest.file", f"{name}: {found.reason}")
        yield found
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
