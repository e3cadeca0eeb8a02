"""Who of the staff asks: the session behind a bearer token, and what its role allows."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.chat_session import ServicesDep
from crm.actor import Actor
from crm.errors import Denied, Unauthenticated
from crm.identity.permissions import Area, may
from crm.journal.audit import AuditEntry

_bearer = HTTPBearer(auto_error=False, scheme_name="staffSession", description="Access token")
_Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def staff_token(credentials: _Credentials) -> str:
    """Return the request's bearer token.

    Raises: Unauthenticated("auth.missing").
    """
    if credentials is None:
        raise Unauthenticated("auth.missing", "Send the access token as a bearer token.")
    return credentials.credentials


async def current_staff(
    services: ServicesDep, token: Annotated[str, Depends(staff_token)]
) -> Actor:
    """Return the member of staff who asks.

    Raises: Unauthenticated("auth.missing" | "auth.token").
    """
    return await services.identity.staff_by_token(token)


def staff_in(area: Area, *, write: bool = False) -> Callable[..., Awaitable[Actor]]:
    """Return a dependency that lets into an area of the house those whose role allows it.

    Raises: Denied("auth.role"): the dependency does, and the attempt is audited.
    """

    async def entered(
        services: ServicesDep, actor: Annotated[Actor, Depends(current_staff)]
    ) -> Actor:
        if may(actor, area, write=write):
            return actor
        async with services.database.transaction() as uow:
            uow.audit(_refused(actor, area, write=write))
        raise Denied("auth.role", "Your role does not allow this.")

    return entered


def _refused(actor: Actor, area: Area, *, write: bool) -> AuditEntry:
    return AuditEntry(
        actor=actor,
        action=f"{area}.{'write' if write else 'read'}",
        effect="NONE",
        outcome="refused",
        decision="auth.role",
        error_code="auth.role",
    )
