"""Who of the staff asks: the session behind a bearer token, and what its role allows."""

from fastapi.security import HTTPBearer
from starlette.requests import HTTPConnection

from api.chat_session import opened_services
from crm.actor import Actor
from crm.errors import Denied, Unauthenticated
from crm.identity.permissions import Area, may
from crm.journal.audit import AuditEntry


class StaffToken(HTTPBearer):
    """Dependency that returns the request's bearer token.

    Raises: Unauthenticated("auth.missing").
    """

    def __init__(self) -> None:
        super().__init__(auto_error=False, scheme_name="staffSession", description="Access token")

    async def __call__(self, request: HTTPConnection) -> str:  # type: ignore[override]
        """Return the token."""
        credentials = await super().__call__(request)
        if credentials is None:
            raise Unauthenticated("auth.missing", "Send the access token as a bearer token.")
        return credentials.credentials


class StaffSession(StaffToken):
    """Dependency that returns the member of staff who asks.

    It is one dependency and no chain of them: solving a chain costs more than what it looks up.

    Raises: Unauthenticated("auth.missing" | "auth.token").
    """

    async def __call__(self, request: HTTPConnection) -> Actor:  # type: ignore[override]
        """Return the actor, looked up once a request."""
        known: Actor | None = getattr(request.state, "staff", None)
        if known is None:
            token = await StaffToken.__call__(self, request)
            known = await opened_services(request).identity.staff_by_token(token)
            request.state.staff = known
        return known


class StaffIn(StaffSession):
    """Dependency that lets into an area of the house those whose role allows it.

    Raises: Denied("auth.role"): and the attempt is audited.
    """

    def __init__(self, area: Area, *, write: bool) -> None:
        super().__init__()
        self._area = area
        self._write = write

    async def __call__(self, request: HTTPConnection) -> Actor:  # type: ignore[override]
        """Return the actor, who may enter."""
        actor = await super().__call__(request)
        if may(actor, self._area, write=self._write):
            return actor
        async with opened_services(request).database.transaction() as uow:
            uow.audit(_refused(actor, self._area, write=self._write))
        raise Denied("auth.role", "Your role does not allow this.")


staff_token = StaffToken()
current_staff = StaffSession()


def staff_in(area: Area, *, write: bool = False) -> StaffIn:
    """Return a dependency that lets into an area."""
    return StaffIn(area, write=write)


def _refused(actor: Actor, area: Area, *, write: bool) -> AuditEntry:
    return AuditEntry(
        actor=actor,
        action=f"{area}.{'write' if write else 'read'}",
        effect="NONE",
        outcome="refused",
        decision="auth.role",
        error_code="auth.role",
    )
