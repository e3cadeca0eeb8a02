"""Use cases of verification: a student proves an address on file by a one-time code."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from crm.actor import Actor, IdentityLevel
from crm.db import Database, UnitOfWork
from crm.errors import NotFound, RuleBroken, Throttled, Unavailable
from crm.identity import codes, store
from crm.identity.codes import Asker, PendingCode, Verdict
from crm.identity.events import PersonVerified, VerificationRequested
from crm.ids import ConversationId, PersonId, new_id
from crm.journal.audit import AuditEntry
from crm.journal.vault import SubjectKey
from crm.messaging.outbound import store as outbound
from crm.messaging.outbound.models import CODE_LIFE, OutboundIntent, RefusedIntent
from crm.messaging.outbound.proof import ContactProof, prove_code
from crm.messaging.outbound.service import queue_outbound, refuse_outbound
from crm.people import store as people
from crm.people.addresses import normalise_email, normalise_phone
from crm.people.contact.models import Channel
from crm.people.models import Locale, Person


class Verification:
    """One-time codes.

    Args:
        institution: the name that the message carries.
        phone_region: of phone numbers without a country code.
    """

    def __init__(self, database: Database, *, institution: str, phone_region: str) -> None:
        self._db = database
        self._institution = institution
        self._region = phone_region

    async def request_code(
        self,
        conversation_id: ConversationId,
        *,
        email: str | None = None,
        phone: str | None = None,
        locale: Locale,
    ) -> None:
        """Send a code to an address, if it is on file; nobody outside learns whether it is.

        Known or not, the same statements run. A person who was sent five codes within the hour
        gets no more, silently: an error would tell that the address is theirs. The intent is
        committed here; deliver it after the answer has gone, or its time would tell.

        Raises:
            RuleBroken("verification.address"): not exactly one address.
            RuleBroken("person.email"), RuleBroken("person.phone"): not an address.
            Throttled("verification.requests"): three requests in this conversation in 15 minutes.
            NotFound("conversation.unknown").
        """
        channel, address = self._address(email, phone)
        async with self._db.transaction() as uow:
            asker = await _lock_asker(uow, conversation_id)
            wait = await _wait_s(uow, conversation_id)
            if wait:
                uow.audit(_refused_request(asker))
            else:
                await store.lock_address(uow.conn, address)
                await self._issue(uow, asker, channel=channel, address=address, locale=locale)
        if wait:
            raise Throttled("verification.requests", "Too many codes.", retry_after_s=wait)

    def _address(self, email: str | None, phone: str | None) -> tuple[Channel, str]:
        if bool(email) == bool(phone):
            raise RuleBroken("verification.address", "Give an e-mail address or a phone number.")
        if email:
            return "email", normalise_email(email)
        return "sms", normalise_phone(phone or "", self._region)

    async def forget_codes(self, *, older_than: timedelta, limit: int = 1_000) -> int:
        """Delete codes that were asked for long ago; returns how many."""
        async with self._db.transaction() as uow:
            before = uow.clock.now() - older_than
            return await store.delete_codes(uow.conn, before=before, limit=limit)

    async def _issue(
        self, uow: UnitOfWork, asker: Asker, *, channel: Channel, address: str, locale: Locale
    ) -> None:
        person = await people.select_by_address(uow.conn, **{_COLUMN[channel]: address})
        refused = await _refusal(uow, person)
        code_id, code = new_id(), codes.new_code()
        await _replace_code(
            uow, asker, code_id, code, channel=channel, to=None if refused else person
        )
        if person is None or refused:
            await _refuse_code(uow, code_id, person, channel=channel, locale=locale, why=refused)
        else:
            proof = prove_code(person, channel, locale=locale, at=uow.clock.now())
            await self._send_code(uow, code_id, code, proof)
        uow.publish(
            VerificationRequested(conversation_id=asker.conversation_id, verification_id=code_id)
        )
        uow.audit(_request_record(asker, person, address=address, refused=refused, code_id=code_id))

    async def _send_code(
        self, uow: UnitOfWork, code_id: UUID, code: str, proof: ContactProof
    ) -> None:
        minutes = str(int(CODE_LIFE / timedelta(minutes=1)))
        intent = OutboundIntent(
            effect_key=_effect_key(code_id),
            proof=proof,
            template=_TEMPLATE,
            params={"code": code, "minutes": minutes, "institution": self._institution},
        )
        await queue_outbound(uow, intent)

    async def confirm_code(self, conversation_id: ConversationId, code: str) -> PersonId:
        """Return who proved their address; what follows for the session is messaging's.

        Raises:
            RuleBroken: `verification.code`, and the try is counted; `verification.exhausted`: it
                was the fifth; `verification.expired`: no open code.
            NotFound("conversation.unknown").
        """
        async with self._db.transaction() as uow:
            asker = await _lock_asker(uow, conversation_id)
            pending = await store.select_open_code(uow.conn, conversation_id)
            verdict = await _judge(uow, asker, pending, code)
            person_id = pending.person_id if pending and verdict is Verdict.VERIFIED else None
            if person_id is not None:
                uow.publish(PersonVerified(conversation_id=conversation_id, person_id=person_id))
            uow.audit(_confirm_record(asker, verdict, person_id))
        # Only now: the count of tries is committed whatever the verdict.
        if person_id is None:
            raise codes.error_of(verdict)
        return person_id


_COLUMN: dict[Channel, str] = {"email": "email", "sms": "phone"}
_TEMPLATE = "verification_code"


def _effect_key(code_id: UUID) -> str:
    return f"verification:{code_id}"


async def _lock_asker(uow: UnitOfWork, conversation_id: ConversationId) -> Asker:
    asker = await store.lock_asker(uow.conn, conversation_id)
    if asker is None:
        raise NotFound("conversation.unknown", "There is no such conversation.")
    return asker


async def _wait_s(uow: UnitOfWork, conversation_id: ConversationId) -> int:
    now = uow.clock.now()
    since = now - codes.CONVERSATION_WINDOW
    return codes.wait_s(await store.select_requests(uow.conn, conversation_id, since=since), now)


async def _refusal(uow: UnitOfWork, person: Person | None) -> str | None:
    """Return why no code goes out, or None; the statements are the same for every answer."""
    since = uow.clock.now() - codes.PERSON_WINDOW
    sent = await store.count_sent(uow.conn, person.id if person else None, since=since)
    if person is None:
        return "recipient.unknown"
    return "recipient.limit" if sent >= codes.PERSON_LIMIT else None


async def _refuse_code(
    uow: UnitOfWork,
    code_id: UUID,
    person: Person | None,
    *,
    channel: Channel,
    locale: Locale,
    why: str | None,
) -> None:
    intent = RefusedIntent(
        effect_key=_effect_key(code_id),
        channel=channel,
        basis="security_code",
        person_id=person.id if person else None,
        template=_TEMPLATE,
        locale=locale,
        reason=why or "recipient.unknown",
    )
    await refuse_outbound(uow, intent)


async def _replace_code(
    uow: UnitOfWork, asker: Asker, code_id: UUID, code: str, *, channel: Channel, to: Person | None
) -> None:
    now = uow.clock.now()
    closed = await store.close_codes(uow.conn, asker.conversation_id, at=now)
    withdrawn = [_effect_key(old) for old in closed]
    await outbound.cancel_outbound(uow.conn, withdrawn, error="superseded")
    pending = PendingCode(
        id=code_id,
        person_id=to.id if to else None,
        code_hash=codes.hash_code(await _key(uow, asker), code_id, code),
        tries=0,
        expires_at=now + CODE_LIFE,
    )
    await store.insert_code(
        uow.conn, pending, conversation_id=asker.conversation_id, channel=channel, at=now
    )


async def _judge(uow: UnitOfWork, asker: Asker, pending: PendingCode | None, code: str) -> Verdict:
    now = uow.clock.now()
    if pending is None:
        return Verdict.EXPIRED
    typed = codes.hash_code(await _key(uow, asker), pending.id, code.strip())
    verdict = codes.judge(pending, typed, now)
    closed_at = None if verdict is Verdict.WRONG else now
    await store.count_try(uow.conn, pending.id, closed_at=closed_at)
    return verdict


async def _key(uow: UnitOfWork, asker: Asker) -> SubjectKey:
    key = await uow.key(asker.subject_id)
    if key is None:
        raise Unavailable("subject.erased", "This conversation's records were erased.")
    return key


def _record(asker: Asker, action: str, *, error: str | None, **more: Any) -> AuditEntry:
    actor = Actor(
        subject_id=asker.subject_id, level=IdentityLevel(asker.level), person_id=asker.person_id
    )
    return AuditEntry(
        actor=actor,
        action=action,
        effect="WRITE",
        outcome="refused" if error else "ok",
        decision=error or "allowed",
        error_code=error,
        chain_id=asker.conversation_id,
        conversation_id=asker.conversation_id,
        **more,
    )


def _refused_request(asker: Asker) -> AuditEntry:
    return _record(asker, "verification.request", error="verification.requests")


def _request_record(
    asker: Asker, person: Person | None, *, address: str, refused: str | None, code_id: UUID
) -> AuditEntry:
    return _record(
        asker,
        "verification.request",
        error=refused,
        payload={"address": address},
        others={"address": person.id} if person else {},
        effect_key=_effect_key(code_id),
    )


def _confirm_record(asker: Asker, verdict: Verdict, person_id: PersonId | None) -> AuditEntry:
    error = None if person_id else f"verification.{verdict}"
    payload = {"person_id": person_id} if person_id else {}
    return _record(asker, "verification.confirm", error=error, payload=payload)
