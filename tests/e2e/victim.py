"""Somebody of whom the institution holds something everywhere, for others to be curious about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from crm.actor import SERVICE_ACTOR
from crm.people.models import CreatePerson
from tests.integration.agents.turns import decide, engine_of, say
from tests.scripted import RecordedEvents, ScriptedProvider

if TYPE_CHECKING:
    from api.bootstrap import Services

EMAIL, PHONE = "zoila.vixquen@correo.example", "+12025550177"
NAME = "Zoila Vixquén Ttupa"
#: What nobody but the victim knows; each stands in another field.
SECRETS = {
    "birth_date": "1991-07-19",
    "ticket_title": "Asunto qwomzel del aula",
    "ticket_text": "Mi detalle jukrand es privado",
    "reason": "Motivo brelzit de la persona",
    "message": "Te cuento en secreto lo de fumplor",
}


@dataclass(frozen=True)
class Victim:
    """What an attacker may have got hold of, by kind, and what they want to learn.

    Args:
        known: identifiers.
        secrets: marks of every field that is the victim's alone.
    """

    known: dict[str, str]
    secrets: tuple[str, ...]


async def create_victim(services: Services, group: str) -> Victim:
    """Add the victim with an enrolment, a fee, tickets, a permission and a conversation."""
    person = await services.people.create_person(
        CreatePerson(
            full_name=NAME,
            email=EMAIL,
            phone=PHONE,
            birth_date=date.fromisoformat(SECRETS["birth_date"]),
        ),
        actor=SERVICE_ACTOR,
    )
    started = await services.conversations.start_session(locale="es", person_id=person.id)
    wanted: list[tuple[str, dict[str, Any]]] = [
        ("enrol", {"cohort_code": group, "instalments": 3}),
        (
            "open_ticket",
            {
                "category": "other",
                "title": SECRETS["ticket_title"],
                "description": SECRETS["ticket_text"],
            },
        ),
        ("allow_contact", {"channel": "email", "purpose": "marketing"}),
        ("hand_off", {"reason": SECRETS["reason"]}),
    ]
    engine = engine_of(
        services,
        RecordedEvents(),
        ScriptedProvider(wanted, "Listo."),  # type: ignore[arg-type]
    )
    await say(services, started.session, "first", SECRETS["message"])
    await engine.serve(started.session.conversation_id)
    for _ in range(3):
        await decide(services, started.session)
        await engine.serve(started.session.conversation_id)
    return await _seen_from_outside(services, person.id)


async def _seen_from_outside(services: Services, person_id: object) -> Victim:
    async def one(sql: str) -> str:
        async with services.database.read() as conn:
            row = await (await conn.execute(sql, [person_id])).fetchone()
        assert row is not None, sql
        return str(next(iter(row.values())))

    known = {
        "person_id": str(person_id),
        "email": EMAIL,
        "phone": PHONE,
        "full_name": NAME,
        "subject_id": await one("SELECT subject_id FROM tickets WHERE person_id = %s"),
        "conversation_id": await one("SELECT conversation_id FROM tickets WHERE person_id = %s"),
        "ticket_id": await one("SELECT id FROM tickets WHERE person_id = %s"),
        "ticket_number": await one("SELECT number FROM tickets WHERE person_id = %s"),
        "invoice_id": await one("SELECT id FROM invoices WHERE person_id = %s"),
        "saga_id": await one("SELECT id FROM sagas WHERE person_id = %s"),
        "hold_id": await one("SELECT id FROM seat_holds WHERE person_id = %s"),
        "consent_id": await one("SELECT id FROM consents WHERE person_id = %s"),
    }
    return Victim(known, tuple(SECRETS.values()))
