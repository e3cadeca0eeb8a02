"""Use cases of people: create, read, change, find, consent."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from crm.actor import Actor
from crm.db import Connection, Database, UnitOfWork
from crm.errors import NotFound
from crm.facts import facts_of
from crm.ids import PersonId, new_id
from crm.journal.audit import performed, shown
from crm.journal.idempotency import IdempotencyKey
from crm.once import do_once, run_once
from crm.paging import Page
from crm.people import authority, models, store
from crm.people.addresses import normalise_email, normalise_phone
from crm.people.events import ConsentRecorded, PersonCreated, PersonUpdated
from crm.people.models import Consent, CreatePerson, GiveConsent, Person, PersonChanges, Profile
from crm.people.search import list_page, search_page


class PeopleService:
    """The contacts of the institution.

    Args:
        phone_region: ISO 3166 code that phone numbers without a country code belong to.
        time_zone: of people who name none.
    """

    def __init__(
        self, database: Database, *, phone_region: str = "PE", time_zone: str = "America/Lima"
    ) -> None:
        self._db = database
        self._region = phone_region
        self._time_zone = models.check_time_zone(time_zone)

    async def create_person(
        self, command: CreatePerson, *, actor: Actor, idempotency: IdempotencyKey | None = None
    ) -> Person:
        """Add somebody new.

        Raises:
            RuleBroken: `person.name`, `.email`, `.phone`, `.time_zone`, `.birth_date`, `.guardian`.
            Conflict: `person.email_taken`, `person.phone_taken`, `idempotency.mismatch`.
            Denied("auth.staff"): a student asks.
        """
        authority.require_staff(actor)
        person = self._new_person(command)
        return await run_once(
            self._db,
            idempotency,
            facts_of(command),
            lambda uow: _insert(uow, person, actor),
            kind=Person,
            about=lambda made: made.id,
        )

    def _new_person(self, command: CreatePerson) -> Person:
        now = self._db.clock.now()
        typed = facts_of(command) | {"time_zone": command.time_zone or self._time_zone}
        return Person(
            id=PersonId(new_id()),
            status="active",
            merged_into=None,
            version=1,
            created_at=now,
            updated_at=now,
            **models.normalise_facts(typed, region=self._region, today=now.date()),  # type: ignore[arg-type]
        )

    async def get_person(self, person_id: PersonId, *, actor: Actor) -> Person:
        """Return a person; a student finds nobody but themself.

        What staff read is audited before it is released; the tool runner audits agents' reads.

        Raises: NotFound("person.unknown"); Denied("identity.level"): a student not yet verified.
        """
        owner = authority.owner_of(actor)
        async with self._db.audited_read() as uow:
            person = await _find(uow.conn, person_id, owner=owner)
            _audit_read(uow, "person.read", actor, about=person_id)
        return person

    async def profile(self, person_id: PersonId, *, actor: Actor) -> Profile:
        """Return a person with consents and enrolments; audited as `get_person` is.

        Raises: NotFound("person.unknown"); Denied("identity.level").
        """
        owner = authority.owner_of(actor)
        async with self._db.audited_read() as uow:
            person = await _find(uow.conn, person_id, owner=owner)
            consents = await store.select_current_consents(uow.conn, person_id)
            enrolments = await store.select_enrolments(uow.conn, person_id)
            _audit_read(uow, "person.profile", actor, about=person_id)
        return Profile(person, tuple(consents), tuple(enrolments))

    async def list_people(
        self, query: str | None = None, *, cursor: str | None, limit: int, actor: Actor
    ) -> Page[Person]:
        """Return active people: the newest first, or those who match best.

        Args:
            query: words of a name (small errors forgiven), or a whole e-mail address or phone.
        Raises: Denied("auth.staff"): a student asks; RuleBroken("page.cursor").
        """
        authority.require_staff(actor)
        words = (query or "").strip()
        async with self._db.audited_read() as uow:
            if words:
                page = await search_page(
                    uow.conn, words, region=self._region, cursor=cursor, limit=limit
                )
            else:
                page = await list_page(uow.conn, cursor=cursor, limit=limit)
            seen = [person.id for person in page.items]
            _audit_read(uow, "person.list", actor, listed=seen, searched=bool(words))
        return page

    async def find_by_address(
        self, *, email: str | None = None, phone: str | None = None
    ) -> Person | None:
        """Return the active person with this address, for use inside; nothing is audited.

        Raises: RuleBroken("person.email"), RuleBroken("person.phone"): not an address.
        """
        async with self._db.read() as conn:
            return await store.select_by_address(
                conn,
                email=normalise_email(email) if email else None,
                phone=normalise_phone(phone, self._region) if phone else None,
            )

    async def update_person(
        self,
        person_id: PersonId,
        changes: PersonChanges,
        *,
        actor: Actor,
        expected_version: int,
        idempotency: IdempotencyKey | None = None,
    ) -> Person:
        """Change what is known of a person, if nobody else has since `expected_version`.

        Raises:
            Conflict: `person.stale`, `person.email_taken`, `person.phone_taken`.
            RuleBroken: as `create_person`; `person.inactive`: merged or erased.
            Denied("person.field"): a student may not change this field.
            NotFound("person.unknown").
        """
        owner = authority.owner_of(actor)
        authority.check_fields(changes, actor)
        today = self._db.clock.now().date()
        facts = models.normalise_facts(changes, region=self._region, today=today)

        async with self._db.transaction() as uow:

            async def change() -> Person:
                before = await _find(uow.conn, person_id, owner=owner, for_update=True)
                authority.check_current(before, expected_version)
                return await _change(uow, before, facts, actor)

            return await do_once(
                uow,
                idempotency,
                {"person_id": person_id, "version": expected_version, **changes},
                change,
                kind=Person,
                about=person_id,
            )

    async def record_consent(
        self, command: GiveConsent, *, actor: Actor, idempotency: IdempotencyKey | None = None
    ) -> Consent:
        """Append to the record of consents.

        Raises:
            RuleBroken("consent.guardian"): a minor's grant without the guardian on file.
            RuleBroken("person.inactive"); NotFound("person.unknown").
        """
        async with self._db.transaction() as uow:

            async def record() -> Consent:
                return await self.record_consent_within(uow, command, actor=actor)

            return await do_once(
                uow,
                idempotency,
                facts_of(command),
                record,
                kind=Consent,
                about=command.person_id,
            )

    async def record_consent_within(
        self, uow: UnitOfWork, command: GiveConsent, *, actor: Actor
    ) -> Consent:
        """Do the same within a transaction, once a call."""
        owner = authority.owner_of(actor)
        person = await _find(uow.conn, command.person_id, owner=owner, for_update=True)
        authority.check_active(person.status)
        models.check_consent(command, person, uow.clock.now())
        return await _append_consent(uow, command, actor)

    async def current_consents(self, person_id: PersonId, *, actor: Actor) -> tuple[Consent, ...]:
        """Return the last word on every channel and purpose; audited as `get_person` is.

        Raises: NotFound("person.unknown"); Denied("identity.level").
        """
        owner = authority.owner_of(actor)
        async with self._db.audited_read() as uow:
            await _find(uow.conn, person_id, owner=owner)
            consents = await store.select_current_consents(uow.conn, person_id)
            _audit_read(uow, "person.consents", actor, about=person_id)
        return tuple(consents)


async def _find(
    conn: Connection, person_id: PersonId, *, owner: PersonId | None, for_update: bool = False
) -> Person:
    person = await store.select_person(conn, person_id, owner=owner, for_update=for_update)
    if person is None:
        raise NotFound("person.unknown", "There is no such person.")
    return person


async def _insert(uow: UnitOfWork, person: Person, actor: Actor) -> Person:
    await _check_guardian(uow, person.id, person.guardian_id)
    await store.insert_person(uow.conn, person)
    uow.publish(PersonCreated(person_id=person.id))
    uow.audit(
        performed(actor, "person.create", about=person.id, payload={"person": facts_of(person)})
    )
    return person


async def _change(
    uow: UnitOfWork, before: Person, facts: Mapping[str, str | date | UUID | None], actor: Actor
) -> Person:
    news = {name: value for name, value in facts.items() if getattr(before, name) != value}
    if not news:
        return before
    guardian_id = news.get("guardian_id")
    await _check_guardian(uow, before.id, guardian_id)  # type: ignore[arg-type]
    after = await store.update_person(uow.conn, before.id, news, at=uow.clock.now())
    uow.publish(PersonUpdated(person_id=after.id, version=after.version))
    changes = {name: [getattr(before, name), value] for name, value in news.items()}
    uow.audit(performed(actor, "person.update", about=after.id, payload={"changes": changes}))
    return after


async def _append_consent(uow: UnitOfWork, command: GiveConsent, actor: Actor) -> Consent:
    consent = Consent(id=new_id(), recorded_at=uow.clock.now(), **facts_of(command))
    await store.insert_consent(uow.conn, consent)
    uow.publish(
        ConsentRecorded(
            person_id=consent.person_id,
            channel=consent.channel,
            purpose=consent.purpose,
            granted=consent.granted,
        )
    )
    payload = {"consent": facts_of(consent)}
    entry = performed(actor, "person.consent", about=consent.person_id, payload=payload)
    uow.audit(entry)
    return consent


async def _check_guardian(
    uow: UnitOfWork, person_id: PersonId, guardian_id: PersonId | None
) -> None:
    if guardian_id is not None:
        guardian = await store.select_person(uow.conn, guardian_id, owner=None)
        models.check_guardian(person_id, guardian, uow.clock.now())


def _audit_read(
    uow: UnitOfWork,
    action: str,
    actor: Actor,
    *,
    about: PersonId | None = None,
    listed: Sequence[PersonId] = (),
    **payload: object,
) -> None:
    if authority.audits_reads(actor):
        if about is None:
            uow.audit(shown(actor, action, listed, **payload))
        else:
            uow.audit(
                performed(actor, action, "READ", about=about, people=[about], payload=payload)
            )
