"""The staff's sessions over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Response, status
from pydantic import BaseModel, ConfigDict, Field

from api.bodies import Out
from api.dependencies import CurrentStaff, ServicesDep, StaffToken
from api.routing import Chapter
from crm.actor import Role
from crm.errors import Unauthenticated
from crm.identity.models import PASSWORD_MAX

router = Chapter(prefix="/v1/auth", tags=["auth"])


class Login(BaseModel):
    """What a member of staff proves themself with."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    email: Annotated[str, Field(min_length=1, max_length=254)]
    password: Annotated[str, Field(min_length=1, max_length=PASSWORD_MAX)]
    totp: Annotated[
        str | None, Field(max_length=16, description="Where the account has a second factor")
    ] = None


class StaffOut(Out):
    """A member of staff."""

    id: UUID
    email: str
    name: str
    role: Role
    languages: tuple[str, ...]
    areas: tuple[str, ...]


class LoggedIn(BaseModel):
    """A session; the token is shown once."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105 (the scheme's name)
    expires_at: datetime
    staff: StaffOut


@router.post("/login", summary="Log in")
async def login(body: Login, services: ServicesDep, response: Response) -> LoggedIn:
    """Open a session; five failures lock the address for 15 minutes."""
    opened = await services.identity.login(body.email, body.password, totp=body.totp)
    response.headers["Cache-Control"] = "no-store"
    return LoggedIn(
        access_token=opened.access_token,
        expires_at=opened.expires_at,
        staff=StaffOut.model_validate(opened.staff),
    )


@router.post("/logout", status_code=status.HTTP_204_NO_CONTENT, summary="Log out")
async def logout(token: StaffToken, services: ServicesDep) -> None:
    """End the session of the token."""
    await services.identity.logout(token)


@router.get("/me", summary="Who am I")
async def me(staff: CurrentStaff, services: ServicesDep) -> StaffOut:
    """Return the member of staff whose token this is."""
    if staff.staff_id is None:
        raise Unauthenticated("auth.token", "The session has ended. Log in again.")
    return StaffOut.model_validate(await services.identity.get_staff(staff.staff_id))
