"""Who may be written to, where, and on what basis: pure rules."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from crm.errors import RuleBroken
from crm.ids import PersonId
from crm.people.contact.quiet import QuietHours
from crm.people.models import Consent, ConsentChannel, ConsentPurpose, Locale, Person

#: The channels that a message can leave by.
Channel = Literal["email", "sms"]
Basis = Literal["reply", "security_code", "contract_notice", "consent"]

#: Whoever wrote longer ago does not wait for an answer any more.
REPLY_LIFE = timedelta(days=30)
_CHANNELS: tuple[Channel, ...] = ("email", "sms")


class ContactRefused(RuleBroken):
    """A person may not be written to.

    Args:
        code: `contact.address`, `.inactive`, `.consent`, `.guardian`, `.opted_out`, `.no_reply`,
            `.quiet_hours`.
        retry_at: from when on it may be tried again; None if time alone does not help.
    """

    def __init__(self, code: str, safe_message: str, *, retry_at: datetime | None = None) -> None:
        super().__init__(code, safe_message)
        self.retry_at = retry_at


@dataclass(frozen=True, slots=True)
class ContactPreferences:
    """How a person wishes to be reached.

    Args:
        opted_out: channels on which they want nothing but security codes and contract notices.
    """

    preferred_channel: ConsentChannel | None = None
    opted_out: frozenset[ConsentChannel] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRequest:
    """What somebody wants to send.

    Args:
        channel: None for the one that suits the person best.
        purpose: that a consent has to cover; other bases need none.
    """

    person_id: PersonId
    basis: Basis
    channel: Channel | None = None
    purpose: ConsentPurpose | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactFacts:
    """What is on file of a person when somebody wants to write to them.

    Args:
        consents: the last word on every channel and purpose.
        preferences: of the person and of their guardian.
        wrote_at: when the person last wrote to the institution.
    """

    person: Person
    guardian: Person | None = None
    consents: tuple[Consent, ...] = ()
    preferences: Mapping[PersonId, ContactPreferences] = field(default_factory=dict)
    wrote_at: datetime | None = None

    def preferences_of(self, person: Person) -> ContactPreferences:
        """Return somebody's preferences, or the usual ones."""
        return self.preferences.get(person.id, ContactPreferences())


@dataclass(frozen=True, slots=True)
class Addressee:
    """Who gets a message, and where: the person, or the guardian of a minor."""

    person: Person
    channel: Channel
    address: str

    @property
    def locale(self) -> Locale:
        """Return the language that they read."""
        return self.person.locale


def address_message(
    facts: ContactFacts, request: ContactRequest, *, quiet: QuietHours, at: datetime
) -> Addressee:
    """Return who gets the message, if it may leave at this moment.

    Raises: ContactRefused: as soon as possible again, where several channels refuse.
    """
    if facts.person.status != "active":
        raise ContactRefused("contact.inactive", "This person was erased.")
    refusals: list[ContactRefused] = []
    for channel in _channels(facts, request):
        try:
            return _address_on(channel, facts, request, quiet=quiet, at=at)
        except ContactRefused as refused:
            refusals.append(refused)
    raise min(refusals, key=lambda r: (r.retry_at is None, r.retry_at or at))


def _channels(facts: ContactFacts, request: ContactRequest) -> Iterator[Channel]:
    if request.channel is not None:
        yield request.channel
        return
    preferred = facts.preferences_of(facts.person).preferred_channel
    yield from sorted(_CHANNELS, key=lambda channel: channel != preferred)


def _address_on(
    channel: Channel,
    facts: ContactFacts,
    request: ContactRequest,
    *,
    quiet: QuietHours,
    at: datetime,
) -> Addressee:
    addressee = _addressee(channel, facts, request, at)
    if request.basis in ("reply", "consent"):
        _check_opt_out(channel, facts, addressee)
    if request.basis == "reply":
        _check_reply(facts, at)
    if request.basis == "consent":
        _check_consent(channel, facts, request.purpose, at)
        _check_quiet(addressee, request.purpose, quiet=quiet, at=at)
    return addressee


def _addressee(
    channel: Channel, facts: ContactFacts, request: ContactRequest, at: datetime
) -> Addressee:
    """What rests on a guardian's consent goes to the guardian; a contract's notice may."""
    minor, person = facts.person.is_minor(at), facts.person
    if minor and request.basis == "consent":
        person = _guardian(facts, at)
    elif minor and request.basis == "contract_notice" and address_of(person, channel) is None:
        person = facts.guardian or person
    address = address_of(person, channel)
    if address is None or person.status != "active":
        raise ContactRefused("contact.address", "There is no address on file for this channel.")
    return Addressee(person, channel, address)


def address_of(person: Person, channel: Channel) -> str | None:
    """Return where a person is reached by a channel."""
    return person.email if channel == "email" else person.phone


def _guardian(facts: ContactFacts, at: datetime) -> Person:
    guardian = facts.guardian
    if guardian is None or guardian.status != "active" or guardian.is_minor(at):
        raise ContactRefused("contact.guardian", "This minor has no guardian on file.")
    return guardian


def _check_opt_out(channel: Channel, facts: ContactFacts, addressee: Addressee) -> None:
    for person in (facts.person, addressee.person):
        if channel in facts.preferences_of(person).opted_out:
            raise ContactRefused("contact.opted_out", "They want nothing on this channel.")


def _check_reply(facts: ContactFacts, at: datetime) -> None:
    if facts.wrote_at is None or facts.wrote_at + REPLY_LIFE <= at:
        raise ContactRefused("contact.no_reply", "There is nothing to reply to.")


def _check_consent(
    channel: Channel, facts: ContactFacts, purpose: ConsentPurpose | None, at: datetime
) -> None:
    """Accept an adult's own consent, or that of the guardian a minor has today."""
    given = next((c for c in facts.consents if (c.channel, c.purpose) == (channel, purpose)), None)
    if given is None or not given.granted:
        raise ContactRefused("contact.consent", "There is no consent for this.")
    speaker = facts.person.guardian_id if facts.person.is_minor(at) else None
    if given.guardian_id != speaker:
        code = "contact.guardian" if speaker else "contact.consent"
        raise ContactRefused(code, "This consent was given by somebody else.")


def _check_quiet(
    addressee: Addressee, purpose: ConsentPurpose | None, *, quiet: QuietHours, at: datetime
) -> None:
    retry_at = quiet.until(at, addressee.person.time_zone, purpose)
    if retry_at is not None:
        raise ContactRefused(
            "contact.quiet_hours", "Nobody is disturbed at this hour.", retry_at=retry_at
        )
