"""The erasure of a person over HTTP, for admins."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.bodies import Body, Out
from api.dependencies import Eraser, IdempotencyDep, ServicesDep
from api.routing import Chapter
from crm.errors import RuleBroken
from crm.ids import PersonId

router = Chapter(prefix="/v1/admin/people/{person_id}", tags=["admin"])


class EraseBody(Body):
    """That whoever asks means this person."""

    confirmation: Annotated[
        str, Field(min_length=1, max_length=200, description="The person's full name, typed")
    ]
    despite_debt: Annotated[
        bool, Field(description="Also if they owe money, which is lost: nobody is left to ask")
    ] = False


class ErasureOut(Out):
    """That a person was erased."""

    person_id: UUID
    erased_at: datetime
    rows: dict[str, int] = Field(description="Changed rows, by table")


@router.post("/erase", summary="Erase a person")
async def erase(
    person_id: UUID,
    body: EraseBody,
    staff: Eraser,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> ErasureOut:
    """Destroy the person's keys and remove what is written of them; this cannot be undone.

    Needs an `Idempotency-Key`. Ids, states, amounts and times stay: the books and the audit's
    chains remain whole.
    """
    if idempotency is None:
        raise RuleBroken("idempotency.required", "Send an Idempotency-Key.")
    done = await services.erasures.erase(
        PersonId(person_id),
        confirmation=body.confirmation,
        despite_debt=body.despite_debt,
        actor=staff,
        idempotency=idempotency,
    )
    return ErasureOut.model_validate(done)
