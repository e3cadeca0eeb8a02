"""Use cases of contact preferences: read them, and change them."""

from dataclasses import asdict, dataclass

from crm.actor import Actor
from crm.db import Database, UnitOfWork
from crm.errors import NotFound
from crm.ids import PersonId
from crm.journal.audit import performed
from crm.journal.idempotency import IdempotencyKey
from crm.once import do_once
from crm.people import authority
from crm.people import store as people
from crm.people.contact import store
from crm.people.contact.models import ContactPreferences
from crm.people.events import ContactPreferencesChanged


@dataclass(frozen=True, slots=True)
class _Set:
    person_id: PersonId
    wished: ContactPreferences


class PreferenceService:
    """How people wish to be reached."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def get_preferences(self, person_id: PersonId, *, actor: Actor) -> ContactPreferences:
        """Return somebody's preferences; a student's own only. Staff's reading is audited.

        Raises: NotFound("person.unknown"); Denied("identity.level").
        """
        async with self._db.transaction() as uow:
            await _lock(uow, person_id, actor)
            found = await store.select_preferences(uow.conn, [person_id])
            if authority.audits_reads(actor):
                uow.audit(
                    performed(
                        actor, "person.preferences", "READ", about=person_id, people=[person_id]
                    )
                )
        return found.get(person_id, ContactPreferences())

    async def set_preferences(
        self,
        person_id: PersonId,
        wished: ContactPreferences,
        *,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> ContactPreferences:
        """Replace somebody's preferences.

        Raises:
            NotFound("person.unknown"); Denied("identity.level").
            RuleBroken("person.inactive"): merged or erased.
        """
        async with self._db.transaction() as uow:

            async def change() -> _Set:
                await _lock(uow, person_id, actor, active=True)
                await store.upsert_preferences(uow.conn, person_id, wished, at=uow.clock.now())
                uow.publish(ContactPreferencesChanged(person_id=person_id))
                uow.audit(
                    performed(
                        actor, "person.set_preferences", about=person_id, payload=_plain(wished)
                    )
                )
                return _Set(person_id, wished)

            done = await do_once(
                uow,
                idempotency,
                {"person_id": person_id, **_plain(wished)},
                change,
                kind=_Set,
                about=person_id,
            )
        return done.wished


async def _lock(
    uow: UnitOfWork, person_id: PersonId, actor: Actor, *, active: bool = False
) -> None:
    person = await people.select_person(
        uow.conn, person_id, owner=authority.owner_of(actor), for_update=active
    )
    if person is None:
        raise NotFound("person.unknown", "There is no such person.")
    if active:
        authority.check_active(person.status)


def _plain(wished: ContactPreferences) -> dict[str, object]:
    return asdict(wished) | {"opted_out": sorted(wished.opted_out)}
