"""A task: pure rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NewType, TypedDict
from uuid import UUID

from crm.errors import Conflict, RuleBroken
from crm.ids import PersonId, StaffId
from crm.pipeline.models import LeadId

TaskId = NewType("TaskId", UUID)
TaskStatus = Literal["open", "done", "cancelled"]

MAX_TITLE = 200
#: Back to `open` is taking it up again.
TRANSITIONS: Mapping[TaskStatus, frozenset[TaskStatus]] = {
    "open": frozenset({"done", "cancelled"}),
    "done": frozenset({"open"}),
    "cancelled": frozenset({"open"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something to do for a person, by a time.

    Args:
        staff_id: who has to do it; None is anybody.
    """

    id: TaskId
    person_id: PersonId
    lead_id: LeadId | None
    title: str
    staff_id: StaffId | None
    due_at: datetime
    status: TaskStatus
    version: int
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTask:
    """A new task, for a lead or for a person.

    Args:
        person_id: may be left out when a lead is named.
        effect_key: creating twice with one key creates once.
    """

    title: str
    due_at: datetime
    person_id: PersonId | None = None
    lead_id: LeadId | None = None
    staff_id: StaffId | None = None
    effect_key: str | None = None


class TaskChanges(TypedDict, total=False):
    """What to change; a key that is absent stays as it is."""

    title: str
    due_at: datetime
    staff_id: StaffId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilters:
    """Which tasks; None leaves a filter open."""

    staff_id: StaffId | None = None
    status: TaskStatus | None = None
    lead_id: LeadId | None = None
    person_id: PersonId | None = None
    due_before: datetime | None = None


def check_transition(before: TaskStatus, after: TaskStatus) -> None:
    """Let a task go from a status to another.

    Raises: RuleBroken("task.transition").
    """
    if after not in TRANSITIONS[before]:
        raise RuleBroken("task.transition", f"A task does not go from {before} to {after}.")


def check_title(title: str) -> str:
    """Return a title without blanks around it.

    Raises: RuleBroken("task.title").
    """
    trimmed = title.strip()
    if not 1 <= len(trimmed) <= MAX_TITLE:
        raise RuleBroken("task.title", f"A task has a title of up to {MAX_TITLE} characters.")
    return trimmed


def check_changeable(task: Task, expected_version: int) -> None:
    """Refuse a change to a task that is closed, or that somebody else changed.

    Raises: Conflict("task.stale"); RuleBroken("task.closed").
    """
    check_current(task, expected_version)
    if task.status != "open":
        raise RuleBroken("task.closed", "This task is closed; open it again first.")


def check_current(task: Task, expected_version: int | None) -> None:
    """Refuse a change that was made without seeing the latest one.

    Raises: Conflict("task.stale").
    """
    if expected_version is not None and task.version != expected_version:
        raise Conflict("task.stale", "Somebody else has changed this task meanwhile.")
