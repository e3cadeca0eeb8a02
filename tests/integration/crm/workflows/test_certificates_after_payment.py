"""Who still owes a part of a course's fee completes it, and has the certificate once it is paid."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from crm.actor import SERVICE_ACTOR
from crm.courses.completion.acts import complete_enrolment
from crm.courses.completion.certificates.service import CertificateService
from crm.courses.completion.models import CompletionPolicy
from crm.courses.enrolments.acts import transfer_enrolment
from crm.errors import RuleBroken
from crm.money import Money

if TYPE_CHECKING:
    from uuid import UUID

    from crm.courses.completion.models import Completion
    from crm.courses.models import Cohort
    from crm.workflows.models import Saga
    from tests.integration.crm.workflows.conftest import House

POLICY = CompletionPolicy()


async def half_paid(house: House) -> tuple[Saga, Cohort]:
    """Enrol somebody who has paid the first of two instalments."""
    cohort = await house.cohort()
    saga = await house.start(cohort, instalments=2)
    await house.settle()
    await house.pay(saga)
    await house.settle()
    return await house.is_whole(saga, cohort), cohort


async def complete(house: House, enrolment_id: UUID, cohort: Cohort) -> Completion:
    """Let somebody complete a course that has ended."""
    today = house.courses.today()
    await house.execute(
        "UPDATE cohorts SET enrolment_closes = %s, starts_on = %s, ends_on = %s WHERE id = %s",
        *(today - timedelta(days=60), today - timedelta(days=60), today - timedelta(days=1)),
        cohort.id,
    )
    async with house.database.transaction() as uow:
        return await complete_enrolment(
            uow,
            enrolment_id=enrolment_id,
            actor=SERVICE_ACTOR,
            policy=POLICY,
            waiver="passed the exam",
        )


async def pay_the_rest(house: House, saga: Saga) -> None:
    """Let staff take the second instalment in cash."""
    assert saga.invoice_id is not None
    invoice = (await house.service.get_invoice(saga.invoice_id, actor=SERVICE_ACTOR)).invoice
    await house.service.take_by_hand(
        invoice_id=invoice.id,
        amount=Money(invoice.outstanding.amount_minor, invoice.net.currency),
        method="cash",
        actor=house.advisor,
    )


@pytest.fixture
def certificates(house: House) -> CertificateService:
    return CertificateService(house.database, POLICY)


async def test_certificate_waits_until_the_fee_is_paid(
    house: House, certificates: CertificateService
) -> None:
    saga, cohort = await half_paid(house)
    assert saga.enrolment_id
    assert saga.invoice_id
    done = await complete(house, saga.enrolment_id, cohort)
    assert (done.certificate, done.withheld) == (None, True)
    with pytest.raises(RuleBroken, match=r"certificate\.unpaid"):
        await certificates.reissue(saga.enrolment_id, actor=house.advisor)
    assert await certificates.issue_paid(saga.invoice_id) == 0

    await pay_the_rest(house, saga)

    assert await house.published("InvoicePaid", saga.invoice_id) == 1
    assert await certificates.issue_paid(saga.invoice_id) == 1
    assert await certificates.issue_paid(saga.invoice_id) == 0
    again = await complete(house, saga.enrolment_id, cohort)
    assert again.certificate is not None
    assert not again.withheld


async def test_revoked_certificate_is_not_issued_again_by_a_payment(
    house: House, certificates: CertificateService
) -> None:
    saga, cohort = await half_paid(house)
    assert saga.enrolment_id
    assert saga.invoice_id
    await pay_the_rest(house, saga)
    made = (await complete(house, saga.enrolment_id, cohort)).certificate
    assert made is not None
    await certificates.revoke(made.number, "By mistake.", actor=SERVICE_ACTOR)
    assert await certificates.issue_paid(saga.invoice_id) == 0


async def test_debt_follows_to_another_cohort(
    house: House, certificates: CertificateService
) -> None:
    saga, _ = await half_paid(house)
    assert saga.enrolment_id
    assert saga.invoice_id
    other = await house.cohort()
    async with house.database.transaction() as uow:
        moved = await transfer_enrolment(
            uow, enrolment_id=saga.enrolment_id, to_cohort_id=other.id, actor=SERVICE_ACTOR
        )
    assert (await complete(house, moved.id, other)).withheld
    await pay_the_rest(house, saga)
    assert await certificates.issue_paid(saga.invoice_id) == 1
