"""What leads look like over HTTP."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.bodies import Body, Out
from api.moments import Moment
from crm.people.models import Locale
from crm.pipeline.activities.models import ActivityKind, Direction, Fact, StaffActivityKind
from crm.pipeline.models import LeadSource, LostReason, Stage
from crm.pipeline.sla.models import ClockState, SlaTarget

Code = Annotated[str, Field(min_length=1, max_length=40)]
Term = Annotated[str, Field(max_length=20, description="Intake, e.g. `2027-1`")]


class LeadOut(Out):
    """Somebody's interest in a programme or a course, and how far it is."""

    id: UUID
    person_id: UUID
    source: LeadSource
    programme_code: str | None
    course_code: str | None
    term: str
    language: Locale
    stage: Stage
    lost_reason: LostReason | None
    staff_id: UUID | None
    version: int
    created_at: datetime
    stage_since: datetime
    last_activity_at: datetime


class LeadPage(BaseModel):
    """A page of leads."""

    items: list[LeadOut]
    next_cursor: str | None


class StageOut(Out):
    """One line of a lead's history; the first comes from no stage."""

    id: UUID
    from_stage: Stage | None
    to_stage: Stage
    reason: LostReason | None
    staff_id: UUID | None
    occurred_at: datetime


class ClockOut(Out):
    """How long a lead may wait for something; `breached_at` says that it waited longer."""

    id: UUID
    target: SlaTarget
    state: ClockState
    due_at: datetime | None
    started_at: datetime
    stopped_at: datetime | None
    breached_at: datetime | None


class LeadDetailOut(Out):
    """A lead with its stages and its clocks, both oldest first."""

    lead: LeadOut
    history: list[StageOut]
    clocks: list[ClockOut]


class ActivityOut(Out):
    """Something that happened with a person; a note's text is `about.text`."""

    id: UUID
    person_id: UUID
    lead_id: UUID | None
    kind: ActivityKind
    direction: Direction | None
    about: dict[str, Fact]
    staff_id: UUID | None
    occurred_at: datetime


class ActivityPage(BaseModel):
    """A page of what happened."""

    items: list[ActivityOut]
    next_cursor: str | None


class NewLead(Body):
    """A new interest; at most one of programme and course."""

    person_id: UUID
    source: LeadSource = "staff"
    programme_code: Code | None = None
    course_code: Code | None = None
    term: Term = ""
    language: Locale | None = None
    stage: Literal["inquiry", "lead"] = "inquiry"
    staff_id: UUID | None = None


class LeadPatch(Body):
    """The fields to change; absent ones stay, null empties one."""

    expected_version: int = Field(ge=1, le=2**31 - 1, description="`version` of what was read")
    programme_code: Code | None = None
    course_code: Code | None = None
    term: Term = ""
    language: Locale = "es"


class NewStage(Body):
    """The stage to move to; `lost` needs a reason, `inquiry` or `lead` take a lost one up again."""

    stage: Stage
    reason: LostReason | None = None
    expected_version: int | None = Field(None, ge=1, le=2**31 - 1)


class Assignment(Body):
    """Who looks after the lead now; null is nobody, unless the rule is to choose."""

    staff_id: UUID | None = None
    by_rule: bool = False


class NewActivity(Body):
    """What was done or said; `out` is the institution reaching out."""

    kind: StaffActivityKind
    direction: Direction | None = None
    text: Annotated[str, Field(min_length=1, max_length=2_000)] | None = None
    occurred_at: Moment | None = Field(None, description="Now, unless it was before")
