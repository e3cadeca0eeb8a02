"""Somebody who is shown a certificate checks it, at the width of a phone and of a desk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, ViewportSize, expect

from api.bootstrap import open_services
from api.settings import Settings
from crm.actor import SERVICE_ACTOR
from crm.courses.completion.acts import complete_enrolment
from tests.demo_database import environment
from tests.e2e.browser.conftest import DESKTOP, PHONE
from tests.e2e.browser.pictures import take_picture

if TYPE_CHECKING:
    from crm.courses.completion.certificates.models import IssuedCertificate
    from tests.live import LiveApi


@pytest.fixture(scope="module")
async def issued(demo_database_url: str, redis_url: str) -> AsyncIterator[IssuedCertificate]:
    """The certificate of somebody whose course in the demo has just ended."""
    given = environment(demo_database_url, redis_url)
    settings = Settings(
        _env_file=None,
        **{name.removeprefix("ORIENTA_").lower(): value for name, value in given.items()},
    )
    with psycopg.connect(demo_database_url) as connection:
        row = connection.execute(
            "SELECT e.id, e.cohort_id FROM enrolments e JOIN cohorts h ON h.id = e.cohort_id "
            "JOIN courses c ON c.code = h.course_code "
            "WHERE e.status = 'confirmed' AND c.certificate ORDER BY h.starts_on LIMIT 1"
        ).fetchone()
        assert row is not None
        ended = date(2026, 10, 30)
        connection.execute(
            "UPDATE cohorts SET enrolment_closes = %s, starts_on = %s, ends_on = %s WHERE id = %s",
            [ended - timedelta(days=70), ended - timedelta(days=60), ended, row[1]],
        )
    async with open_services(settings) as services:
        async with services.database.transaction() as uow:
            done = await complete_enrolment(
                uow, enrolment_id=row[0], actor=SERVICE_ACTOR, waiver="An example."
            )
        page = await services.certificates.list_certificates(
            person_id=done.person_id, actor=SERVICE_ACTOR
        )
        yield page.items[0]


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["390", "1440"])
async def test_number_leads_to_initials_and_the_code_to_the_name(
    chromium: Browser, live_app: LiveApi, issued: IssuedCertificate, viewport: ViewportSize
) -> None:
    context = await chromium.new_context(viewport=viewport, locale="es-PE")
    page = await context.new_page()
    await page.goto(f"{live_app.url}/certificates")
    await page.get_by_label("Número").fill(issued.certificate.number.lower())
    await page.get_by_role("button", name="Comprobar", exact=True).click()

    await expect(page.get_by_role("status")).to_contain_text("Este certificado es válido.")
    await expect(page.get_by_text(str(issued.holder))).to_have_count(0)
    await page.get_by_label("Código de verificación").fill("0000 0000 0000")
    await page.get_by_role("button", name="Ver el nombre").click()
    await expect(page.get_by_role("alert")).to_contain_text("Ese código no corresponde")
    await page.get_by_label("Código de verificación").fill(issued.code)
    await page.get_by_role("button", name="Ver el nombre").click()

    await expect(page.get_by_text(str(issued.holder), exact=True)).to_be_visible()
    await take_picture(page, f"certificate-{viewport['width']}")
    assert (await Axe().run(page)).response["violations"] == []
    await context.close()
