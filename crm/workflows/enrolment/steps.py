"""The enrolment saga's steps, each an act within a transaction."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import date
from uuid import UUID

from crm.actor import SERVICE_ACTOR
from crm.courses.enrolments import store as enrolments
from crm.courses.enrolments.acts import confirm_enrolment, withdraw_enrolment
from crm.courses.fees import store as quotes
from crm.courses.fees.acts import cancel_quote
from crm.courses.fees.models import QuoteId
from crm.courses.seats import store as holds
from crm.courses.seats.acts import release_hold
from crm.courses.seats.models import HoldId
from crm.db import UnitOfWork
from crm.money import Money
from crm.payments.acts import cancel_invoice, initiate_payment, raise_invoice
from crm.pipeline.acts import record_enrolment
from crm.workflows.enrolment.models import GRACE, TURNING, EnrolmentFacts, next_step
from crm.workflows.models import Move, Saga
from crm.workflows.money import look_at_money, refund_paid
from crm.workflows.notices import tell
from crm.workflows.terms import Terms

_UNDONE = "enrolment undone"


class EnrolmentWorkflow:
    """Does what the enrolment's state machine says."""

    turning = TURNING

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._steps: Mapping[str, Callable[[UnitOfWork, Saga], Awaitable[Saga]]] = {
            "bill": self._bill,
            "confirm": self._confirm,
            "record": self._record,
            "tell": self._tell,
            "cancel_invoice": self._cancel_invoice,
            "refund": self._refund,
            "refund_excess": self._refund_excess,
            "cancel_quote": self._cancel_quote,
            "withdraw": self._withdraw,
            "release": self._release,
            "tell_undone": self._tell_undone,
        }

    async def decide(self, uow: UnitOfWork, saga: Saga) -> Move:
        """Return what comes next."""
        return next_step(saga, await self._look(uow, saga), uow.clock.now())

    async def act(self, uow: UnitOfWork, saga: Saga, step: str) -> Saga:
        """Take a step."""
        return await self._steps[step](uow, saga)

    async def _look(self, uow: UnitOfWork, saga: Saga) -> EnrolmentFacts:
        hold = await holds.select_hold(uow.conn, _hold_of(saga), owner=None)
        made = await enrolments.select_by_hold(uow.conn, _hold_of(saga))
        quote = await quotes.select_quote(uow.conn, _quote_of(saga), owner=None)
        kept = made is not None and made.status == "confirmed"
        return EnrolmentFacts(
            net_minor=int(saga.context["net_minor"]),
            is_held=hold is not None and hold.status == "live",
            enrolment="none" if made is None else "confirmed" if kept else "ended",
            quote_stands=quote is not None and quote.status in ("live", "accepted"),
            money=await look_at_money(uow, saga.invoice_id),
        )

    async def _bill(self, uow: UnitOfWork, saga: Saga) -> Saga:
        invoice = await raise_invoice(
            uow,
            person_id=saga.person_id,
            reference=f"enrolment:{saga.id}",
            net=Money(int(saga.context["net_minor"]), str(saga.context["currency"])),
            due_dates=[date.fromisoformat(d) for d in str(saga.context["due_dates"]).split(",")],
            actor=SERVICE_ACTOR,
        )
        if self._terms.gateway is not None:
            await initiate_payment(
                uow,
                invoice_id=invoice.id,
                amount=invoice.instalments[0].amount,
                gateway=self._terms.gateway,
                effect_key=f"enrolment:{saga.id}",
                expires_at=saga.deadline - GRACE,
                actor=SERVICE_ACTOR,
            )
        return replace(saga, invoice_id=invoice.id)

    async def _confirm(self, uow: UnitOfWork, saga: Saga) -> Saga:
        made = await confirm_enrolment(
            uow, hold_id=_hold_of(saga), policy=self._terms.seats, actor=SERVICE_ACTOR
        )
        return replace(saga, enrolment_id=made.id)

    async def _record(self, uow: UnitOfWork, saga: Saga) -> Saga:
        assert saga.enrolment_id is not None, "confirmed before"  # noqa: S101
        await record_enrolment(
            uow,
            person_id=saga.person_id,
            course_code=str(saga.context["course_code"]),
            enrolment_id=saga.enrolment_id,
            actor=SERVICE_ACTOR,
        )
        return _noted(saga, recorded="yes")

    async def _tell(self, uow: UnitOfWork, saga: Saga) -> Saga:
        said = {"institution": self._terms.institution}
        told = await tell(uow, saga, "enrolment_confirmed", said, quiet=self._terms.quiet)
        return _noted(saga, told=told)

    async def _cancel_invoice(self, uow: UnitOfWork, saga: Saga) -> Saga:
        assert saga.invoice_id is not None, "there is one to cancel"  # noqa: S101
        await cancel_invoice(uow, saga.invoice_id, reason=_UNDONE, actor=SERVICE_ACTOR)
        return saga

    async def _refund(self, uow: UnitOfWork, saga: Saga) -> Saga:
        money = await look_at_money(uow, saga.invoice_id)
        await refund_paid(uow, saga, money.refundable_minor, reason=_UNDONE)
        return saga

    async def _refund_excess(self, uow: UnitOfWork, saga: Saga) -> Saga:
        money = await look_at_money(uow, saga.invoice_id)
        await refund_paid(uow, saga, money.excess_minor, reason="paid more than owed")
        return saga

    async def _cancel_quote(self, uow: UnitOfWork, saga: Saga) -> Saga:
        await cancel_quote(uow, _quote_of(saga), actor=SERVICE_ACTOR)
        return saga

    async def _withdraw(self, uow: UnitOfWork, saga: Saga) -> Saga:
        assert saga.enrolment_id is not None, "confirmed before"  # noqa: S101
        await withdraw_enrolment(
            uow,
            enrolment_id=saga.enrolment_id,
            reason=_UNDONE,
            policy=self._terms.seats,
            actor=SERVICE_ACTOR,
        )
        return saga

    async def _release(self, uow: UnitOfWork, saga: Saga) -> Saga:
        await release_hold(
            uow, _hold_of(saga), reason=_UNDONE, policy=self._terms.seats, actor=SERVICE_ACTOR
        )
        return saga

    async def _tell_undone(self, uow: UnitOfWork, saga: Saga) -> Saga:
        said = {"institution": self._terms.institution}
        told = await tell(uow, saga, "enrolment_undone", said, quiet=self._terms.quiet)
        return _noted(saga, told_undone=told)


def _hold_of(saga: Saga) -> HoldId:
    assert saga.hold_id is not None, "an enrolment starts with a hold"  # noqa: S101
    return saga.hold_id


def _quote_of(saga: Saga) -> QuoteId:
    return QuoteId(UUID(str(saga.context["quote_id"])))


def _noted(saga: Saga, **facts: str) -> Saga:
    return replace(saga, context={**saga.context, **facts})
