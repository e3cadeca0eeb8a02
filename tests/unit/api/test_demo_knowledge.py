"""The demo institution's documents are complete and agree with its data and with each other."""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[3] / "api" / "demo" / "institution"
LANGUAGES = ("es", "en")
TOPICS = {
    "admission",
    "payments",
    "refunds",
    "certificates",
    "technical",
    "regulations",
    "scholarships",
    "privacy",
    "general",
}
META = {"slug", "title", "language", "audience", "topic", "version", "valid_from", "source"}


def load(name: str) -> Any:
    return yaml.safe_load((ROOT / f"{name}.yaml").read_text(encoding="utf-8"))


INSTITUTION = load("institution")
GRANTS = {grant["code"]: grant for grant in load("scholarships") + load("discounts")}
FIGURES = INSTITUTION["policies"] | INSTITUTION["internal_policies"]
STATED_IN = INSTITUTION["policies_stated_in"] | INSTITUTION["internal_policies_stated_in"]


@dataclass(frozen=True)
class Document:
    path: Path
    meta: dict[str, Any]
    body: str

    @property
    def key(self) -> tuple[str, str]:
        return self.meta["slug"], self.meta["language"]


def read_markdown(path: Path) -> Document:
    _, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
    return Document(path, yaml.safe_load(front), body)


def read_html(path: Path) -> Document:
    page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    metas = page.select("meta[name]")
    meta: dict[str, Any] = {str(m["name"]): str(m["content"]) for m in metas}
    dated = {
        "version": int(meta["version"]),
        "valid_from": date.fromisoformat(meta["valid_from"]),
    }
    return Document(path, meta | dated, page.body.get_text(" ") if page.body else "")


MARKDOWN = [read_markdown(path) for path in sorted(ROOT.glob("knowledge/*/*.md"))]
HTML = [read_html(path) for path in sorted(ROOT.glob("knowledge/*/*.html"))]
DOCUMENTS = MARKDOWN + HTML
BY_KEY = {document.key: document for document in DOCUMENTS}
TWINS = sorted(slug for slug, language in BY_KEY if language == "es" and (slug, "en") in BY_KEY)


def test_the_library_is_as_large_as_promised() -> None:
    assert len(TWINS) >= 12
    assert 30 <= len(DOCUMENTS) == len(BY_KEY)
    assert len(HTML) == 1
    assert INSTITUTION["privacy_url"] in {document.meta["source"] for document in DOCUMENTS}
    assert {document.meta["topic"] for document in DOCUMENTS} == TOPICS
    assert {language for slug, language in BY_KEY if slug not in TWINS} == set(LANGUAGES)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: "/".join(d.key))
def test_a_document_says_what_it_is(document: Document) -> None:
    meta = document.meta
    assert set(meta) == META
    assert document.path.stem == meta["slug"]
    assert document.path.parent.name == meta["language"]
    assert meta["audience"] in {"public", "students", "staff"}
    assert meta["topic"] in TOPICS
    assert meta["source"] == f"/knowledge/{meta['slug']}"
    assert (meta["version"], meta["valid_from"]) == (1, date(2026, 1, 1))
    assert 250 <= len(document.body.split()) <= 700


@pytest.mark.parametrize("document", MARKDOWN, ids=lambda d: "/".join(d.key))
def test_a_document_has_one_title_sections_and_a_table(document: Document) -> None:
    levels = Counter(re.findall(r"^(#+) ", document.body, re.MULTILINE))
    assert levels["#"] == 1
    assert levels["##"] >= 3
    assert levels["###"] >= 1
    assert f"# {document.meta['title']}\n" in document.body
    assert re.search(r"^\|---\|", document.body, re.MULTILINE)


@pytest.mark.parametrize("slug", TWINS)
def test_twins_have_the_same_shape_audience_and_figures(slug: str) -> None:
    es, en = (BY_KEY[slug, language] for language in LANGUAGES)
    for pattern in (r"^#+ ", r"^\|", r"^- ", r"^\d+\. "):
        es_marks, en_marks = (re.findall(pattern, d.body, re.MULTILINE) for d in (es, en))
        assert es_marks == en_marks
    assert sorted(re.findall(r"\d+", es.body)) == sorted(re.findall(r"\d+", en.body))
    assert es.meta["audience"] == en.meta["audience"]
    assert es.meta["topic"] == en.meta["topic"]
    assert es.meta["title"] != en.meta["title"]


UNITS = {  # ending of a figure's key: how Spanish and English say it; the longest ending decides
    "_business_days": (r"{} días? hábil(es)?\b", r"{} business days?\b"),
    "_business_hours": (r"{} horas hábiles", r"{} business hours"),
    "_days": (r"{} días?\b(?! hábil)", r"{} days?\b"),
    "_hours": (r"{} horas\b(?! hábil)", r"{} hours\b"),
    "_minutes": (r"{} minutos\b", r"{} minutes\b"),
    "_months": (r"{} meses\b", r"{} months\b"),
    "_years": (r"{} años\b", r"{} years\b"),
    "_percent": (r"{} %", r"{}%"),
    "_minor": (r"USD {}\b", r"USD {}\b"),
    "_grade": (r"{}\b", r"{}\b"),
    "instalments_course_count": (r"{} cuotas\b", r"{} monthly instalments"),
    "instalments_programme_count": (r"{} cuotas\b", r"{} monthly instalments"),
    "transfer_free_count": (r"{} por matrícula", r"{} per enrolment"),
    "cohort_minimum_count": (r"{} estudiantes", r"{} students"),
    "verification_attempts_count": (r"{} intentos", r"{} attempts"),
    "resit_count": (r"{} examen de recuperación", r"{} resit exam"),
    "group_minimum_count": (r"{} o más personas", r"{} or more people"),
}


def phrase(key: str, language: str) -> str:
    ending = max((unit for unit in UNITS if key.endswith(unit)), key=len)
    figure = FIGURES[key] // 100 if ending == "_minor" else FIGURES[key]
    return r"(?<!\d)" + UNITS[ending][LANGUAGES.index(language)].format(figure)


@pytest.mark.parametrize("key", FIGURES)
def test_a_policy_figure_stands_in_every_document_that_states_it(key: str) -> None:
    stating = [d for d in DOCUMENTS if d.meta["slug"] in STATED_IN[key]]
    assert {document.meta["slug"] for document in stating} == set(STATED_IN[key])
    for document in stating:
        assert re.search(phrase(key, document.meta["language"]), document.body), document.path


@pytest.mark.parametrize("grant", GRANTS.values(), ids=list(GRANTS))
@pytest.mark.parametrize("language", LANGUAGES)
def test_grants_are_told_as_the_data_have_them(grant: dict[str, Any], language: str) -> None:
    body = BY_KEY["scholarships-and-discounts", language].body
    row = next(
        line for line in body.splitlines() if line.startswith(f"| {grant['name'][language]} |")
    )
    assert f"{grant['percent']} %" in row or f"{grant['percent']}%" in row
    assert row.endswith(f"USD {grant['cap_minor'] // 100} |")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: "/".join(d.key))
def test_documents_leave_prices_and_dates_to_the_database(document: Document) -> None:
    stated = {figure // 100 for key, figure in FIGURES.items() if key.endswith("_minor")}
    allowed = stated | {grant["cap_minor"] // 100 for grant in GRANTS.values()}
    assert {int(amount) for amount in re.findall(r"USD (\d+)", document.body)} <= allowed
    assert not re.search(r"\b20\d\d\b|\d{1,2}/\d{1,2}/", document.body)


def test_what_is_internal_is_for_staff_and_named_nowhere_else() -> None:
    internal = [d for d in DOCUMENTS if d.meta["slug"].startswith("internal-")]
    assert internal == [d for d in DOCUMENTS if d.meta["audience"] == "staff"]
    assert len(internal) == 2
    stating = {
        slug for slugs in INSTITUTION["internal_policies_stated_in"].values() for slug in slugs
    }
    assert stating == {document.meta["slug"] for document in internal}
    open_text = " ".join(d.body for d in DOCUMENTS if d not in internal)
    for document in internal:
        assert document.meta["slug"] not in open_text
        assert document.meta["title"].split(": ")[1] not in open_text.lower()


def test_every_address_in_a_document_is_one_of_the_institutions() -> None:
    known = {value for key, value in INSTITUTION["contact"].items() if key.endswith("email")}
    found = {a for d in DOCUMENTS for a in re.findall(r"[\w.]+@[\w.]+\w", d.body)}
    assert found == known


@pytest.mark.parametrize("language", LANGUAGES)
def test_support_hours_and_places_are_told_as_the_data_have_them(language: str) -> None:
    body = BY_KEY["contact-and-support-hours", language].body
    rows = re.findall(r"(\d\d:\d\d) (?:a|to) (\d\d:\d\d)", body)
    assert rows == [(hours["start"], hours["end"]) for hours in INSTITUTION["support_hours"]]
    for campus in INSTITUTION["campuses"]:
        assert f"### {campus['name'][language]}\n\n{campus['address']}." in body
    assert INSTITUTION["contact"]["phone"] in body
    assert INSTITUTION["contact"]["whatsapp"] in body


def test_every_figure_is_looked_for_somewhere() -> None:
    assert set(STATED_IN) == set(FIGURES)
    assert not INSTITUTION["policies"].keys() & INSTITUTION["internal_policies"].keys()
    assert all(STATED_IN.values())
