"""Records of one and the same person over HTTP: find them, merge them, undo it."""

from datetime import date, datetime
from uuid import UUID

from fastapi import Response, status
from pydantic import BaseModel, Field

from api.bodies import Body, Out
from api.dependencies import IdempotencyDep, PageDep, PeopleReader, PeopleWriter, ServicesDep
from api.routing import Chapter
from crm.ids import PersonId
from crm.people.duplicates.models import Candidate, Reason, Suggestion
from crm.people.merging.models import Merge

router = Chapter(prefix="/v1", tags=["duplicates"])


class LikenessOut(Out):
    """What of a person is compared."""

    id: UUID
    full_name: str
    email: str | None
    phone: str | None
    birth_date: date | None


class CandidateOut(Out):
    """Somebody who may be the same person."""

    person: LikenessOut
    score: int = Field(ge=0, le=100, description="A reason to look, not a probability")
    reasons: list[Reason]


class SuggestionOut(Out):
    """Two records that somebody should look at."""

    id: UUID
    first: LikenessOut
    second: LikenessOut
    score: int = Field(ge=0, le=100)
    reasons: list[Reason]
    found_at: datetime


class SuggestionPage(BaseModel):
    """A page of suggestions, the most alike first."""

    items: list[SuggestionOut]
    next_cursor: str | None


class NewMerge(Body):
    """Which record goes into the one that the address names."""

    merged_id: UUID


class MergeOut(Out):
    """A merge."""

    id: UUID
    survivor_id: UUID
    merged_id: UUID
    staff_id: UUID | None
    merged_at: datetime
    undoable_until: datetime
    undone_at: datetime | None
    filled: list[str] = Field(description="Fields that the survivor took over, by name")


@router.get("/people/{person_id}/duplicates", summary="List a person's likely duplicates")
async def list_candidates(
    person_id: UUID, staff: PeopleReader, services: ServicesDep
) -> list[CandidateOut]:
    """Return who may be the same person, the most alike first; the reading is audited."""
    found = await services.duplicates.candidates(PersonId(person_id), actor=staff)
    return [_candidate(candidate) for candidate in found]


def _candidate(candidate: Candidate) -> CandidateOut:
    return CandidateOut.model_validate(candidate)


@router.get("/duplicates", summary="List suggested duplicates")
async def list_suggestions(
    staff: PeopleReader, services: ServicesDep, page: PageDep
) -> SuggestionPage:
    """Return pairs that nobody has decided on, the most alike first; the reading is audited."""
    found = await services.duplicates.list_suggestions(
        cursor=page.cursor, limit=page.limit, actor=staff
    )
    return SuggestionPage(
        items=[_suggestion(s) for s in found.items], next_cursor=found.next_cursor
    )


def _suggestion(suggestion: Suggestion) -> SuggestionOut:
    return SuggestionOut.model_validate(suggestion)


@router.post(
    "/duplicates/{suggestion_id}/dismiss",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Dismiss a suggestion",
)
async def dismiss(suggestion_id: UUID, staff: PeopleWriter, services: ServicesDep) -> None:
    """Say that two records are of two people; repeating it changes nothing more."""
    await services.duplicates.dismiss(suggestion_id, actor=staff)


@router.post(
    "/people/{person_id}/merge",
    status_code=status.HTTP_201_CREATED,
    summary="Merge another record into this one",
)
async def merge(
    person_id: UUID,
    body: NewMerge,
    staff: PeopleWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
    response: Response,
) -> MergeOut:
    """Make one person of two records; for 24 hours it can be undone.

    All that names the other record goes over. Of two consents the stricter holds from now on.
    """
    made = await services.merges.merge(
        PersonId(person_id), PersonId(body.merged_id), actor=staff, idempotency=idempotency
    )
    response.headers["Location"] = f"/v1/merges/{made.id}"
    return _merge(made)


@router.get("/merges/{merge_id}", summary="Read a merge")
async def get_merge(merge_id: UUID, staff: PeopleReader, services: ServicesDep) -> MergeOut:
    """Return a merge, with until when it can be undone."""
    return _merge(await services.merges.get_merge(merge_id, actor=staff))


@router.post("/merges/{merge_id}/undo", summary="Undo a merge")
async def undo_merge(
    merge_id: UUID, staff: PeopleWriter, services: ServicesDep, idempotency: IdempotencyDep
) -> MergeOut:
    """Make two records of one again, each with the rows it had; later merges are undone first."""
    return _merge(await services.merges.undo(merge_id, actor=staff, idempotency=idempotency))


def _merge(merge: Merge) -> MergeOut:
    return MergeOut.model_validate(merge)
