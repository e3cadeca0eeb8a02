"""`orienta search`: what knowledge and courses say to a question, and how sure that is."""

import asyncio
import json as json_format
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from api.commands.store import require_answer
from api.embedded.deployment import complete
from api.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retrieval.highlight import Highlights
    from retrieval.models import Hit, SearchResult

_EXCERPT = 240

#: By the language of the question.
_UNKNOWN = {
    "es": "No lo sé: nada de lo que hay responde a esto con seguridad.",
    "en": "I do not know: nothing there is answers this with any certainty.",
}


class SearchKind(StrEnum):
    """What is searched."""

    ALL = "all"
    KNOWLEDGE = "knowledge"
    COURSES = "courses"


class SearchLanguage(StrEnum):
    """The language of the question."""

    AUTO = "auto"
    ES = "es"
    EN = "en"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one kind of text says.

    Args:
        known: False where the confidence is too low to say anything.
    """

    kind: Literal["knowledge", "course"]
    result: "SearchResult"
    highlights: "Sequence[Highlights]"
    known: bool


def search(
    question: Annotated[str, typer.Argument(help="A question or some words, in either language.")],
    kind: Annotated[SearchKind, typer.Option(help="What to search.")] = SearchKind.ALL,
    language: Annotated[
        SearchLanguage, typer.Option(help="The question's language; found out by itself.")
    ] = SearchLanguage.AUTO,
    limit: Annotated[int, typer.Option(min=1, max=50, help="How many of each kind.")] = 5,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Search the public knowledge and courses; where nothing is certain, that is said."""
    with complete(Settings()) as settings:
        require_answer(settings.require_database_url())
        answers = asyncio.run(_search(settings, question, kind, language, limit))
    console = Console()
    if json:
        body = json_format.dumps([_record(a) for a in answers], ensure_ascii=False, indent=1)
        console.print(body, highlight=False, soft_wrap=True, markup=False)
        return
    for answer in answers:
        _print(console, answer)


async def _search(
    settings: Settings, question: str, kind: SearchKind, language: SearchLanguage, limit: int
) -> list[Answer]:
    from api.bootstrap import open_services
    from retrieval.confidence import ABSTAIN_BELOW
    from retrieval.highlight import highlight

    kinds: dict[SearchKind, Literal["knowledge", "course"]] = {
        SearchKind.KNOWLEDGE: "knowledge",
        SearchKind.COURSES: "course",
    }
    wanted = kinds.values() if kind is SearchKind.ALL else [kinds[kind]]
    asked = {SearchLanguage.ES: "es", SearchLanguage.EN: "en"}
    answers = []
    async with open_services(settings) as services:
        for one in wanted:
            result = await services.knowledge.search(
                question,
                kind=one,
                audiences=frozenset({"public"}),
                on=services.courses.today(),
                query_language=asked.get(language),  # type: ignore[arg-type]
                limit=limit,
            )
            marked = highlight(question, result.hits, language=result.query_language)
            answers.append(Answer(one, result, marked, result.confidence >= ABSTAIN_BELOW))
    return answers


def _print(console: Console, answer: Answer) -> None:
    result = answer.result
    name = {"knowledge": "Knowledge", "course": "Courses"}[answer.kind]
    console.print(
        f"[bold]{name}[/bold]  confidence {result.confidence:.2f}, {result.mode}", highlight=False
    )
    if not answer.known:
        console.print(f"  [yellow]{_UNKNOWN[result.query_language]}[/yellow]", highlight=False)
        if result.hits:
            console.print("  Nearest, for you to judge:", highlight=False)
    for hit, highlights in zip(result.hits, answer.highlights, strict=True):
        _print_hit(console, hit, highlights)


def _print_hit(console: Console, hit: "Hit", highlights: "Highlights") -> None:
    section = " › ".join(hit.heading_path[1:])
    console.print(
        f"  {hit.score:.2f}  [bold]{escape(hit.title)}[/bold]"
        + (f" › {escape(section)}" if section else ""),
        highlight=False,
        soft_wrap=True,
    )
    console.print(_excerpt(hit.text, highlights), highlight=False, soft_wrap=True)
    console.print(f"        [blue]{escape(hit.url)}[/blue]", highlight=False, soft_wrap=True)


def _excerpt(text: str, highlights: "Highlights") -> Text:
    """Return the passage, of a long one from the sentence that answers, with the words in bold."""
    from retrieval.text import printable

    is_long = len(text) > _EXCERPT
    start = highlights.sentence.start if is_long and highlights.sentence else 0
    marked = Text(printable(text))
    for span in highlights.words:
        marked.stylize("bold", span.start, span.end)
    opening, closing = "… " if start else "", " …" if start + _EXCERPT < len(text) else ""
    return Text.assemble(" " * 8, opening, marked[start : start + _EXCERPT], closing)


def _record(answer: Answer) -> dict[str, object]:
    result = answer.result
    return {
        "kind": answer.kind,
        "known": answer.known,
        "confidence": round(result.confidence, 3),
        "query_language": result.query_language,
        "mode": result.mode,
        "hits": [
            {
                "title": hit.title,
                "section": list(hit.heading_path[1:]),
                "score": round(hit.score, 3),
                "url": hit.url,
                "slug": hit.slug,
                "language": hit.language,
                "text": hit.text,
                "words": [span.of(hit.text) for span in marks.words],
                "sentence": marks.sentence.of(hit.text) if marks.sentence else None,
            }
            for hit, marks in zip(result.hits, answer.highlights, strict=True)
        ],
    }
