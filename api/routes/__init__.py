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
    payment_webhooks,
    people,
    programmes,
    sandbox_payments,
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
    payment_webhooks.router,
    sandbox_payments.router,
    system.router,
    pages.router,
)
