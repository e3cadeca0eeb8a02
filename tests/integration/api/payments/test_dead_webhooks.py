"""Admins see the webhooks that led nowhere; advisors do not."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from api.routes import dead_letters
from crm.actor import SERVICE_ACTOR, Role
from crm.identity.models import CreateStaff
from crm.ids import new_id
from crm.payments.gateways import store
from tests.integration.api.serving import client_of, log_in, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI

    from api.settings import Settings

PASSWORD = "correct horse battery"
URL = "/v1/admin/dead-letters/webhooks"


@pytest.fixture(scope="module")
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    async with serving(settings, dead_letters.router) as app:
        yield app


async def _header(app: FastAPI, role: Role) -> dict[str, str]:
    command = CreateStaff(
        email=f"{new_id()}@andino.example", name="Eva", role=role, password=PASSWORD
    )
    staff = await app.state.services.identity.create_staff(command, actor=SERVICE_ACTOR)
    async with client_of(app) as client:
        return await log_in(client, staff.email, PASSWORD)


async def test_pages_hold_every_dead_webhook_once_the_latest_first(app: FastAPI) -> None:
    header, names = await _header(app, Role.ADMIN), [str(new_id()) for _ in range(5)]
    async with app.state.services.database.transaction() as uow:
        for n, name in enumerate(names):
            # Two of the same moment: the page's edge falls between them.
            at = uow.clock.now() + timedelta(days=1, seconds=n // 2)
            await store.insert_dead_note(uow.conn, "stripe", name, code="payment.unknown", at=at)

    shown, cursor = [], None
    async with client_of(app) as client:
        while len(shown) < len(names):
            query = {"limit": "1"} | ({"cursor": cursor} if cursor else {})
            page = (await client.get(URL, params=query, headers=header)).json()
            shown += page["items"]
            cursor = page["next_cursor"]

    assert [note["event_id"] for note in shown] == names[::-1]
    assert {(note["gateway"], note["code"]) for note in shown} == {("stripe", "payment.unknown")}


async def test_advisor_does_not_see_dead_webhooks(app: FastAPI) -> None:
    header = await _header(app, Role.ADVISOR)
    async with client_of(app) as client:
        answer = await client.get(URL, headers=header)
    assert (answer.status_code, answer.json()["code"]) == (403, "auth.role")
