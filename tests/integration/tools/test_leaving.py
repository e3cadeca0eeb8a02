"""A student waits for a seat, changes the group and leaves by tools: shown first, agreed to."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.integration.tools.counter import enrolled, group, pay
from tools.results import Ok, Refused

if TYPE_CHECKING:
    from tests.integration.crm.courses.conftest import Catalogue
    from tests.integration.tools.conftest import Office
    from tests.integration.tools.counter import Counter


async def test_full_group_leads_over_the_waitlist_to_a_seat(
    office: Office, catalogue: Catalogue, counter: Counter
) -> None:
    cohort = await group(catalogue, seats=1)
    ana, eva = await office.student(), await office.student("Eva Lima")
    early = await counter.ask(eva, "join_waitlist", cohort_code=cohort.code)
    assert isinstance(early, Refused)
    assert early.code == "waitlist.needless"
    await counter.do(ana, "enrol", cohort_code=cohort.code)
    await pay(office, ana)
    full = await counter.ask(eva, "enrol", cohort_code=cohort.code)
    assert isinstance(full, Refused)
    assert full.code == "cohort.full"
    assert (await counter.do(eva, "join_waitlist", cohort_code=cohort.code))["status"] == "waiting"
    await counter.do(ana, "withdraw", cohort_code=cohort.code, reason="ya no puedo")
    waiting = await counter.ask(eva, "my_waitlist")
    assert isinstance(waiting, Ok)
    entries: Any = waiting.data["entries"]
    assert [(e["status"], e["ahead"]) for e in entries] == [("offered", 0)]
    await counter.do(eva, "enrol", cohort_code=cohort.code)
    await pay(office, eva)
    assert await enrolled(office, eva, cohort) == 1


async def test_place_on_the_waitlist_can_be_given_up(
    office: Office, catalogue: Catalogue, counter: Counter
) -> None:
    cohort = await group(catalogue)
    await office.execute("UPDATE cohorts SET blocked_seats = seats WHERE id = %s", cohort.id)
    ana, eva = await office.student(), await office.student("Eva Lima")
    for talk in (ana, eva):
        await counter.do(talk, "join_waitlist", cohort_code=cohort.code)
    found = await counter.ask(eva, "my_waitlist")
    assert isinstance(found, Ok)
    entries: Any = found.data["entries"]
    assert [(e["status"], e["ahead"]) for e in entries] == [("waiting", 1)]
    await counter.do(ana, "leave_waitlist", cohort_code=cohort.code)
    found = await counter.ask(ana, "my_waitlist")
    assert isinstance(found, Ok)
    assert found.data["entries"] == []


async def test_withdrawal_shows_what_goes_back_by_the_policy(
    office: Office, catalogue: Catalogue, counter: Counter
) -> None:
    cohort, talk = await group(catalogue), await office.student()
    await counter.do(talk, "enrol", cohort_code=cohort.code)
    await pay(office, talk)
    shown = await counter.show(talk, "withdraw", cohort_code=cohort.code, reason="me mudo")
    assert "Se te devuelve todo lo pagado: USD 300.00." in shown.summary
    done = await counter.agree(talk, shown)
    assert isinstance(done, Ok)
    refund: Any = done.data["refund"]
    assert refund["amount_minor"] == 30_000
    assert await enrolled(office, talk, cohort) == 0


async def test_withdrawal_whose_refund_changed_meanwhile_is_shown_again(
    office: Office, catalogue: Catalogue, counter: Counter
) -> None:
    cohort, talk = await group(catalogue), await office.student()
    await counter.do(talk, "enrol", cohort_code=cohort.code)
    await pay(office, talk)
    shown = await counter.show(talk, "withdraw", cohort_code=cohort.code, reason="me mudo")
    near = office.clock.now().date() + timedelta(days=2)
    await office.execute(
        "UPDATE cohorts SET starts_on = %s, enrolment_closes = %s WHERE id = %s",
        *(near, near, cohort.id),
    )
    refused = await counter.agree(talk, shown)
    assert isinstance(refused, Refused)
    assert refused.code == "refund.changed"
    assert await enrolled(office, talk, cohort) == 1


async def test_transfer_moves_the_seat(
    office: Office, catalogue: Catalogue, counter: Counter
) -> None:
    cohort, other, talk = await group(catalogue), await group(catalogue), await office.student()
    await counter.do(talk, "enrol", cohort_code=cohort.code)
    await pay(office, talk)
    done = await counter.do(talk, "transfer", cohort_code=cohort.code, to_cohort_code=other.code)
    assert done["cohort_code"] == other.code
    assert (await enrolled(office, talk, cohort), await enrolled(office, talk, other)) == (0, 1)
