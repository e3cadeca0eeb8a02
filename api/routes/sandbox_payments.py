"""Makes the sandbox gateway misbehave, for admins of a demonstration."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path, Query, status
from pydantic import BaseModel, ConfigDict, Field

from api.bodies import MAX_MINOR
from api.dependencies import RequireAdmin, ServicesDep
from api.routing import Chapter
from crm.payments.gateways.sandbox.behaviour import Behaviour

router = Chapter(prefix="/v1/admin/sandbox-payments", tags=["sandbox payments"])

CheckoutId = Annotated[str, Path(pattern=r"^co_[0-9a-f]{32}$")]
_Percent = Annotated[int, Field(ge=0, le=100)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", from_attributes=True)


class BehaviourBody(_Body):
    """How often what goes wrong; the same seed gives the same mischief."""

    seed: Annotated[int, Field(ge=0, le=2**31)] = 0
    refuse_percent: Annotated[_Percent, Field(description="Calls that fail at once")] = 0
    lose_percent: Annotated[
        _Percent, Field(description="Calls that do their work and never answer")
    ] = 0
    duplicate_percent: Annotated[_Percent, Field(description="Webhooks sent 2 or 3 times")] = 0
    drop_percent: Annotated[_Percent, Field(description="Webhooks that are never sent")] = 0
    delay_max_s: Annotated[int, Field(ge=0, le=86_400)] = 0
    reorder: bool = False
    refunds: Literal["done", "failed", "pending_done", "pending_failed"] = "done"
    refund_delay_s: Annotated[int, Field(ge=0, le=86_400)] = 5


class NewDispute(_Body):
    """What the payer wants back; all of it unless an amount is given."""

    amount_minor: Annotated[int | None, Field(gt=0, le=MAX_MINOR)] = None


class DisputeDecision(_Body):
    """Who gets the disputed money."""

    won: Annotated[bool, Field(description="True: the institution keeps it")]


@router.get("/behaviour", summary="Read how the sandbox misbehaves")
async def get_behaviour(staff: RequireAdmin, services: ServicesDep) -> BehaviourBody:
    """Return how the sandbox behaves to everybody."""
    desk = services.tills.require_sandbox().desk
    return BehaviourBody.model_validate(await desk.get_behaviour(actor=staff))


@router.put("/behaviour", summary="Make the sandbox misbehave")
async def put_behaviour(
    body: BehaviourBody,
    staff: RequireAdmin,
    services: ServicesDep,
    payment_id: Annotated[UUID | None, Query(description="Only to this payment")] = None,
) -> BehaviourBody:
    """Set how the sandbox behaves to everybody, or to one payment."""
    desk = services.tills.require_sandbox().desk
    told = await desk.behave(Behaviour(**body.model_dump()), payment_id=payment_id, actor=staff)
    return BehaviourBody.model_validate(told)


@router.post(
    "/checkouts/{checkout_id}/dispute",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Dispute a payment",
)
async def open_dispute(
    checkout_id: CheckoutId, body: NewDispute, staff: RequireAdmin, services: ServicesDep
) -> None:
    """Let the payer dispute a payment of the sandbox."""
    desk = services.tills.require_sandbox().desk
    await desk.open_dispute(checkout_id, body.amount_minor, actor=staff)


@router.post(
    "/checkouts/{checkout_id}/dispute/decision",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Decide a dispute",
)
async def decide_dispute(
    checkout_id: CheckoutId, body: DisputeDecision, staff: RequireAdmin, services: ServicesDep
) -> None:
    """Decide a dispute of the sandbox for the institution or against it."""
    desk = services.tills.require_sandbox().desk
    await desk.decide_dispute(checkout_id, won=body.won, actor=staff)
