"""Where students enrol by tools: one call after another, a group to enrol in, money that comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crm.actor import SERVICE_ACTOR
from crm.ids import new_id
from crm.money import Money
from tools.context import ToolRequest
from tools.results import NeedsConfirmation, Ok, ToolResult

if TYPE_CHECKING:
    from crm.courses.models import Cohort
    from tests.integration.crm.courses.conftest import Catalogue
    from tests.integration.tools.conftest import Office, Talk


class Counter:
    """Makes one call after another, as the steps of a turn."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._step = 0

    async def ask(self, talk: Talk, tool: str, **arguments: Any) -> ToolResult:
        """Call a tool as a model would."""
        self._step += 1
        request = ToolRequest(
            tool=tool, arguments=arguments, step=self._step, index=0, tool_call_id="c"
        )
        return await self._office.runner.call(talk.context, request)

    async def show(self, talk: Talk, tool: str, **arguments: Any) -> NeedsConfirmation:
        """Call a tool that has to be agreed to."""
        shown = await self.ask(talk, tool, **arguments)
        assert isinstance(shown, NeedsConfirmation), shown
        return shown

    async def agree(self, talk: Talk, shown: NeedsConfirmation) -> ToolResult:
        """Agree to what was shown, and have it done."""
        await self._office.accept(talk, shown.confirmation_id)
        return await self._office.runner.execute_confirmed(talk.context, shown.confirmation_id)

    async def do(self, talk: Talk, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool and agree to it."""
        done = await self.agree(talk, await self.show(talk, tool, **arguments))
        assert isinstance(done, Ok), done
        return done.data


async def group(catalogue: Catalogue, *, seats: int = 2, price: int = 30_000) -> Cohort:
    code = f"PRG-{new_id().hex[-10:].upper()}"
    return await catalogue.open_cohort(code=code, seats=seats, price=Money(price, "USD"))


async def enrolled(office: Office, talk: Talk, cohort: Cohort) -> int:
    assert talk.person is not None
    return await office.count(
        "SELECT count(*) FROM enrolments WHERE person_id = %s AND cohort_id = %s "
        "AND status = 'confirmed'",
        *(talk.person.id, cohort.id),
    )


async def held(office: Office, cohort: Cohort) -> int:
    return await office.count(
        "SELECT count(*) FROM seat_holds WHERE cohort_id = %s AND status = 'live'", cohort.id
    )


async def pay(office: Office, talk: Talk) -> None:
    """Let the money come by hand, and what waits for it go on."""
    assert talk.person is not None
    page = await office.services.payments.list_invoices(
        person_id=talk.person.id, actor=SERVICE_ACTOR
    )
    invoice = page.items[0]
    first = invoice.covered(office.services.payments.today)[0]
    await office.services.payments.take_by_hand(
        invoice_id=invoice.id, amount=first.outstanding, method="cash", actor=SERVICE_ACTOR
    )
    await office.services.workflows.wake(invoice_id=invoice.id)
    await office.services.workflows.advance_due()
