"""The sandbox's payment page, as a payer with a phone or at a desk sees it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, ViewportSize, expect

from api.bootstrap import open_services
from crm.ids import new_id
from crm.money import Money
from crm.payments.gateways.protocol import CheckoutOrder
from tests.demo_database import settings_of
from tests.e2e.browser.conftest import DESKTOP, PHONE
from tests.e2e.browser.pictures import take_picture

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page

    from tests.live import LiveApi

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture
async def pay_path(demo_database_url: str, redis_url: str) -> AsyncIterator[str]:
    """The path of a new checkout's page."""
    settings = settings_of(demo_database_url, redis_url)
    async with open_services(settings) as services:
        order = CheckoutOrder(
            payment_id=new_id(),
            amount=Money(630_17, "USD"),
            description="Análisis de datos con Python, cuota 1 de 3",
            locale="es",
            return_url="https://andino.example/",
            expires_at=services.clock.now() + timedelta(hours=1),
        )
        checkout = await services.tills.gateways["sandbox"].create_checkout(order)
        yield checkout.url.removeprefix(settings.base_url)


async def _complaints(page: Page) -> list[str]:
    found = await Axe().run(page, options=RULES)
    return [violation["id"] for violation in found.response["violations"]]


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["390", "1440"])
async def test_payer_pays_and_is_told_so(
    chromium: Browser, live_app: LiveApi, pay_path: str, viewport: ViewportSize
) -> None:
    # The checker is a script that the page's own policy would not let in.
    context = await chromium.new_context(viewport=viewport, locale="es-PE", bypass_csp=True)
    page = await context.new_page()
    await page.goto(live_app.url + pay_path)
    await take_picture(page, f"pay-{viewport['width']}")
    assert await _complaints(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    await page.get_by_role("button", name=re.compile("^Pagar")).press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Pago recibido")
    await take_picture(page, f"pay-done-{viewport['width']}")
    assert await _complaints(page) == []
    await context.close()


async def test_payment_works_under_the_pages_own_policy(
    page: Page, live_app: LiveApi, pay_path: str
) -> None:
    await page.goto(live_app.url + pay_path)
    await page.get_by_role("button", name="Simular un rechazo del banco").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Pago rechazado")
    await expect(page.get_by_role("link", name=re.compile("^Volver a"))).to_be_visible()
