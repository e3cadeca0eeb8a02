"""Scholarships, their funds and applications for them over HTTP, for staff."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import Path, Query, Response, status
from pydantic import BaseModel, Field

from api.bodies import Body, MoneyIn, MoneyOut, Out
from api.dependencies import IdempotencyDep, PageDep, ServicesDep
from api.routes.courses import CatalogueWriter, Code
from api.routes.quotes import EnrolmentReader, EnrolmentWriter
from api.routing import Chapter
from crm.courses.fees.applications.models import MAX_TEXT, ApplicationStatus
from crm.courses.fees.models import ApplicationId, FundState
from crm.courses.fees.terms.service import ScholarshipChange
from crm.ids import PersonId

router = Chapter(prefix="/v1/scholarships", tags=["fees"])

_ScholarshipPath = Annotated[str, Path(max_length=40, description="The scholarship's code")]
_Text = Annotated[str, Field(max_length=MAX_TEXT)]


class ScholarshipOut(Out):
    """A scholarship's terms and how its fund stands: what live quotes reserve, what is granted."""

    code: str
    percent: int
    cap: MoneyOut
    active: bool
    automatic: bool
    combines: bool
    fund: MoneyOut
    reserved: MoneyOut
    granted: MoneyOut
    left: MoneyOut

    @classmethod
    def of(cls, state: FundState) -> Self:
        """Return a scholarship for the wire."""
        names = ("code", "percent", "cap", "active", "automatic", "combines", "fund")
        return cls(
            **{name: getattr(state.terms, name) for name in names},
            reserved=MoneyOut.model_validate(state.reserved),
            granted=MoneyOut.model_validate(state.granted),
            left=MoneyOut.model_validate(state.left),
        )


class ScholarshipFundPage(BaseModel):
    """A page of scholarships."""

    items: list[ScholarshipOut]
    next_cursor: str | None


class ScholarshipPatch(Body):
    """The fields to change; absent and null ones stay."""

    active: bool | None = None
    automatic: bool | None = None
    combines: bool | None = None
    fund: MoneyIn | None = None


class ApplicationOut(Out):
    """An application; its texts are in its detail."""

    id: UUID
    scholarship_code: str
    person_id: UUID
    status: ApplicationStatus
    requested_at: datetime
    decided_at: datetime | None
    decided_by: UUID | None


class ApplicationDetailOut(Out):
    """An application with what the person wrote and what staff answered."""

    application: ApplicationOut
    statement: str | None
    answer: str | None


class ApplicationPage(BaseModel):
    """A page of applications."""

    items: list[ApplicationOut]
    next_cursor: str | None


class NewApplication(Body):
    """Who asks for which scholarship, and why."""

    scholarship_code: Code
    person_id: UUID
    statement: _Text = ""


class Decision(Body):
    """What to tell the person."""

    answer: _Text = ""


@router.get("", summary="List scholarships")
async def list_scholarships(
    staff: EnrolmentReader, services: ServicesDep, page: PageDep
) -> ScholarshipFundPage:
    """Return scholarships by code, with how their funds stand."""
    found = await services.fees.terms.list_funds(cursor=page.cursor, limit=page.limit, actor=staff)
    items = [ScholarshipOut.of(state) for state in found.items]
    return ScholarshipFundPage(items=items, next_cursor=found.next_cursor)


@router.patch("/{code}", summary="Change a scholarship")
async def change_scholarship(
    code: _ScholarshipPath,
    body: ScholarshipPatch,
    staff: CatalogueWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> ScholarshipOut:
    """Change a scholarship's terms or fund, which stays at least what is promised from it."""
    change = ScholarshipChange(
        active=body.active,
        automatic=body.automatic,
        combines=body.combines,
        fund=body.fund.money if body.fund else None,
    )
    changed = await services.fees.terms.change_scholarship(
        code, change, actor=staff, idempotency=idempotency
    )
    return ScholarshipOut.of(changed)


@router.get("/applications", summary="List applications")
async def list_applications(
    staff: EnrolmentReader,
    services: ServicesDep,
    page: PageDep,
    scholarship: Annotated[str | None, Query(max_length=40, description="Its code")] = None,
    person_id: UUID | None = None,
    status: ApplicationStatus | None = None,
) -> ApplicationPage:
    """Return applications for scholarships, newest first; the reading is audited."""
    found = await services.fees.applications.list_applications(
        scholarship_code=scholarship,
        person_id=PersonId(person_id) if person_id else None,
        status=status,
        cursor=page.cursor,
        limit=page.limit,
        actor=staff,
    )
    items = [ApplicationOut.model_validate(application) for application in found.items]
    return ApplicationPage(items=items, next_cursor=found.next_cursor)


@router.post("/applications", status_code=status.HTTP_201_CREATED, summary="Ask for a scholarship")
async def request_scholarship(
    body: NewApplication,
    staff: EnrolmentWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
    response: Response,
) -> ApplicationOut:
    """Write down a person's application for a scholarship."""
    application = await services.fees.applications.request_scholarship(
        body.scholarship_code,
        PersonId(body.person_id),
        body.statement,
        actor=staff,
        idempotency=idempotency,
    )
    response.headers["Location"] = f"/v1/scholarships/applications/{application.id}"
    return ApplicationOut.model_validate(application)


@router.get("/applications/{application_id}", summary="Read an application")
async def get_application(
    application_id: UUID, staff: EnrolmentReader, services: ServicesDep
) -> ApplicationDetailOut:
    """Return an application with its texts; the reading is audited."""
    found = await services.fees.applications.get_application(
        ApplicationId(application_id), actor=staff
    )
    return ApplicationDetailOut.model_validate(found)


@router.post("/applications/{application_id}/award", summary="Award a scholarship")
async def award(
    application_id: UUID,
    body: Decision,
    staff: EnrolmentWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> ApplicationOut:
    """Give somebody the scholarship they asked for; the fund is drawn on when they enrol."""
    decided = await services.fees.applications.award(
        ApplicationId(application_id), body.answer, actor=staff, idempotency=idempotency
    )
    return ApplicationOut.model_validate(decided)


@router.post("/applications/{application_id}/decline", summary="Decline a scholarship")
async def decline(
    application_id: UUID,
    body: Decision,
    staff: EnrolmentWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> ApplicationOut:
    """Do not give somebody the scholarship they asked for; they may ask again."""
    decided = await services.fees.applications.decline(
        ApplicationId(application_id), body.answer, actor=staff, idempotency=idempotency
    )
    return ApplicationOut.model_validate(decided)
