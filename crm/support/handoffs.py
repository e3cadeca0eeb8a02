"""Hands conversations to people and back, inside the transaction of whoever asks."""

from crm.db import UnitOfWork
from crm.errors import Conflict, Unavailable
from crm.ids import ConversationId, StaffId
from crm.support import store
from crm.support.events import HandoffReleased, HandoffRequested, HandoffTaken
from crm.support.models import Handoff

#: A request can lose to one that is released before it can be read; twice in a row is no race.
_TRIES = 3

TAKEOVER = "takeover"


class Handoffs:
    """The half of support that touches conversations; it changes hand-offs and nothing else."""

    async def request_handoff(
        self,
        uow: UnitOfWork,
        conversation_id: ConversationId,
        *,
        reason: str,
        effect_key: str | None = None,
    ) -> Handoff:
        """Ask for a person, or return the request there is: one open a conversation.

        Raises: Unavailable("handoff.busy"): others request and release it all the time.
        """
        for _ in range(_TRIES):
            added = await store.insert_handoff(
                uow.conn,
                conversation_id,
                reason=reason,
                effect_key=effect_key,
                at=uow.clock.now(),
            )
            if added:
                uow.publish(HandoffRequested(handoff_id=added.id, conversation_id=conversation_id))
                return added
            found = await store.select_handoff(uow.conn, conversation_id, effect_key=effect_key)
            if found:
                return found
        raise Unavailable("handoff.busy", "The conversation is being handed over right now.")

    async def take_handoff(
        self, uow: UnitOfWork, conversation_id: ConversationId, staff_id: StaffId
    ) -> Handoff:
        """Give a conversation to a member of staff, whether or not somebody asked for one.

        Taking what one has already changes nothing.

        Raises: Conflict("handoff.taken"): another has it.
        """
        before = await self.request_handoff(uow, conversation_id, reason=TAKEOVER)
        taken = await store.take_handoff(uow.conn, conversation_id, staff_id, at=uow.clock.now())
        if taken is None:
            raise Conflict("handoff.taken", "A colleague has this conversation.")
        if before.staff_id != staff_id:
            uow.publish(
                HandoffTaken(
                    handoff_id=taken.id, conversation_id=conversation_id, staff_id=staff_id
                )
            )
        return taken

    async def release_handoff(
        self, uow: UnitOfWork, conversation_id: ConversationId
    ) -> Handoff | None:
        """Give a conversation back to the agent; None when nobody had asked for a person."""
        released = await store.release_handoff(uow.conn, conversation_id, at=uow.clock.now())
        if released:
            uow.publish(HandoffReleased(handoff_id=released.id, conversation_id=conversation_id))
        return released
