"""The HTTP routes, one noun a file."""

from fastapi import APIRouter

from api.routes import advisor, auth, chat, events, people, system

#: In the order in which OpenAPI lists them.
ROUTERS: tuple[APIRouter, ...] = (
    chat.router,
    events.router,
    auth.router,
    people.router,
    advisor.router,
    system.router,
)
