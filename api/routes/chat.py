"""The widget's API: sessions, messages, decisions, verification."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query, status
from pydantic import BaseModel, Field

from api.announce import announce_message, announce_state
from api.bodies import Body
from api.bootstrap import Services
from api.chat_session import AttendantDep, ServicesDep, SessionDep
from api.routing import Chapter
from api.streams.hub import SESSIONS_CHANGED
from api.web.catalogue import translate
from api.wire import MessageOut, message_out
from crm.errors import Unauthenticated
from crm.identity.identity_token import read_identity_token
from crm.ids import PersonId
from crm.messaging.confirmations.models import Confirmation, ConfirmationStatus
from crm.messaging.conversations.models import ConversationStatus, Locale, StartedSession

router = Chapter(prefix="/v1/chat", tags=["chat"])


class StartSession(Body):
    """How a session begins."""

    locale: Locale | None = None
    identity_token: str | None = Field(
        None, max_length=4_096, description="JWT that the host site signed for its user"
    )


class SessionStarted(BaseModel):
    """A new session; the token is shown once."""

    session_token: str
    conversation_id: UUID
    disclosure: str
    identity_level: str


class PendingConfirmation(BaseModel):
    """What waits for the student's decision."""

    id: UUID
    tool: str
    summary: str
    price_minor: int | None
    currency: str | None
    expires_at: datetime


class SessionState(BaseModel):
    """Where the conversation stands."""

    conversation_id: UUID
    locale: Locale
    identity_level: str
    status: ConversationStatus
    handoff: bool
    advisor: bool
    pending_confirmations: list[PendingConfirmation]


class PostMessage(Body):
    """A student's message; the client's id makes sending it twice harmless."""

    client_message_id: str = Field(min_length=1, max_length=100, pattern=r"^[\w.:-]+$")
    text: str = Field(max_length=20_000)


class MessageAccepted(BaseModel):
    """The message is in the log."""

    message_id: UUID
    conversation_id: UUID


class MessagePage(BaseModel):
    """A stretch of the log, oldest first."""

    items: list[MessageOut]
    next_cursor: str | None


class Decision(Body):
    """Whether the student agrees."""

    decision: Literal["accept", "reject"]


class ConfirmationState(BaseModel):
    """Where a confirmation stands."""

    id: UUID
    status: ConfirmationStatus


class RequestCode(Body):
    """Where the one-time code goes; exactly one."""

    email: str | None = Field(None, max_length=254)
    phone: str | None = Field(None, max_length=32)


class CodeRequested(BaseModel):
    """The answer for any address, on file or not."""

    status: Literal["sent_if_known"] = "sent_if_known"


class ConfirmCode(Body):
    """The code as the student received it."""

    code: str = Field(min_length=4, max_length=12)


@router.post("/sessions", status_code=status.HTTP_201_CREATED, summary="Open a session")
async def start_session(body: StartSession, services: ServicesDep) -> SessionStarted:
    """Open a conversation; with a host site's identity token the student is verified at once."""
    locale = body.locale or services.settings.default_locale
    person_id = await _vouched_for(services, body.identity_token)
    started = await services.conversations.start_session(locale=locale, person_id=person_id)
    return _started(started, locale)


async def _vouched_for(services: Services, token: str | None) -> PersonId | None:
    secret = services.settings.identity_token_secret
    if token is None:
        return None
    if secret is None:
        raise Unauthenticated("identity.token", "Identity tokens are not set up here.")
    claims = read_identity_token(token, secret=secret.get_secret_value(), now=services.clock.now())
    person = await services.people.find_by_address(email=claims.email)
    if person is None:
        raise Unauthenticated("identity.token", "The token names nobody who is on file.")
    return person.id


def _started(started: StartedSession, locale: Locale) -> SessionStarted:
    return SessionStarted(
        session_token=started.token,
        conversation_id=started.session.conversation_id,
        disclosure=translate(locale, "widget.disclosure"),
        identity_level=started.session.level.word,
    )


@router.get("/session", summary="Where the conversation stands")
async def get_session(session: SessionDep, services: ServicesDep) -> SessionState:
    """Return the identity level, what waits for a decision, and whether a person answers."""
    conversation = await services.conversations.get_conversation(session.conversation_id)
    opened = await services.confirmations.list_open(session.conversation_id)
    return SessionState(
        conversation_id=session.conversation_id,
        locale=conversation.locale,
        identity_level=session.level.word,
        status=conversation.status,
        handoff=conversation.status is not ConversationStatus.AGENT,
        advisor=conversation.status is ConversationStatus.ADVISOR,
        pending_confirmations=[
            _pending(c) for c in opened if c.status is ConfirmationStatus.PENDING
        ],
    )


def _pending(confirmation: Confirmation) -> PendingConfirmation:
    call = confirmation.call
    return PendingConfirmation(
        id=confirmation.id,
        tool=call.tool,
        summary=call.summary,
        price_minor=call.price_minor,
        currency=call.currency,
        expires_at=confirmation.expires_at,
    )


@router.post("/messages", status_code=status.HTTP_202_ACCEPTED, summary="Send a message")
async def post_message(
    body: PostMessage, session: SessionDep, services: ServicesDep, attendant: AttendantDep
) -> MessageAccepted:
    """Store a message and answer at once; the reply comes over `/v1/chat/events`."""
    accepted = await services.conversations.accept_message(
        session, client_message_id=body.client_message_id, text=body.text
    )
    message = accepted.message
    if accepted.created:
        await announce_message(services, message)
    attendant.serve_soon(session.conversation_id)
    return MessageAccepted(message_id=message.id, conversation_id=message.conversation_id)


@router.get("/messages", summary="Read the log")
async def list_messages(
    session: SessionDep,
    services: ServicesDep,
    since: Annotated[
        str | None, Query(max_length=500, description="`next_cursor` of the page before")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> MessagePage:
    """Return messages in order, from after the cursor."""
    page = await services.conversations.list_messages(
        session.conversation_id, since=since, limit=limit
    )
    return MessagePage(items=[message_out(m) for m in page.items], next_cursor=page.next_cursor)


@router.post("/confirmations/{confirmation_id}", summary="Decide")
async def decide(
    confirmation_id: UUID,
    body: Decision,
    session: SessionDep,
    services: ServicesDep,
    attendant: AttendantDep,
) -> ConfirmationState:
    """Accept or decline exactly what was shown; deciding the same again changes nothing."""
    decided = await services.confirmations.decide(
        confirmation_id,
        conversation_id=session.conversation_id,
        decision=body.decision,
        actor=session.actor,
    )
    attendant.serve_soon(session.conversation_id)
    return ConfirmationState(id=decided.id, status=decided.status)


@router.post("/verification", status_code=status.HTTP_202_ACCEPTED, summary="Send a one-time code")
async def request_code(
    body: RequestCode, session: SessionDep, services: ServicesDep, attendant: AttendantDep
) -> CodeRequested:
    """Send a code to an address on file; the answer is the same for any address."""
    conversation = await services.conversations.get_conversation(session.conversation_id)
    await services.identity.request_code(
        session.conversation_id, email=body.email, phone=body.phone, locale=conversation.locale
    )
    attendant.deliver_soon()
    return CodeRequested()


@router.post("/verification/confirm", summary="Prove an address by its code")
async def confirm_code(
    body: ConfirmCode, session: SessionDep, services: ServicesDep
) -> SessionStarted:
    """Return a new session token at level `verified`; the old one ends."""
    person_id = await services.identity.confirm_code(session.conversation_id, body.code)
    started = await services.conversations.verify_session(session, person_id)
    await announce_state(services, session.conversation_id, SESSIONS_CHANGED)
    conversation = await services.conversations.get_conversation(started.session.conversation_id)
    return _started(started, conversation.locale)
