"""The withdrawal saga's steps, each an act within a transaction."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from uuid import UUID

from crm.actor import SERVICE_ACTOR
from crm.courses.fees.acts import return_grant
from crm.courses.fees.models import QuoteId
from crm.db import UnitOfWork
from crm.money import Money
from crm.payments.acts import cancel_invoice
from crm.pipeline.acts import record_withdrawal
from crm.workflows.models import Move, Saga
from crm.workflows.money import look_at_money, refund_paid
from crm.workflows.notices import in_words, tell
from crm.workflows.terms import Terms
from crm.workflows.withdrawal.models import WithdrawalFacts, next_step

_REASON = "withdrawal"


class WithdrawalWorkflow:
    """Does what the withdrawal's state machine says."""

    #: Whoever left has left: a refusal is for somebody to look at.
    turning: frozenset[str] = frozenset()

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._steps: Mapping[str, Callable[[UnitOfWork, Saga], Awaitable[Saga]]] = {
            "cancel_invoice": self._cancel_invoice,
            "refund": self._refund,
            "return_grant": self._return_grant,
            "refund_excess": self._refund_excess,
            "record": self._record,
            "tell": self._tell,
        }

    async def decide(self, uow: UnitOfWork, saga: Saga) -> Move:
        """Return what comes next."""
        return next_step(saga, WithdrawalFacts(await look_at_money(uow, saga.invoice_id)))

    async def act(self, uow: UnitOfWork, saga: Saga, step: str) -> Saga:
        """Take a step."""
        return await self._steps[step](uow, saga)

    async def _cancel_invoice(self, uow: UnitOfWork, saga: Saga) -> Saga:
        assert saga.invoice_id is not None, "there is one to cancel"  # noqa: S101
        await cancel_invoice(uow, saga.invoice_id, reason=_REASON, actor=SERVICE_ACTOR)
        return saga

    async def _refund(self, uow: UnitOfWork, saga: Saga) -> Saga:
        amount_minor = int(saga.context["refund_minor"])
        if amount_minor > 0:
            await refund_paid(uow, saga, amount_minor, reason=_REASON)
        return _noted(saga, refunded="yes")

    async def _return_grant(self, uow: UnitOfWork, saga: Saga) -> Saga:
        quote_id = QuoteId(UUID(str(saga.context["quote_id"])))
        share = Fraction(str(saga.context["share"]))
        await return_grant(uow, quote_id, share, actor=SERVICE_ACTOR)
        return _noted(saga, grant_settled="yes")

    async def _refund_excess(self, uow: UnitOfWork, saga: Saga) -> Saga:
        money = await look_at_money(uow, saga.invoice_id)
        await refund_paid(uow, saga, money.excess_minor, reason=_REASON)
        return saga

    async def _record(self, uow: UnitOfWork, saga: Saga) -> Saga:
        assert saga.enrolment_id is not None, "somebody left something"  # noqa: S101
        await record_withdrawal(
            uow,
            person_id=saga.person_id,
            course_code=str(saga.context["course_code"]),
            enrolment_id=saga.enrolment_id,
            reason=_REASON,
            actor=SERVICE_ACTOR,
        )
        return _noted(saga, recorded="yes")

    async def _tell(self, uow: UnitOfWork, saga: Saga) -> Saga:
        refund = Money(int(saga.context["refund_minor"]), str(saga.context["currency"]))
        said = {"institution": self._terms.institution, "refund": in_words(refund)}
        told = await tell(uow, saga, "withdrawal_done", said, quiet=self._terms.quiet)
        return _noted(saga, told=told)


def _noted(saga: Saga, **facts: str) -> Saga:
    return replace(saga, context={**saga.context, **facts})
