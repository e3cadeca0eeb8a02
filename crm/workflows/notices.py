"""Tells students what became of their enrolment: notices that the contract asks for."""

from collections.abc import Mapping

from crm.courses import store as courses
from crm.db import UnitOfWork
from crm.messaging.outbound.models import OutboundIntent
from crm.messaging.outbound.proof import prove_contact
from crm.messaging.outbound.service import queue_outbound
from crm.money import Money, exponent_of
from crm.people.contact.models import ContactRefused
from crm.people.contact.quiet import QuietHours
from crm.workflows.models import Saga


async def tell(
    uow: UnitOfWork, saga: Saga, template: str, params: Mapping[str, str], *, quiet: QuietHours
) -> str:
    """Let a notice about a saga leave, once a template.

    Returns: `sent`, or why nobody can be told.
    """
    try:
        proof = await prove_contact(
            uow, person_id=saga.person_id, basis="contract_notice", channel=None, quiet=quiet
        )
    except ContactRefused as refused:
        return refused.code
    code = str(saga.context["course_code"])
    found = await courses.select_courses(uow.conn, [code])
    title = found[code].title.of(proof.locale) if code in found else code
    intent = OutboundIntent(
        effect_key=f"saga:{saga.id}:{template}",
        proof=proof,
        template=template,
        params={"course": title, **params},
    )
    await queue_outbound(uow, intent)
    return "sent"


def in_words(amount: Money) -> str:
    """Write an amount out, e.g. `PEN 120.50`."""
    digits = exponent_of(amount.currency)
    whole, part = divmod(amount.amount_minor, 10**digits)
    return f"{amount.currency} {whole}" + (f".{part:0{digits}d}" if digits else "")
