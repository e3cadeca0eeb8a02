"""Tickets on a real database: whose they are, once only, and their history."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from crm.actor import Actor, AgentIdentity, IdentityLevel
from crm.errors import Conflict, Denied, NotFound, RuleBroken
from crm.ids import SubjectId, TicketId, new_id
from crm.journal.idempotency import IdempotencyKey
from crm.support.commands import OpenTicket, TicketFilters

if TYPE_CHECKING:
    from conftest import Desk


async def test_another_students_ticket_is_not_found(desk: "Desk") -> None:
    ana, luis = await desk.new_person(), await desk.new_person()
    ticket = await desk.open(person_id=ana)
    mine = Actor(SubjectId(new_id()), IdentityLevel.VERIFIED, person_id=ana)
    theirs = Actor(SubjectId(new_id()), IdentityLevel.VERIFIED, person_id=luis)

    assert await desk.service.get_ticket(ticket.id, actor=mine) == ticket
    for call in (desk.service.get_ticket, desk.service.get_history):
        with pytest.raises(NotFound, match=r"ticket\.unknown"):
            await call(ticket.id, actor=theirs)
    listed = await desk.service.list_tickets(actor=theirs)
    filtered = await desk.service.list_tickets(TicketFilters(person_id=ana), actor=theirs)
    assert (listed.items, filtered.items) == ((), ())


async def test_person_behind_a_ticket_must_be_verified(desk: "Desk") -> None:
    ana = await desk.new_person()
    ticket = await desk.open(person_id=ana)
    for level in (IdentityLevel.VISITOR, IdentityLevel.CHANNEL):
        with pytest.raises(NotFound, match=r"ticket\.unknown"):
            await desk.service.get_ticket(
                ticket.id, actor=Actor(SubjectId(new_id()), level, person_id=ana)
            )


async def test_visitor_sees_what_they_opened_in_their_conversation(desk: "Desk") -> None:
    subject = SubjectId(new_id())
    ticket = await desk.open(subject)
    await desk.open()
    listed = await desk.service.list_tickets(actor=Actor(subject))
    assert [t.id for t in listed.items] == [ticket.id]


async def test_repeated_effect_returns_the_ticket_it_opened(desk: "Desk") -> None:
    subject = SubjectId(new_id())
    opened = "SELECT count(*) FROM outbox WHERE name = 'TicketOpened'"
    before = await desk.count(opened)

    first = await desk.open(subject, effect_key="run-1/3/0")
    again = await desk.open(subject, effect_key="run-1/3/0")

    assert again == first
    assert await desk.count(opened) == before + 1
    with pytest.raises(Conflict, match=r"ticket\.effect"):
        await desk.open(effect_key="run-1/3/0")


async def test_effect_repeated_at_the_same_moment_opens_one(desk: "Desk") -> None:
    subject = SubjectId(new_id())
    tickets = await asyncio.gather(*(desk.open(subject, effect_key="run-2/1/0") for _ in range(8)))
    assert len({t.id for t in tickets}) == 1
    assert await desk.count("SELECT count(*) FROM tickets WHERE effect_key = 'run-2/1/0'") == 1


async def test_ticket_of_a_rolled_back_transaction_never_was(desk: "Desk") -> None:
    command = OpenTicket(
        subject_id=SubjectId(new_id()), category="other", title="a", description="b"
    )
    opened = "SELECT count(*) FROM outbox WHERE name = 'TicketOpened'"
    before = await desk.count(opened)
    tickets = []

    async def open_and_fail() -> None:
        async with desk.database.transaction() as uow:
            tickets.append(await desk.service.open_ticket(uow, command))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await open_and_fail()
    assert await desk.count("SELECT count(*) FROM tickets WHERE id = %s", tickets[0].id) == 0
    assert await desk.count(opened) == before


async def test_history_tells_what_happened_and_keeps_notes_from_students(
    desk: "Desk", advisor: Actor
) -> None:
    subject = SubjectId(new_id())
    ticket = await desk.open(subject)
    await desk.service.assign(ticket.id, advisor.staff_id, actor=advisor)
    await desk.service.add_note(ticket.id, "Llamar mañana.", actor=advisor)
    resolved = await desk.service.change_status(ticket.id, "resolved", actor=advisor)

    seen_by_staff = await desk.service.get_history(ticket.id, actor=advisor)
    seen_by_student = await desk.service.get_history(ticket.id, actor=Actor(subject))

    assert (resolved.status, resolved.staff_id) == ("resolved", advisor.staff_id)
    assert [e.kind for e in seen_by_staff] == ["opened", "assigned", "note", "status"]
    assert [e.kind for e in seen_by_student] == ["opened", "assigned", "status"]
    last = seen_by_staff[-1]
    assert (last.from_value, last.to_value, last.staff_id) == ("open", "resolved", advisor.staff_id)


async def test_illegal_move_is_refused_and_changes_nothing(desk: "Desk", advisor: Actor) -> None:
    ticket = await desk.open()
    with pytest.raises(RuleBroken, match=r"ticket\.transition"):
        await desk.service.change_status(ticket.id, "closed", actor=advisor)
    assert await desk.service.get_ticket(ticket.id, actor=advisor) == ticket


async def test_two_at_once_resolve_a_ticket_once(desk: "Desk", advisor: Actor) -> None:
    ticket = await desk.open()
    outcomes = await asyncio.gather(
        *(desk.service.change_status(ticket.id, "resolved", actor=advisor) for _ in range(4)),
        return_exceptions=True,
    )
    assert [type(o) for o in outcomes].count(RuleBroken) == 3
    history = await desk.service.get_history(ticket.id, actor=advisor)
    assert [e.kind for e in history] == ["opened", "status"]


async def test_ticket_goes_to_active_staff_only_and_can_be_put_back(
    desk: "Desk", advisor: Actor
) -> None:
    ticket = await desk.open()
    gone = await desk.new_staff(active=False)
    for staff_id in (gone.staff_id, new_id()):
        with pytest.raises(NotFound, match=r"staff\.unknown"):
            await desk.service.assign(ticket.id, staff_id, actor=advisor)
    await desk.service.assign(ticket.id, advisor.staff_id, actor=advisor)
    assert (await desk.service.assign(ticket.id, None, actor=advisor)).staff_id is None


async def test_students_do_not_look_after_tickets(desk: "Desk") -> None:
    subject = SubjectId(new_id())
    ticket = await desk.open(subject)
    student = Actor(subject)
    with pytest.raises(Denied):
        await desk.service.change_status(ticket.id, "resolved", actor=student)
    with pytest.raises(Denied):
        await desk.service.assign(ticket.id, None, actor=student)
    with pytest.raises(Denied):
        await desk.service.add_note(ticket.id, "a", actor=student)


async def test_unknown_ticket_is_not_found(desk: "Desk", advisor: Actor) -> None:
    with pytest.raises(NotFound, match=r"ticket\.unknown"):
        await desk.service.change_status(TicketId(new_id()), "resolved", actor=advisor)


async def test_filters_and_pages_give_every_ticket_once(desk: "Desk", advisor: Actor) -> None:
    person = await desk.new_person()
    opened = [await desk.open(person_id=person, title=f"Nº {n}") for n in range(7)]
    await desk.service.change_status(opened[3].id, "pending", actor=advisor)
    await desk.service.assign(opened[5].id, advisor.staff_id, actor=advisor)

    filters, seen, cursor = TicketFilters(person_id=person, status="open"), [], None
    while True:
        page = await desk.service.list_tickets(filters, cursor, 2, actor=advisor)
        seen += [t.id for t in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == [t.id for t in reversed(opened) if t is not opened[3]]
    mine = await desk.service.list_tickets(TicketFilters(staff_id=advisor.staff_id), actor=advisor)
    free = TicketFilters(person_id=person, unassigned=True)
    nobodys = await desk.service.list_tickets(free, actor=advisor)
    assert [t.id for t in mine.items] == [opened[5].id]
    assert len(nobodys.items) == 6


async def test_repeated_key_returns_the_first_state_without_keeping_the_text(
    desk: "Desk", advisor: Actor
) -> None:
    key = IdempotencyKey("http:test", "t-1", advisor.subject_id)
    command = OpenTicket(
        subject_id=SubjectId(new_id()), category="other", title="Hola", description="Texto"
    )
    first = await desk.service.open_ticket_for_staff(command, actor=advisor, idempotency=key)
    await desk.service.change_status(first.id, "pending", actor=advisor)
    again = await desk.service.open_ticket_for_staff(command, actor=advisor, idempotency=key)

    assert again == first
    note_key = IdempotencyKey("http:test", "n-1", advisor.subject_id)
    notes = [
        await desk.service.add_note(first.id, "Una vez.", actor=advisor, idempotency=note_key)
        for _ in range(2)
    ]
    assert notes[0] == notes[1]
    assert len(await desk.service.get_history(first.id, actor=advisor)) == 3


async def test_what_staff_read_is_recorded_and_an_agents_runner_records_its_own(
    desk: "Desk", advisor: Actor
) -> None:
    ticket = await desk.open()
    reads = "SELECT count(*) FROM audit_events WHERE action = 'ticket.read' AND subject_id = %s"
    await desk.service.get_ticket(ticket.id, actor=advisor)
    agent = Actor(
        advisor.subject_id,
        staff_id=advisor.staff_id,
        role=advisor.role,
        agent=AgentIdentity("support", "offline", "1"),
    )
    await desk.service.get_ticket(ticket.id, actor=agent)
    assert await desk.count(reads, ticket.subject_id) == 1
