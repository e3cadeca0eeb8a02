"""Texts to search, read from the shared data: XQuAD's paragraphs and the norms."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from evals.retrieval.question import Question
from retrieval.models import LANGUAGES, Document, Language

_ARTICLE = re.compile(r"articulo-(\d+)(?:-|$)")


@dataclass(frozen=True, slots=True)
class Xquad:
    """Paragraphs in both languages, the same ones under the same slug, and their questions."""

    documents: tuple[Document, ...]
    questions: tuple[Question, ...]


def has_xquad(data: Path) -> bool:
    """Return whether the shared data hold XQuAD."""
    return all(_xquad_file(data, language).is_file() for language in LANGUAGES)


def read_xquad(data: Path) -> Xquad:
    """Return XQuAD; a paragraph is a document whose title says nothing."""
    documents: list[Document] = []
    questions: list[Question] = []
    for language in LANGUAGES:
        articles = json.loads(_xquad_file(data, language).read_text(encoding="utf-8"))["data"]
        paragraphs = [paragraph for article in articles for paragraph in article["paragraphs"]]
        for number, paragraph in enumerate(paragraphs):
            slug = f"p{number}"
            documents.append(_document(slug, language, str(number), paragraph["context"]))
            questions += [
                Question(qa["question"], language, (slug,), group=slug, half="test")
                for qa in paragraph["qas"]
            ]
    return Xquad(tuple(documents), tuple(questions))


def _xquad_file(data: Path, language: Language) -> Path:
    return data / f"retrieval/xquad_{language}_24articles.json"


def has_regulations(data: Path) -> bool:
    """Return whether the shared data hold the norms."""
    return any((data / "regulations").glob("*.md"))


def read_norms(data: Path) -> list[Document]:
    """Return each norm as one document."""
    return [_norm(path) for path in sorted((data / "regulations").glob("*.md"))]


def _norm(path: Path) -> Document:
    header, _, body = path.read_text(encoding="utf-8").removeprefix("---\n").partition("\n---\n")
    title = yaml.safe_load(header)["title"]
    return _document(path.stem.lower(), "es", title, body)


def article_of(slug: str, anchor: str) -> str:
    """Return the name of the article that a passage of a norm stands in; empty outside of any."""
    found = _ARTICLE.match(anchor)
    return f"{slug}:{found[1]}" if found else ""


def _document(slug: str, language: Language, title: str, body: str) -> Document:
    return Document(
        id=f"kb:{slug}:{language}",
        kind="knowledge",
        slug=slug,
        language=language,
        title=title,
        body=body,
    )
