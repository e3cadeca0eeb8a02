"""Invariant 16: a message's status only goes on, and a reply rests on the inbound log alone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.errors import RuleBroken, Unavailable
from crm.ids import new_id
from crm.messaging.outbound import store
from crm.people.contact.models import REPLY_LIFE, ContactRefused

if TYPE_CHECKING:
    from crm.clock import FixedClock
    from crm.messaging.outbound.models import ClaimedMessage, OutboundIntent
    from crm.people.models import Person
    from tests.integration.crm.outbound.conftest import PostOffice

TIMED = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
CLOSED = {"sent", "failed"}
WEATHER: dict[str, Exception | None] = {
    "fine": None,
    "down": Unavailable("mail.down", "It does not answer."),
    "refused": RuleBroken("mail.address", "Nobody lives there."),
}
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("deliver"), st.sampled_from(list(WEATHER))),
        st.tuples(st.just("queue again"), st.none()),
        st.tuples(st.just("cancel"), st.none()),
        st.tuples(st.just("claim and die"), st.none()),
        st.tuples(st.just("report late"), st.sampled_from([None, "mail.down"])),
        st.tuples(st.just("put off late"), st.none()),
        st.tuples(st.just("revoke"), st.booleans()),
        st.tuples(st.just("wait"), st.sampled_from([1, 3, 20])),
    ),
    min_size=2,
    max_size=14,
)


class Post:
    """A message, and whoever else still believes to be sending it."""

    def __init__(self, office: PostOffice, intent: OutboundIntent, person: Person) -> None:
        self.office, self.intent, self.person = office, intent, person
        self.claims: list[ClaimedMessage] = []

    async def take(self, name: str, value: Any, clock: FixedClock) -> None:
        """Let something happen to it."""
        at = clock.now()
        match name:
            case "deliver":
                await self.deliver(WEATHER[value])
            case "queue again":
                await self.office.queue(self.intent)
            case "revoke":
                await self.office.consent(self.person, granted=value)
            case "wait":
                clock.advance(timedelta(minutes=value))
            case _:
                async with self.office.database.transaction() as uow:
                    await self.meddle(uow.conn, name, value, at)

    async def deliver(self, failure: Exception | None) -> None:
        async def behave(_: object) -> None:
            if failure is not None:
                raise failure

        self.office.transport.behave = behave
        await self.office.drain()

    async def meddle(self, conn: Any, name: str, value: Any, at: Any) -> None:
        """Do what a withdrawal, or a sender that was thought dead, does."""
        if name == "cancel":
            await store.cancel_outbound(conn, [self.intent.effect_key], error="withdrawn")
        elif name == "claim and die":
            if claimed := await store.claim_next(conn, at=at):
                self.claims.append(claimed)
        elif self.claims and name == "report late":
            await store.close_outbound(conn, self.claims[-1].id, error=value, at=at)
        elif self.claims:
            await store.postpone_outbound(conn, self.claims[-1].id, error="mail.down", until=at)


@TIMED
@given(steps=STEPS)
async def test_status_only_goes_on_and_nothing_leaves_once_it_is_closed(
    office: PostOffice, clock: FixedClock, steps: list[tuple[str, Any]]
) -> None:
    person = await office.new_person()
    await office.consent(person)
    intent = await office.intent("consent", person=person, purpose="marketing")
    await office.queue(intent)
    post, before = Post(office, intent, person), ("intent", None, 0)
    for name, value in steps:
        await post.take(name, value, clock)
        status, error, sealed = await office.state_of(intent)
        left = sum(m.effect_key == intent.effect_key for m in office.transport.sent)
        if before[0] in CLOSED:
            assert (status, error, left) == before
        assert bool(sealed) == (status == "intent")
        assert (error is None) or status != "sent"
        assert left <= 1
        before = (status, error, left)


ROLES = st.sampled_from(["student", "student", "agent", "advisor", "system"])
LOG = st.lists(st.tuples(ROLES, st.integers(0, 2), st.integers(1, 24 * 20)), max_size=8)


@TIMED
@given(log=LOG, later=st.integers(0, 24 * 40), noise=st.booleans())
async def test_reply_is_open_exactly_after_what_the_person_wrote(
    office: PostOffice,
    clock: FixedClock,
    log: list[tuple[str, int, int]],
    later: int,
    noise: bool,
) -> None:
    """What the institution says, sends or is told of does not move the window."""
    person = await office.new_person()
    conversations = [await office.new_conversation(person.id) for _ in range(3)]
    await office.execute(
        "UPDATE conversations SET person_id = %s WHERE id = ANY(%s)", person.id, conversations
    )
    wrote_at = None
    for role, place, hours in log:
        clock.advance(timedelta(hours=hours))
        await office.execute(
            "INSERT INTO messages (id, conversation_id, role, source, external_id, body, "
            "created_at) VALUES (%s, %s, %s, 'widget', gen_random_uuid(), 'Hola', %s)",
            *(new_id(), conversations[place], role, clock.now()),
        )
        wrote_at = clock.now() if role == "student" else wrote_at
    clock.advance(timedelta(hours=later))
    if noise:
        await office.queue(await office.intent("contract_notice", person=person))
        await office.drain()
    is_open = wrote_at is not None and clock.now() < wrote_at + REPLY_LIFE
    assert await _refusal(office, person) == (None if is_open else "contact.no_reply")


async def _refusal(office: PostOffice, person: Person) -> str | None:
    try:
        await office.prove(person.id, "reply")
    except ContactRefused as refused:
        return refused.code
    return None
