"""The tool that searches the institution's documents."""

import re
from collections.abc import Mapping
from datetime import date

from pydantic import BaseModel, Field

from crm.actor import Actor, IdentityLevel
from retrieval.models import Audience, Hit
from tools.arguments import ToolInput
from tools.catalogue.sources import passage_source
from tools.context import Locale
from tools.outputs import SourceOut, ToolOutput
from tools.spec import Call, ToolSpec, description_of

_LINK = re.compile(
    r"(?:\b[a-z][a-z0-9+.-]{1,20}://|\bwww\.)[^\s<>\"'|)\]]*[^\s<>\"'|)\].,;:!?]", re.IGNORECASE
)
_LINKED: Mapping[Locale, str] = {
    "es": "(enlace en el documento)",
    "en": "(link in the document)",
}


class SearchKnowledge(ToolInput):
    """What to look for."""

    query: str = Field(min_length=2, max_length=400, description="The question in its own words.")
    topic: str | None = Field(
        None,
        max_length=40,
        description="Prefer passages of this topic: admission, payments, refunds, certificates, "
        "technical, regulations, scholarships, privacy or general.",
    )
    limit: int = Field(4, ge=1, le=6)


class PassageOut(BaseModel):
    """What stands under a heading, as the document has it.

    Args:
        score: 0 to 1, comparable with the others of one result only.
    """

    ref: str
    text: str
    title: str
    heading: str
    url: str
    topic: str
    language: Locale
    valid_from: date | None
    score: float


class PassagesFound(ToolOutput):
    """Passages, best first.

    Args:
        confidence: 0 to 1, the chance that the first passage answers the question.
    """

    passages: list[PassageOut]
    confidence: float


async def search_knowledge(call: Call[SearchKnowledge]) -> PassagesFound:
    """Search the institution's rules and guides: admission, payments, refunds, certificates, help.

    Use it for any question about how things work here. Returns passages to quote or paraphrase,
    each with the `ref` to cite. With a confidence below 0.5 the documents probably do not answer:
    say so and offer a person.
    """
    args = call.args
    found = await call.services.knowledge.search(
        args.query,
        kind="knowledge",
        audiences=audiences_of(call.context.actor),
        on=call.services.courses.today(),
        query_language=call.context.locale,
        limit=args.limit,
    )
    # `sorted` is stable: within and outside of the topic the order stays.
    hits = sorted(found.hits, key=lambda h: args.topic is not None and h.topic != args.topic)
    cited = [passage_source(hit) for hit in hits]
    return PassagesFound(
        passages=[_passage(hit, source) for hit, source in zip(hits, cited, strict=True)],
        confidence=round(found.confidence, 3),
        sources=list({s.ref: s for s in cited}.values()),
    )


def audiences_of(actor: Actor) -> frozenset[Audience]:
    """Return whose documents the actor may read; only the session decides."""
    if actor.is_staff:
        return frozenset[Audience]({"public", "students", "staff"})
    if actor.level >= IdentityLevel.VERIFIED:
        return frozenset[Audience]({"public", "students"})
    return frozenset[Audience]({"public"})


def _without_links(hit: Hit) -> str:
    """Return a passage with its neighbours, its links named and not written out.

    Anybody may have written the text of a document: a reply leads to the document, where its links
    stand, and nowhere else.
    """
    return _LINK.sub(_LINKED[hit.language], hit.section)


def _passage(hit: Hit, source: SourceOut) -> PassageOut:
    return PassageOut(
        ref=source.ref,
        text=_without_links(hit),
        title=hit.title,
        heading=hit.heading_path[-1] if hit.heading_path else hit.title,
        url=source.url,
        topic=hit.topic,
        language=hit.language,
        valid_from=hit.valid_from,
        score=round(hit.score, 3),
    )


SEARCH_KNOWLEDGE = ToolSpec(
    name="search_knowledge",
    version=1,
    description=description_of(search_knowledge),
    input=SearchKnowledge,
    output=PassagesFound,
    handler=search_knowledge,
    examples=({"query": "What documents do I need for admission?", "topic": "admission"},),
)
