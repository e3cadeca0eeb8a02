"""Who is chatting: the session behind the bearer token of a widget."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import HTTPConnection

from api.attendant import Attendant
from api.bootstrap import Services
from crm.errors import Unauthenticated
from crm.messaging.conversations.models import ChatSession

_bearer = HTTPBearer(auto_error=False, scheme_name="chatSession", description="Session token")


# Dependencies are coroutines even where they wait for nothing: others are sent to a thread.


async def services_of(request: Request) -> Services:
    """Return what this process works with."""
    return opened_services(request)


def opened_services(request: HTTPConnection) -> Services:
    """Return what the process that got the request works with."""
    services: Services = request.app.state.services
    return services


async def attendant_of(request: Request) -> Attendant:
    """Return what serves turns in the background."""
    attendant: Attendant = request.app.state.attendant
    return attendant


async def session_token(
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> str:
    """Return the request's bearer token.

    Raises: Unauthenticated("session.missing").
    """
    if credentials is None:
        raise Unauthenticated("session.missing", "Send the session token as a bearer token.")
    return credentials.credentials


async def current_session(
    request: Request, token: Annotated[str, Depends(session_token)]
) -> ChatSession:
    """Return the session of the request's bearer token.

    Raises: Unauthenticated("session.missing" | "session.unknown" | "session.expired" |
        "session.revoked").
    """
    return await opened_services(request).conversations.session_by_token(token)


ServicesDep = Annotated[Services, Depends(services_of)]
AttendantDep = Annotated[Attendant, Depends(attendant_of)]
SessionToken = Annotated[str, Depends(session_token)]
SessionDep = Annotated[ChatSession, Depends(current_session)]
