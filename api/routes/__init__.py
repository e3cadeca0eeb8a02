"""The HTTP routes, one noun a file."""

from fastapi import APIRouter

from api.routes import (
    admin,
    advisor,
    auth,
    chat,
    cohorts,
    contact,
    courses,
    events,
    exports,
    imports,
    pages,
    people,
    programmes,
    system,
    tickets,
)

#: In the order in which OpenAPI lists them.
ROUTERS: tuple[APIRouter, ...] = (
    chat.router,
    events.router,
    auth.router,
    people.router,
    contact.router,
    courses.router,
    cohorts.router,
    programmes.router,
    tickets.router,
    imports.router,
    exports.router,
    advisor.router,
    admin.router,
    system.router,
    pages.router,
)
