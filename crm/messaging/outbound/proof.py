"""The proof that a person may be written to at this moment; no message is made without one."""

from dataclasses import InitVar, dataclass, field
from datetime import datetime

from crm.db import Connection, UnitOfWork
from crm.errors import NotFound
from crm.ids import PersonId
from crm.messaging.conversations.store import select_last_written
from crm.people import store as people
from crm.people.contact import store as contact
from crm.people.contact.models import (
    Addressee,
    Basis,
    Channel,
    ContactFacts,
    ContactRequest,
    address_message,
)
from crm.people.contact.quiet import QuietHours
from crm.people.models import ConsentPurpose, Locale, Person

_SEAL = object()
#: Whoever asks for a code is awake: quiet hours do not bind codes.
_UNBOUND = QuietHours()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactProof:
    """That a person may be written to; only this module can make one.

    Args:
        person_id: whom the message is about.
        recipient: normalised address, of the person or of a minor's guardian.
        locale: that the recipient reads.
        seal: known to this module alone; not even `dataclasses.replace` goes without it.
    """

    person_id: PersonId
    basis: Basis
    channel: Channel
    purpose: ConsentPurpose | None
    recipient: str = field(repr=False)
    locale: Locale
    proven_at: datetime
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("a proof is made by prove_contact")


async def prove_contact(
    uow: UnitOfWork,
    *,
    person_id: PersonId,
    basis: Basis,
    channel: Channel | None,
    quiet: QuietHours,
    purpose: ConsentPurpose | None = None,
) -> ContactProof:
    """Prove that a person may be written to now; it is proven again when the message leaves.

    Args:
        person_id: of somebody merged, it stands for whom they were merged into.
        channel: None for the one that suits the person best.
        quiet: the deployment's, the same when a message is queued and when it leaves.
        purpose: what a consent has to cover.

    Raises:
        ContactRefused: `contact.address`, `contact.inactive`, `contact.consent`,
            `contact.guardian`, `contact.opted_out`, `contact.no_reply`; `contact.quiet_hours`
            with `retry_at`.
        NotFound("person.unknown").
    """
    request = ContactRequest(person_id=person_id, basis=basis, channel=channel, purpose=purpose)
    facts = await _facts(uow.conn, request)
    now = uow.clock.now()
    addressee = address_message(facts, request, quiet=quiet, at=now)
    return _proof(facts.person, addressee, request, now)


def prove_code(person: Person, channel: Channel, *, locale: Locale, at: datetime) -> ContactProof:
    """Prove that a security code may go to somebody who was just found by this very address.

    Raises: ContactRefused: `contact.address`, `contact.inactive`.
    """
    request = ContactRequest(person_id=person.id, basis="security_code", channel=channel)
    addressee = address_message(ContactFacts(person=person), request, quiet=_UNBOUND, at=at)
    return _proof(person, addressee, request, at, locale=locale)


def _proof(
    person: Person,
    addressee: Addressee,
    request: ContactRequest,
    at: datetime,
    *,
    locale: Locale | None = None,
) -> ContactProof:
    return ContactProof(
        person_id=person.id,
        basis=request.basis,
        channel=addressee.channel,
        purpose=request.purpose,
        recipient=addressee.address,
        locale=locale or addressee.locale,
        proven_at=at,
        seal=_SEAL,
    )


async def _facts(conn: Connection, request: ContactRequest) -> ContactFacts:
    person = await _find(conn, request.person_id)
    guardian = None
    if person.guardian_id is not None:
        guardian = await people.select_person(conn, person.guardian_id, owner=None)
    known = [someone.id for someone in (person, guardian) if someone]
    by_consent, reply = request.basis == "consent", request.basis == "reply"
    return ContactFacts(
        person=person,
        guardian=guardian,
        preferences=await contact.select_preferences(conn, known),
        consents=tuple(await people.select_current_consents(conn, person.id) if by_consent else ()),
        wrote_at=await select_last_written(conn, person.id) if reply else None,
    )


async def _find(conn: Connection, person_id: PersonId) -> Person:
    person = await people.select_person(conn, person_id, owner=None)
    if person is not None and person.merged_into is not None:
        person = await people.select_person(conn, person.merged_into, owner=None)
    if person is None:
        raise NotFound("person.unknown", "There is no such person.")
    return person
