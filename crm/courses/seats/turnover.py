"""Turns seats over: what is overdue lapses, what is free goes to those who wait.

Everything that takes or frees a seat first locks its cohort here, and settles it again when it has
freed one. So under the lock a cohort is always settled: no hold in it is overdue, and while a seat
is free nobody waits.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from crm.actor import SERVICE_ACTOR
from crm.courses import cohort_store
from crm.courses.models import Cohort, CohortId
from crm.courses.seats import store
from crm.courses.seats.events import HoldExpired, OfferExpired, SeatOffered
from crm.courses.seats.models import (
    HoldId,
    SeatHold,
    SeatPolicy,
    WaitlistEntry,
    room_for_offers,
)
from crm.courses.seats.waitlist import store as waitlist
from crm.db import UnitOfWork
from crm.errors import NotFound
from crm.ids import INSTITUTION, new_id
from crm.journal.audit import performed


@dataclass(frozen=True, slots=True)
class Settled:
    """Locked cohorts, and how many holds in them had lapsed."""

    cohorts: Mapping[CohortId, Cohort]
    lapsed: int


async def lock_cohorts(
    uow: UnitOfWork, cohort_ids: Collection[CohortId], policy: SeatPolicy
) -> Mapping[CohortId, Cohort]:
    """Lock and settle cohorts until the transaction ends.

    Raises: NotFound("cohort.unknown").
    """
    await cohort_store.lock_cohorts(uow.conn, cohort_ids)
    settled = await settle(uow, cohort_ids, policy)
    if len(settled.cohorts) < len(set(cohort_ids)):
        raise NotFound("cohort.unknown", "There is no such cohort.")
    return settled.cohorts


async def lock_cohort(uow: UnitOfWork, cohort_id: CohortId, policy: SeatPolicy) -> Cohort:
    """Lock and settle one cohort, as `lock_cohorts`."""
    return (await lock_cohorts(uow, [cohort_id], policy))[cohort_id]


async def settle(uow: UnitOfWork, cohort_ids: Collection[CohortId], policy: SeatPolicy) -> Settled:
    """Let what is overdue in locked cohorts lapse, and offer what is free; idempotent."""
    lapsed = await store.lapse_holds(uow.conn, cohort_ids, at=uow.clock.now())
    await _note_lapsed(uow, lapsed)
    cohorts = await cohort_store.select_locked(uow.conn, cohort_ids, at=uow.clock.now())
    offers = await _offer_free_seats(uow, list(cohorts.values()), policy)
    if lapsed or offers:
        _record(uow, lapsed, offers)
    for offer in offers:
        cohort = cohorts[offer.cohort_id]
        cohorts[offer.cohort_id] = replace(cohort, seats_held=cohort.seats_held + 1)
    return Settled(cohorts, len(lapsed))


async def _note_lapsed(uow: UnitOfWork, lapsed: Sequence[SeatHold]) -> None:
    for hold in lapsed:
        where = {"hold_id": hold.id, "cohort_id": hold.cohort_id, "person_id": hold.person_id}
        uow.publish(HoldExpired(**where))
        if hold.entry_id:
            uow.publish(OfferExpired(entry_id=hold.entry_id, **where))
    entries = [hold.entry_id for hold in lapsed if hold.entry_id]
    if entries:
        await waitlist.end_entries(uow.conn, entries, "expired", at=uow.clock.now())


async def _offer_free_seats(
    uow: UnitOfWork, cohorts: Sequence[Cohort], policy: SeatPolicy
) -> list[SeatHold]:
    now = uow.clock.now()
    rooms = [room for c in cohorts if (room := room_for_offers(c, now, policy))]
    turns = await waitlist.select_next(uow.conn, rooms) if rooms else []
    offers = [_offer(entry, now, until) for entry, until in turns]
    if offers:
        await store.insert_holds(uow.conn, offers)
        await waitlist.mark_offered(uow.conn, [entry.id for entry, _ in turns])
    for offer, (entry, _) in zip(offers, turns, strict=True):
        uow.publish(
            SeatOffered(
                hold_id=offer.id,
                entry_id=entry.id,
                cohort_id=offer.cohort_id,
                person_id=offer.person_id,
                expires_at=offer.expires_at,
            )
        )
    return offers


def _offer(entry: WaitlistEntry, at: datetime, until: datetime) -> SeatHold:
    return SeatHold(
        id=HoldId(new_id()),
        cohort_id=entry.cohort_id,
        person_id=entry.person_id,
        kind="offer",
        status="live",
        waived=entry.waived,
        effect_key=None,
        entry_id=entry.id,
        created_at=at,
        expires_at=until,
        ended_at=None,
    )


def _record(uow: UnitOfWork, lapsed: Sequence[SeatHold], offers: Sequence[SeatHold]) -> None:
    payload = {"expired": [h.id for h in lapsed], "offered": [h.id for h in offers]}
    uow.audit(performed(SERVICE_ACTOR, "seats.settle", about=INSTITUTION, payload=payload))
