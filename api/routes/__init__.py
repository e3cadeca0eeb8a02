"""The HTTP routes, one noun a file."""

from fastapi import APIRouter

from api.routes import (
    admin,
    advisor,
    auth,
    certificates,
    chat,
    cohorts,
    completion,
    contact,
    courses,
    discounts,
    events,
    exports,
    imports,
    pages,
    payment_webhooks,
    people,
    programmes,
    quotes,
    sandbox_payments,
    scholarships,
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
    quotes.router,
    scholarships.router,
    discounts.router,
    completion.router,
    certificates.router,
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
