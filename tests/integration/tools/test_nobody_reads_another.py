"""Invariant 14: whatever is asked for in whatever words, one student reads nothing of another."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.tools.changing import Bench, at
from tools.registry import default_registry
from tools.results import NeedsConfirmation, Ok

if TYPE_CHECKING:
    from uuid import UUID

    from tests.integration.crm.courses.conftest import Catalogue
    from tests.integration.tools.conftest import Office, Talk

NAME = "Encarnación Huamán"
#: In what the victim wrote; nobody else ever says these.
WRITTEN = ("Zafiro", "Topacio", "Turmalina")
SPECS = {spec.name: spec for spec in default_registry()}
#: Those of staff are refused for that alone, and tried less often.
POOL = [name for name, spec in SPECS.items() if spec.students] * 3 + list(SPECS)
IDENTITIES = ("person_id", "email", "name", "student", "subject_id", "conversation_id", "owner")
#: Rows that are about a person; what moves with every change of them.
TABLES = (
    *("people", "enrolments", "invoices", "payments", "tickets", "consents", "sagas"),
    *("waitlist_entries", "appointments", "leads", "activities", "certificates"),
)


@dataclass
class Victim:
    """Somebody with something of every kind, and what only they may read.

    Args:
        known: what others may know of them and ask with.
        secrets: what nobody is told who has not said it before.
    """

    office: Office
    talk: Talk
    person_id: UUID
    known: list[str]
    secrets: list[str]

    async def traces(self) -> dict[str, str]:
        found = {}
        async with self.office.database.read() as conn:
            for table in TABLES:
                whose = "id" if table == "people" else "person_id"
                rows = await conn.execute(
                    f"SELECT (count(*), sum(xmin::text::bigint))::text AS trace FROM {table} "  # type: ignore[call-overload]
                    f"WHERE {whose} = %s",
                    [self.person_id],
                )
                found[table] = str((await rows.fetchall())[0]["trace"])
        return found


@pytest.fixture
async def victim(office: Office, catalogue: Catalogue) -> Victim:
    """Let somebody enrol, wait, owe, ask, book and agree."""
    bench, talk = Bench(office, catalogue), await office.student(NAME)
    counter, person = bench.counter, talk.person
    assert person is not None
    full = await bench.full_group()
    await counter.do(talk, "join_waitlist", cohort_code=full.code)
    cohort = await bench.enrolled(talk)
    title, description, topic = (f"{word} y más" for word in WRITTEN)
    await counter.do(talk, "open_ticket", category="other", title=title, description=description)
    await bench.only_advisor()
    booked = await counter.do(talk, "book_appointment", starts_at=at(9), mode="call", topic=topic)
    owed = await counter.ask(talk, "my_payments")
    assert isinstance(owed, Ok)
    invoices: Any = owed.data["invoices"]
    ids = [str(booked["appointment"]["appointment_id"]), str(invoices[0]["invoice_id"])]
    known = [NAME, str(person.email), str(person.id), *ids]
    return Victim(office, talk, person.id, [*known, cohort.code, full.code], [*known, *WRITTEN])


def words(kind: Any, known: list[str]) -> st.SearchStrategy[Any]:
    """Return what a field may be filled with: what is the victim's, where it fits at all."""
    if get_origin(kind) is Literal:
        return st.sampled_from(get_args(kind))
    if kind is bool:
        return st.booleans()
    if kind is int:
        return st.integers(0, 12)
    if parts := [part for part in get_args(kind) if part is not type(None)]:
        inner = st.one_of(*(words(part, known) for part in parts))
        return st.lists(inner, max_size=2) if get_origin(kind) in (list, tuple) else inner
    return st.sampled_from(known)


@st.composite
def calls(draw: st.DrawFn, known: list[str]) -> tuple[str, dict[str, Any]]:
    """Draw a tool and arguments: its example, with some of it replaced, perhaps with more."""
    spec = SPECS[draw(st.sampled_from(POOL))]
    arguments = dict(draw(st.sampled_from(spec.examples or ({},))))
    fields: Mapping[str, Any] = spec.input.model_fields
    for name in fields:
        if draw(st.booleans()):
            arguments[name] = draw(words(fields[name].annotation, known))
    if draw(st.integers(0, 9)) == 0:
        arguments[draw(st.sampled_from(IDENTITIES))] = draw(st.sampled_from(known))
    return spec.name, arguments


async def everything(bench: Bench, talk: Talk, tool: str, arguments: dict[str, Any]) -> str:
    """Call a tool, agree to whatever it asks, and return all that came of it."""
    result = await bench.call(talk, bench.request(SPECS[tool], arguments))
    if not isinstance(result, NeedsConfirmation):
        return repr(result)
    await bench.office.accept(talk, result.confirmation_id)
    done = await bench.office.runner.execute_confirmed(talk.context, result.confirmation_id)
    return repr((result, done))


@pytest.mark.parametrize("is_verified", [True, False], ids=["student", "visitor"])
async def test_one_student_reads_and_changes_nothing_of_another(
    office: Office, catalogue: Catalogue, victim: Victim, is_verified: bool
) -> None:
    bench, before = Bench(office, catalogue), await victim.traces()
    talk = await (office.student("Eva Lima") if is_verified else office.visitor())
    loop, done, said = asyncio.get_running_loop(), Counter[str](), ""

    async def try_it(tool: str, arguments: dict[str, Any]) -> None:
        nonlocal said
        said += json.dumps(arguments, ensure_ascii=False, default=str)
        shown = await everything(bench, talk, tool, arguments)
        assert [word for word in victim.secrets if word in shown and word not in said] == []
        assert await victim.traces() == before
        done["Ok" if "Ok(" in shown else "Refused"] += 1

    @settings(
        max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(call=calls(victim.known))
    def holds(call: tuple[str, dict[str, Any]]) -> None:
        asyncio.run_coroutine_threadsafe(try_it(*call), loop).result(30)

    await asyncio.to_thread(holds)
    assert min(done["Ok"], done["Refused"]) > 10, done


async def test_owner_reads_all_of_it(office: Office, catalogue: Catalogue, victim: Victim) -> None:
    """What is looked for is there to be found."""
    bench = Bench(office, catalogue)
    tools = ("my_profile", "my_payments", "my_tickets", "my_appointments", "my_waitlist")
    shown = "".join([await everything(bench, victim.talk, tool, {}) for tool in tools])
    hidden = {str(victim.person_id), "Topacio"}  # of a ticket only the title is listed
    assert {word for word in victim.secrets if word not in shown} == hidden
