"""Valid arguments for every tool that changes something, and what it changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from crm.actor import SERVICE_ACTOR
from crm.business_hours import read_week
from crm.ids import StaffId, new_id
from crm.pipeline.actions.store import select_by_key
from crm.support.appointments.models import AdvisorHours
from tests.integration.tools.conftest import NOW
from tests.integration.tools.counter import Counter, group, pay
from tools.approvals import ApprovedCall
from tools.context import ToolRequest
from tools.results import NeedsConfirmation, Ok, ToolResult

if TYPE_CHECKING:
    from uuid import UUID

    from crm.courses.models import Cohort
    from tests.integration.crm.courses.conftest import Catalogue
    from tests.integration.tools.conftest import Office, Talk
    from tools.registry import AnySpec

#: The day after the tests'.
TOMORROW = datetime(2026, 11, 25, tzinfo=ZoneInfo("America/Lima"))
NOTHING = "01990000-0000-7000-8000-000000000000"


@dataclass
class Bench:
    """Where one tool after another is tried."""

    office: Office
    catalogue: Catalogue

    def __post_init__(self) -> None:
        self.counter = Counter(self.office)
        self._step = 1_000  # the counter counts from 1

    def request(self, spec: AnySpec, arguments: Mapping[str, Any]) -> ToolRequest:
        """Return a call in a step of its own."""
        self._step += 1
        return ToolRequest(
            tool=spec.name, arguments=arguments, step=self._step, index=0, tool_call_id="c"
        )

    async def call(self, talk: Talk, request: ToolRequest) -> ToolResult:
        """Call as a model does."""
        return await self.office.runner.call(talk.context, request)

    async def accepted(self, talk: Talk, request: ToolRequest) -> UUID:
        """Call a tool that needs consent, and agree to it."""
        shown = await self.call(talk, request)
        assert isinstance(shown, NeedsConfirmation), shown
        await self.office.accept(talk, shown.confirmation_id)
        return shown.confirmation_id

    async def carry_out(self, talk: Talk, spec: AnySpec, request: ToolRequest) -> ToolResult:
        """Call a tool, and agree where that is asked for; again it is the same call."""
        if spec.approval == "none":
            return await self.call(talk, request)
        if spec.approval == "advisor":
            return await self._agreed_by_staff(talk, request)
        shown = await self.call(talk, request)
        assert isinstance(shown, NeedsConfirmation), shown
        held = await self.office.services.confirmations.get(shown.confirmation_id)
        if held.status == "pending":
            await self.office.accept(talk, shown.confirmation_id)
        return await self.office.runner.execute_confirmed(talk.context, shown.confirmation_id)

    async def _agreed_by_staff(self, talk: Talk, request: ToolRequest) -> ToolResult:
        """Call a tool that an advisor has to agree to, and let one do so."""
        waiting = await self.call(talk, request)
        if not isinstance(waiting, Ok):
            return waiting
        assert waiting.data["status"] == "waiting_for_advisor"
        key = f"{talk.context.run_id}:{request.step}:{request.index}"
        async with self.office.database.read() as conn:
            held = await select_by_key(conn, key)
        assert held is not None
        call = ApprovedCall(
            id=held.id,
            tool=held.tool,
            arguments=held.arguments,
            approver=(await self.office.staff()).actor,
            asked=held.asked,
        )
        return await self.office.runner.execute_approved(talk.context, call)

    async def changes(self, talk: Talk, change: Change) -> int:
        """Count what a tool has changed for somebody."""
        assert talk.person is not None
        whose = talk.person.id if "person_id" in change.made else talk.context.conversation_id
        return await self.office.count(f"SELECT count(*) FROM {change.made}", whose)

    # --- what is there ---------------------------------------------------------------------------

    async def enrolled(self, talk: Talk, **facts: int) -> Cohort:
        """Enrol somebody who pays in two instalments and has paid the first."""
        cohort = await group(self.catalogue, **facts)
        await self.counter.do(talk, "enrol", cohort_code=cohort.code, instalments=2)
        await pay(self.office, talk)
        return cohort

    async def full_group(self) -> Cohort:
        """Return a group without a seat."""
        cohort = await group(self.catalogue)
        await self.office.execute(
            "UPDATE cohorts SET blocked_seats = seats WHERE id = %s", cohort.id
        )
        return cohort

    async def invoice(self, talk: Talk) -> str:
        """Return an invoice that somebody owes."""
        await self.enrolled(talk)
        owed = await self.counter.ask(talk, "my_payments")
        assert isinstance(owed, Ok)
        found: Any = owed.data["invoices"]
        return str(found[0]["invoice_id"])

    async def only_advisor(self) -> None:
        """Let one advisor offer hours, and nobody else."""
        await self.office.execute("DELETE FROM advisor_hours")
        staff_id = StaffId(new_id())
        await self.office.execute(
            "INSERT INTO staff (id, email, name, role, password_hash, active, created_at) "
            "VALUES (%s, %s, 'Lucía', 'advisor', 'x', true, %s)",
            *(staff_id, f"{staff_id}@andino.example", NOW),
        )
        hours = AdvisorHours(
            staff_id=staff_id,
            week=read_week("wed 09:00-12:00"),
            slot=timedelta(minutes=30),
            modes=frozenset({"call"}),
        )
        await self.office.services.appointments.set_hours(hours, actor=SERVICE_ACTOR)

    async def appointment(self, talk: Talk) -> str:
        """Return an appointment that somebody has."""
        done = await self.counter.do(talk, "book_appointment", **await _book(self, talk))
        return str(done["appointment"]["appointment_id"])


def at(hour: int) -> str:
    return (TOMORROW + timedelta(hours=hour)).isoformat()


@dataclass(frozen=True)
class Change:
    """What a tool is told, and what comes of it.

    Args:
        arguments: valid ones for this student.
        other: what to say instead, as valid in its form.
        made: table and condition of the rows that say that it was done; the one value is the
            person's or, where no person is named, the conversation's id.
        is_own: the arguments name something that belongs to the student.
    """

    arguments: Callable[[Bench, Talk], Awaitable[dict[str, Any]]]
    other: Mapping[str, Any]
    made: str
    is_own: bool = False


async def _enrol(bench: Bench, talk: Talk) -> dict[str, Any]:
    return {"cohort_code": (await group(bench.catalogue)).code}


async def _withdraw(bench: Bench, talk: Talk) -> dict[str, Any]:
    return {"cohort_code": (await bench.enrolled(talk)).code, "reason": "Me mudo."}


async def _transfer(bench: Bench, talk: Talk) -> dict[str, Any]:
    there = await group(bench.catalogue)
    return {"cohort_code": (await bench.enrolled(talk)).code, "to_cohort_code": there.code}


async def _join(bench: Bench, talk: Talk) -> dict[str, Any]:
    return {"cohort_code": (await bench.full_group()).code}


async def _leave(bench: Bench, talk: Talk) -> dict[str, Any]:
    code = (await bench.full_group()).code
    await bench.counter.do(talk, "join_waitlist", cohort_code=code)
    return {"cohort_code": code}


async def _link(bench: Bench, talk: Talk) -> dict[str, Any]:
    return {"invoice_id": await bench.invoice(talk)}


async def _refund(bench: Bench, talk: Talk) -> dict[str, Any]:
    return {"invoice_id": await bench.invoice(talk), "reason": "Me cobraron de más."}


async def _book(bench: Bench, talk: Talk) -> dict[str, Any]:
    await bench.only_advisor()
    return {"starts_at": at(9), "mode": "call", "topic": "Qué diplomado elegir"}


async def _move(bench: Bench, talk: Talk) -> dict[str, Any]:
    return {"appointment_id": await bench.appointment(talk), "starts_at": at(10)}


async def _cancel(bench: Bench, talk: Talk) -> dict[str, Any]:
    return {"appointment_id": await bench.appointment(talk)}


async def _contact(bench: Bench, talk: Talk) -> dict[str, Any]:
    return {"channel": "email"}


async def _ticket(bench: Bench, talk: Talk) -> dict[str, Any]:
    return {"category": "other", "title": "Una carta", "description": "La necesito."}


async def _dismiss(bench: Bench, talk: Talk) -> dict[str, Any]:
    return {"code": "PRG-101"}


async def _hand_off(bench: Bench, talk: Talk) -> dict[str, Any]:
    return {"reason": "Quiere hablar con alguien."}


_GROUP = {"cohort_code": "XXX-000"}
CHANGES: Mapping[str, Change] = {
    "enrol": Change(_enrol, {"instalments": 3}, "sagas WHERE person_id = %s"),
    "withdraw": Change(
        _withdraw,
        {"reason": "Trabajo."},
        "enrolments WHERE person_id = %s AND status = 'withdrawn'",
        is_own=True,
    ),
    "transfer": Change(
        _transfer,
        {"to_cohort_code": "XXX-000"},
        "enrolments WHERE person_id = %s AND status = 'transferred'",
        is_own=True,
    ),
    "join_waitlist": Change(_join, _GROUP, "waitlist_entries WHERE person_id = %s"),
    "leave_waitlist": Change(
        _leave,
        _GROUP,
        "waitlist_entries WHERE person_id = %s AND status = 'left'",
        is_own=True,
    ),
    "payment_link": Change(
        _link,
        {"invoice_id": NOTHING},
        "payment_links JOIN payments ON payments.id = payment_id WHERE person_id = %s",
        is_own=True,
    ),
    "ask_refund": Change(
        _refund,
        {"reason": "Otra cosa."},
        "refunds JOIN payments ON payments.id = payment_id WHERE person_id = %s",
        is_own=True,
    ),
    "book_appointment": Change(_book, {"topic": "Becas"}, "appointments WHERE person_id = %s"),
    "move_appointment": Change(
        _move,
        {"starts_at": at(11)},
        "appointments WHERE version > 1 AND status = 'booked' AND person_id = %s",
        is_own=True,
    ),
    "cancel_appointment": Change(
        _cancel,
        {"appointment_id": NOTHING},
        "appointments WHERE status = 'cancelled' AND person_id = %s",
        is_own=True,
    ),
    "allow_contact": Change(
        _contact, {"channel": "sms"}, "consents WHERE granted AND person_id = %s"
    ),
    "stop_contact": Change(
        _contact, {"channel": "sms"}, "consents WHERE NOT granted AND person_id = %s"
    ),
    "dismiss_course": Change(
        _dismiss, {"dismissed": False}, "course_dismissals WHERE person_id = %s"
    ),
    "open_ticket": Change(_ticket, {"title": "Otra cosa"}, "tickets WHERE person_id = %s"),
    "hand_off": Change(_hand_off, {"reason": "Otra cosa."}, "handoffs WHERE conversation_id = %s"),
}
