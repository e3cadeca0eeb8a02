"""A student proves who they are, agrees to a price and pays, all of it in the widget."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, ViewportSize, expect

from tests.chat_client import ChatClient
from tests.e2e.browser.conftest import DESKTOP, PHONE
from tests.e2e.browser.pictures import take_picture
from tests.e2e.browser.widget_page import PATIENCE_MS, WidgetPage

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.live import LiveApi

WORDS = {
    "es": {
        "course": "quiero matricularme en primeros auxilios, el primer grupo que haya, en 2 cuotas",
        "verify": "verific",
        "accept": "Aceptar",
        "confirm": "Confirmar",
        "prove": "Verificar mi identidad",
        "email": "Correo electrónico",
        "send": "Enviar el código",
        "code": "Código",
        "proven": "Tu identidad está verificada",
        "total": "USD 59",
    },
    "en": {
        "course": "sign me up for personal finance, the first group available, in 2 instalments",
        "verify": "verify",
        "accept": "Accept",
        "confirm": "Confirm",
        "prove": "Verify my identity",
        "email": "E-mail address",
        "send": "Send the code",
        "code": "Code",
        "proven": "Your identity is verified",
        "total": "USD 39",
    },
}


def new_student(database_url: str) -> tuple[str, str]:
    """Add somebody with an address; return their id and the address."""
    person_id, email = str(uuid4()), f"{uuid4().hex[:12]}@correo.example"
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(
            "INSERT INTO people (id, full_name, email, locale, time_zone, status, created_at, "
            "updated_at) VALUES (%s, 'Valeria Núñez', %s, 'es', 'America/Lima', 'active', now(), "
            "now())",
            [person_id, email],
        )
    return person_id, email


def enrolments(database_url: str, person_id: str) -> int:
    with psycopg.connect(database_url) as conn:
        row = conn.execute(
            "SELECT count(*) FROM enrolments WHERE person_id = %s AND status = 'confirmed'",
            [person_id],
        ).fetchone()
    return row[0] if row else 0


@pytest.mark.parametrize(
    ("locale", "viewport"), [("es", PHONE), ("en", DESKTOP)], ids=["es-phone", "en-desktop"]
)
async def test_student_enrols_and_pays_in_the_widget(
    chromium: Browser,
    live_app: LiveApi,
    demo_database_url: str,
    locale: str,
    viewport: ViewportSize,
) -> None:
    words = WORDS[locale]
    person_id, email = new_student(demo_database_url)
    context = await chromium.new_context(viewport=viewport, locale=locale)
    widget = WidgetPage(await context.new_page(), live_app.url)
    await widget.visit(f"/?lang={locale}")
    await widget.launch()
    asked = await widget.ask(words["course"])
    await expect(asked).to_contain_text(re.compile(words["verify"], re.IGNORECASE))
    await prove(widget, words, email)
    await widget.say("listo" if locale == "es" else "done")
    card = widget.panel.locator(".confirmation, [data-confirmation]").last
    await expect(card).to_contain_text(words["total"], timeout=PATIENCE_MS)
    await take_picture(widget.page, f"widget-enrol-{viewport['width']}")
    found = await Axe().run(widget.page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag22aa"]})
    assert [v["id"] for v in found.response["violations"]] == []
    await card.get_by_role("button", name=re.compile(f"^{words['accept']}", re.IGNORECASE)).click()
    link = widget.panel.locator("a[href*='/pay/']").last
    await expect(link).to_be_visible(timeout=PATIENCE_MS)
    await take_picture(widget.page, f"widget-pay-link-{viewport['width']}")
    async with context.expect_page() as opened:
        await link.click()
    page = await opened.value
    await page.locator("button[value=pay]").click(timeout=PATIENCE_MS)
    await page.wait_for_load_state()
    await until_enrolled(page, demo_database_url, person_id)
    await context.close()


async def until_enrolled(page: Page, database_url: str, person_id: str) -> None:
    """Wait until the payment has confirmed the seat."""
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while True:
            if enrolments(database_url, person_id):
                return
            await page.wait_for_timeout(200)


async def prove(widget: WidgetPage, words: dict[str, str], email: str) -> None:
    """Type the address on file, then the code that was sent to it."""
    mailbox = ChatClient(widget.url)
    await widget.panel.get_by_role("button", name=words["prove"]).click()
    await widget.panel.get_by_label(words["email"]).fill(email)
    await widget.panel.get_by_role("button", name=words["send"]).click()
    field = widget.panel.get_by_label(words["code"])
    await expect(field).to_be_focused()
    await field.fill(await mailbox.code_sent_to(email))
    await mailbox.close()
    await widget.panel.get_by_role("button", name=words["confirm"]).click()
    await expect(widget.panel).to_contain_text(words["proven"])
