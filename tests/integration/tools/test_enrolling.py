"""A student enrols by tools: shown first, agreed to, done once."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from crm.actor import SERVICE_ACTOR, IdentityLevel
from crm.courses.fees.models import QuoteId
from crm.courses.seats.models import HoldId
from crm.ids import new_id
from tests.integration.tools.counter import enrolled, group, held, pay
from tools.results import Ok, Refused

if TYPE_CHECKING:
    from tests.integration.crm.courses.conftest import Catalogue
    from tests.integration.tools.conftest import Office
    from tests.integration.tools.counter import Counter


async def test_enrolment_shows_price_and_dates_and_holds_the_seat(
    office: Office, catalogue: Catalogue, counter: Counter
) -> None:
    cohort, talk = await group(catalogue), await office.student()
    shown = await counter.show(talk, "enrol", cohort_code=cohort.code, instalments=3)
    assert cohort.code in shown.summary
    assert "USD 300.00" in shown.summary
    assert "3 cuotas: USD 100.00 ahora" in shown.summary
    assert (shown.price_minor, shown.currency) == (30_000, "USD")
    assert await held(office, cohort) == 1
    assert await enrolled(office, talk, cohort) == 0


async def test_enrolment_is_confirmed_once_its_first_instalment_is_paid(
    office: Office, catalogue: Catalogue, counter: Counter
) -> None:
    cohort, talk = await group(catalogue), await office.student()
    done = await counter.do(talk, "enrol", cohort_code=cohort.code, instalments=3)
    assert done["status"] == "awaiting_payment"
    assert done["payment_url"].startswith("https://orienta.example/pay/")
    assert [part["amount"]["amount_minor"] for part in done["instalments"]] == [10_000] * 3
    assert await enrolled(office, talk, cohort) == 0
    await pay(office, talk)
    assert await enrolled(office, talk, cohort) == 1
    owed = await counter.ask(talk, "my_payments")
    assert isinstance(owed, Ok)
    invoices: Any = owed.data["invoices"]
    assert [p["status"] for p in invoices[0]["instalments"]] == ["paid", "open", "open"]
    assert invoices[0]["cohort_code"] == cohort.code


async def test_free_seat_is_confirmed_at_once(
    office: Office, catalogue: Catalogue, counter: Counter
) -> None:
    cohort, talk = await group(catalogue, price=0), await office.student()
    done = await counter.do(talk, "enrol", cohort_code=cohort.code)
    assert (done["status"], done["payment_url"]) == ("confirmed", None)
    assert await enrolled(office, talk, cohort) == 1


async def test_ten_acceptances_enrol_once(
    office: Office, catalogue: Catalogue, counter: Counter
) -> None:
    cohort, talk = await group(catalogue), await office.student()
    shown = await counter.show(talk, "enrol", cohort_code=cohort.code)
    await office.accept(talk, shown.confirmation_id)
    results = await asyncio.gather(
        *(office.runner.execute_confirmed(talk.context, shown.confirmation_id) for _ in range(10))
    )
    assert all(isinstance(r, Ok) for r in results)
    data = [r.data for r in results if isinstance(r, Ok)]
    assert all(d == data[0] for d in data)
    assert await office.count("SELECT count(*) FROM sagas WHERE cohort_id = %s", cohort.id) == 1


async def test_changed_price_is_shown_again(
    office: Office, catalogue: Catalogue, counter: Counter
) -> None:
    cohort, talk = await group(catalogue), await office.student()
    shown = await counter.show(talk, "enrol", cohort_code=cohort.code)
    await office.execute("UPDATE cohorts SET price_minor = 35000 WHERE id = %s", cohort.id)
    refused = await counter.agree(talk, shown)
    assert isinstance(refused, Refused)
    assert refused.code == "quote.changed"
    assert await office.count("SELECT count(*) FROM sagas WHERE cohort_id = %s", cohort.id) == 0
    again = await counter.show(talk, "enrol", cohort_code=cohort.code)
    assert again.price_minor == 35_000
    assert isinstance(await counter.agree(talk, again), Ok)


async def test_lost_hold_is_shown_again(
    office: Office, catalogue: Catalogue, counter: Counter
) -> None:
    cohort, talk = await group(catalogue), await office.student()
    shown = await counter.show(talk, "enrol", cohort_code=cohort.code)
    await office.execute(
        "UPDATE seat_holds SET status = 'released', ended_at = now() WHERE cohort_id = %s",
        cohort.id,
    )
    refused = await counter.agree(talk, shown)
    assert isinstance(refused, Refused)
    assert refused.code == "hold.lost"
    assert await enrolled(office, talk, cohort) == 0
    assert isinstance(
        await counter.agree(talk, await counter.show(talk, "enrol", cohort_code=cohort.code)), Ok
    )


async def test_arguments_changed_after_approval_are_refused(
    office: Office, catalogue: Catalogue, counter: Counter
) -> None:
    cohort, other, talk = await group(catalogue), await group(catalogue), await office.student()
    shown = await counter.show(talk, "enrol", cohort_code=cohort.code)
    await office.accept(talk, shown.confirmation_id)
    await office.execute(
        "UPDATE confirmations SET arguments = "
        "jsonb_set(arguments, '{cohort_code}', to_jsonb(%s::text)) WHERE id = %s",
        *(other.code, shown.confirmation_id),
    )
    refused = await office.runner.execute_confirmed(talk.context, shown.confirmation_id)
    assert isinstance(refused, Refused)
    assert refused.code == "confirmation.changed"


@pytest.mark.parametrize("column", ["quote_id", "hold_id"])
async def test_terms_changed_after_approval_are_refused(
    office: Office, catalogue: Catalogue, counter: Counter, column: str
) -> None:
    cohort, talk = await group(catalogue), await office.student()
    shown = await counter.show(talk, "enrol", cohort_code=cohort.code)
    await office.accept(talk, shown.confirmation_id)
    await office.execute(
        f"UPDATE confirmations SET {column} = %s WHERE id = %s",
        *(str(new_id()), shown.confirmation_id),
    )
    refused = await office.runner.execute_confirmed(talk.context, shown.confirmation_id)
    assert isinstance(refused, Refused)
    assert refused.code == "confirmation.changed"


async def test_visitor_is_asked_to_verify(
    office: Office, catalogue: Catalogue, counter: Counter
) -> None:
    cohort, talk = await group(catalogue), await office.visitor()
    for tool in ("enrol", "join_waitlist", "leave_waitlist"):
        refused = await counter.ask(talk, tool, cohort_code=cohort.code)
        assert isinstance(refused, Refused)
        assert refused.code == "identity.level"
    assert talk.actor.level is IdentityLevel.VISITOR
    assert await held(office, cohort) == 0


async def test_student_acts_on_nobody_elses_seat(
    office: Office, catalogue: Catalogue, counter: Counter
) -> None:
    cohort, ana, eva = await group(catalogue), await office.student(), await office.student("Eva")
    await counter.do(ana, "enrol", cohort_code=cohort.code)
    await pay(office, ana)
    other = await group(catalogue)
    for tool, arguments in (
        ("withdraw", {"reason": "ya no puedo"}),
        ("transfer", {"to_cohort_code": other.code}),
    ):
        refused = await counter.ask(eva, tool, cohort_code=cohort.code, **arguments)
        assert isinstance(refused, Refused)
        assert refused.code == "enrolment.unknown"
    owed = await counter.ask(ana, "my_payments")
    assert isinstance(owed, Ok)
    invoices: Any = owed.data["invoices"]
    refused = await counter.ask(eva, "payment_link", invoice_id=invoices[0]["invoice_id"])
    assert isinstance(refused, Refused)
    assert refused.code == "invoice.unknown"
    assert await enrolled(office, ana, cohort) == 1


async def test_minor_without_guardian_is_refused_and_with_one_is_not(
    office: Office, catalogue: Catalogue, counter: Counter
) -> None:
    cohort, talk = await group(catalogue), await office.student("Leo Niño")
    assert talk.person is not None
    await office.execute(
        "UPDATE people SET birth_date = %s WHERE id = %s", *(date(2012, 3, 1), talk.person.id)
    )
    refused = await counter.ask(talk, "enrol", cohort_code=cohort.code)
    assert isinstance(refused, Refused)
    assert refused.code == "enrolment.guardian"
    guardian = await office.new_person("Marta Madre")
    await office.execute(
        "UPDATE people SET guardian_id = %s WHERE id = %s", *(guardian.id, talk.person.id)
    )
    assert await counter.show(talk, "enrol", cohort_code=cohort.code)


async def test_payment_link_leads_to_the_next_instalment(
    office: Office, catalogue: Catalogue, counter: Counter
) -> None:
    cohort, talk = await group(catalogue), await office.student()
    await counter.do(talk, "enrol", cohort_code=cohort.code, instalments=2)
    await pay(office, talk)
    owed = await counter.ask(talk, "my_payments")
    assert isinstance(owed, Ok)
    invoices: Any = owed.data["invoices"]
    link = await counter.ask(talk, "payment_link", invoice_id=invoices[0]["invoice_id"])
    assert isinstance(link, Ok), link
    amount: Any = link.data["amount"]
    assert (link.data["status"], amount["amount_minor"]) == ("open", 15_000)


async def test_declined_offer_gives_the_seat_and_the_price_back(
    office: Office, catalogue: Catalogue, counter: Counter
) -> None:
    cohort, talk = await group(catalogue), await office.student()
    shown = await counter.show(talk, "enrol", cohort_code=cohort.code)
    call = (await office.services.confirmations.get(shown.confirmation_id)).call
    assert call.quote_id is not None
    assert call.hold_id is not None
    for _ in range(2):
        await withdraw_offer(office, call.quote_id, call.hold_id)
    assert await held(office, cohort) == 0
    assert await office.count(
        "SELECT count(*) FROM quotes WHERE id = %s AND status = 'cancelled'", call.quote_id
    )


async def withdraw_offer(office: Office, quote_id: str, hold_id: str) -> None:
    await office.services.workflows.withdraw_offer(
        quote_id=QuoteId(UUID(quote_id)), hold_id=HoldId(UUID(hold_id)), actor=SERVICE_ACTOR
    )
