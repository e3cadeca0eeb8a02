"""The tool that asks an advisor for money back outside the policy."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from crm.actor import IdentityLevel, Role
from crm.errors import RuleBroken
from crm.payments.acts import request_refund
from crm.payments.models import InvoiceId
from tools.arguments import ToolInput
from tools.catalogue.prices import PriceOut, price_out
from tools.offer import Offer
from tools.outputs import ToolOutput
from tools.phrases import phrase
from tools.spec import Call, Effect, ToolSpec, description_of
from tools.wording import money_text


class AskRefund(ToolInput):
    """Of which fee, and why."""

    invoice_id: UUID = Field(description="As my_payments returns it.")
    reason: str = Field(min_length=3, max_length=300, description="In the student's words.")


class RefundAsked(ToolOutput):
    """Money is on its way back."""

    amount: PriceOut
    status: Literal["requested"] = "requested"


async def ask_refund(call: Call[AskRefund]) -> RefundAsked:
    """Ask an advisor to give back what a student paid for a fee, outside the refund policy.

    Use it when a verified student asks for money back and is not leaving a course (withdraw does
    that by the policy). Nothing goes back before an advisor has agreed; say so.
    """
    payment = await call.services.payments.find_refundable(
        call.uow, InvoiceId(call.args.invoice_id), actor=call.context.actor
    )
    agreed = call.offer.price if call.offer else None
    if agreed is None or agreed != payment.refundable:
        raise RuleBroken("refund.changed", "What can go back has changed meanwhile.")
    # What the gateway reads says nothing about the person.
    refund = await request_refund(
        call.uow,
        payment_id=payment.id,
        amount=agreed,
        reason="approved by an advisor",
        effect_key=call.effect_key,
        actor=call.context.actor,
    )
    return RefundAsked(amount=price_out(refund.amount, call.context.locale))


async def offer_refund(call: Call[AskRefund]) -> Offer:
    """Say what would go back."""
    payment = await call.services.payments.find_refundable(
        call.uow, InvoiceId(call.args.invoice_id), actor=call.context.actor
    )
    locale = call.context.locale
    summary = phrase(
        locale,
        "refund.summary",
        amount=money_text(payment.refundable, locale),
        reason=call.args.reason,
    )
    return Offer(summary=summary, price=payment.refundable)


ASK_REFUND = ToolSpec(
    name="ask_refund",
    version=1,
    description=description_of(ask_refund),
    input=AskRefund,
    output=RefundAsked,
    handler=ask_refund,
    effect=Effect.MONEY,
    min_level=IdentityLevel.VERIFIED,
    roles=frozenset[Role](),
    approval="advisor",
    prepare=offer_refund,
    examples=(
        {
            "invoice_id": "01990000-0000-7000-8000-000000000000",
            "reason": "Me cobraron dos veces.",
        },
    ),
)
