"""Makes up what students wrote, what was answered, and the tickets that came of it."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from api.demo.material import CourseFacts, Exchange, Material, Topic
from api.demo.rows import (
    Batch,
    ConversationRow,
    HandoffRow,
    MessageRow,
    TicketEventRow,
    TicketRow,
)
from api.demo.seeded_ids import Kind, seeded_id
from api.demo.students import Student

#: How many conversations a student has had: 0 to 8, about three on average.
_COUNT_WEIGHTS = (8, 17, 20, 20, 14, 10, 6, 3, 2)
_COUNTS = tuple(n for n, weight in enumerate(_COUNT_WEIGHTS) for _ in range(weight))
_HAS_TICKET = 0.3
_RECENT = timedelta(days=2)
_ASKED = "student_asked"

#: The states a ticket passes through on its way, by how old it is.
_OLD_PATHS = (("open", "resolved", "closed"), ("open", "pending", "resolved", "closed"))
_NEW_PATHS = (("open",), ("open", "pending"), ("open", "resolved"), ("open", "pending", "resolved"))


@dataclass(frozen=True, slots=True)
class _Talk:
    """A conversation in the making."""

    id: str
    student: Student
    number: int
    topic: Topic
    course: CourseFacts
    status: str
    staff_id: str | None
    started_at: datetime


class HistoryMaker:
    """Writes the histories of students into a batch.

    Args:
        now: no history goes beyond.
    """

    def __init__(self, material: Material, *, seed: int, now: datetime) -> None:
        self._material = material
        self._seed = seed
        self._now = now

    def write(self, student: Student, dice: random.Random, batch: Batch) -> None:
        """Add a student's conversations and tickets."""
        talks = [self._talk(student, number, dice) for number in range(dice.choice(_COUNTS))]
        messages = 0
        for talk in talks:
            messages += self._write_talk(talk, messages, dice, batch)
        if talks and dice.random() < _HAS_TICKET:
            self._write_ticket(dice.choice(talks), dice, batch)

    def _talk(self, student: Student, number: int, dice: random.Random) -> _Talk:
        span = (self._now - student.joined_at).total_seconds() - 3_600
        started_at = student.joined_at + timedelta(seconds=dice.random() * span)
        status, staff_id = "closed", None
        if self._now - started_at < _RECENT:
            status = dice.choices(("agent", "waiting", "advisor"), (8, 1, 1))[0]
        if status == "advisor":
            staff_id = dice.choice(self._material.advisors)
        return _Talk(
            seeded_id(self._seed, Kind.CONVERSATION, student.index, number),
            student,
            number,
            dice.choice(self._material.topics),
            dice.choice(self._material.courses),
            status,
            staff_id,
            started_at,
        )

    def _write_talk(self, talk: _Talk, offset: int, dice: random.Random, batch: Batch) -> int:
        """Add a conversation with its messages; returns how many there are."""
        lines = self._lines(talk, dice)
        at = talk.started_at
        rows: list[MessageRow] = []
        for number, (role, text) in enumerate(lines):
            at += timedelta(
                milliseconds=dice.randrange(2_000, 9_000 if role == "agent" else 90_000)
            )
            rows.append(self._message(talk, offset + number, role, text, at=at))
        batch.conversations.append(_conversation(talk, last_message_at=at))
        batch.messages += rows
        if talk.status in ("waiting", "advisor"):
            batch.handoffs.append(self._handoff(talk, rows))
        return len(rows)

    def _lines(self, talk: _Talk, dice: random.Random) -> list[tuple[str, str]]:
        """Return who says what: 2 to 10 messages."""
        exchanges = talk.topic.exchanges[talk.student.locale]
        if talk.status not in ("waiting", "advisor"):
            return _fill(exchanges[: dice.randint(1, len(exchanges))], talk)
        ask, greet = self._material.handoff.exchanges[talk.student.locale]
        lines = _fill([*exchanges[: dice.randint(1, 3)], ask], talk)
        if talk.status == "advisor":
            question, answer = _fill([greet], talk)
            lines += [question, ("advisor", answer[1])]
        return lines

    def _message(
        self, talk: _Talk, number: int, role: str, text: str, *, at: datetime
    ) -> MessageRow:
        message_id = seeded_id(self._seed, Kind.MESSAGE, talk.student.index, number)
        return MessageRow(
            id=message_id,
            conversation_id=talk.id,
            role=role,
            source="demo",
            external_id=message_id,
            body=text,
            staff_id=talk.staff_id if role == "advisor" else None,
            answered_by=talk.id if role == "student" else None,
            created_at=at,
        )

    def _handoff(self, talk: _Talk, rows: list[MessageRow]) -> HandoffRow:
        asked_at = rows[-1].created_at if talk.status == "waiting" else rows[-3].created_at
        return HandoffRow(
            id=seeded_id(self._seed, Kind.HANDOFF, talk.student.index, talk.number),
            conversation_id=talk.id,
            reason=_ASKED,
            requested_at=asked_at,
            staff_id=talk.staff_id,
            taken_at=rows[-1].created_at if talk.staff_id else None,
        )

    def _write_ticket(self, talk: _Talk, dice: random.Random, batch: Batch) -> None:
        age = self._now - talk.started_at
        path = dice.choice(_OLD_PATHS if age > timedelta(days=14) else _NEW_PATHS)
        staff_id = None
        if len(path) > 1 or dice.random() < 0.5:
            staff_id = dice.choice(self._material.advisors)
        opened_at = talk.started_at + timedelta(minutes=10)
        step = (self._now - opened_at) / (len(path) + 2)
        ticket = self._ticket(talk, path[-1], staff_id, dice, opened_at=opened_at)
        events = _ticket_events(path, staff_id)
        for number, (kind, before, after) in enumerate(events):
            batch.ticket_events.append(
                TicketEventRow(
                    id=seeded_id(self._seed, Kind.TICKET_EVENT, talk.student.index, number),
                    ticket_id=ticket.id,
                    kind=kind,
                    from_value=before,
                    to_value=after,
                    staff_id=staff_id if number else None,
                    created_at=opened_at + min(step, timedelta(days=2)) * number,
                )
            )
        last = batch.ticket_events[-1].created_at
        batch.tickets.append(ticket._replace(updated_at=last))

    def _ticket(
        self,
        talk: _Talk,
        status: str,
        staff_id: str | None,
        dice: random.Random,
        *,
        opened_at: datetime,
    ) -> TicketRow:
        title, description = talk.topic.ticket[talk.student.locale]
        return TicketRow(
            id=seeded_id(self._seed, Kind.TICKET, talk.student.index),
            subject_id=talk.student.id,
            person_id=talk.student.id,
            conversation_id=talk.id,
            category=talk.topic.category,
            title=_say(title, talk),
            description=_say(description, talk),
            priority=dice.choices(("low", "normal", "high"), (2, 7, 1))[0],
            status=status,
            staff_id=staff_id,
            created_at=opened_at,
            updated_at=opened_at,
        )


def _conversation(talk: _Talk, *, last_message_at: datetime) -> ConversationRow:
    return ConversationRow(
        id=talk.id,
        channel="widget",
        subject_id=talk.student.id,
        person_id=talk.student.id,
        locale=talk.student.locale,
        level=2,
        status=talk.status,
        staff_id=talk.staff_id,
        handoff_reason=_ASKED if talk.status in ("waiting", "advisor") else None,
        created_at=talk.started_at,
        last_message_at=last_message_at,
    )


def _ticket_events(
    path: tuple[str, ...], staff_id: str | None
) -> list[tuple[str, str | None, str | None]]:
    """Return kind, value before and value after of all that happened to a ticket."""
    events: list[tuple[str, str | None, str | None]] = [("opened", None, "open")]
    if staff_id:
        events.append(("assigned", None, staff_id))
    events += [("status", before, after) for before, after in pairwise(path)]
    return events


def _fill(exchanges: "tuple[Exchange, ...] | list[Exchange]", talk: _Talk) -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    for question, answer in exchanges:
        lines += [("student", _say(question, talk)), ("agent", _say(answer, talk))]
    return lines


def _say(text: str, talk: _Talk) -> str:
    if "{" not in text:
        return text
    course = talk.course
    return text.format(
        course=course.title[talk.student.locale], price=course.price, first=talk.student.first
    )
