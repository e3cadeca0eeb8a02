"""Every page as a visitor sees it, at the width of a phone and of a desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.e2e.browser.conftest import DESKTOP, PHONE
from tests.e2e.browser.pictures import take_picture
from tests.e2e.browser.widget_page import WidgetPage

if TYPE_CHECKING:
    from tests.live import LiveApi

PAGES = {
    "home": "/",
    "courses": "/courses?area=DAT",
    "course": "/courses/DAT-201",
    "programmes": "/programmes",
    "scholarships": "/scholarships",
    "certificates": "/certificates",
    "documents": "/knowledge",
    "document": "/knowledge/refunds-and-withdrawal#cuanto-se-devuelve",
    "mailbox": "/demo/mailbox",
    "not-found": "/courses/NADA",
    "advisor": "/advisor",
    "admin": "/admin",
}


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["390", "1440"])
@pytest.mark.parametrize("name", PAGES)
async def test_page_renders_without_a_complaint(
    chromium: Browser, live_app: LiveApi, name: str, viewport: ViewportSize
) -> None:
    context = await chromium.new_context(viewport=viewport, locale="es-PE")
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    await page.goto(live_app.url + PAGES[name], wait_until="networkidle")
    assert await page.get_by_role("heading", level=1).count() == 1
    assert len(await take_picture(page, f"{name}-{viewport['width']}")) > 5_000
    assert complaints == []
    await context.close()


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["390", "1440"])
async def test_widget_in_conversation_is_pictured(
    chromium: Browser, live_app: LiveApi, viewport: ViewportSize
) -> None:
    context = await chromium.new_context(viewport=viewport, locale="es-PE")
    widget = WidgetPage(await context.new_page(), live_app.url)
    await widget.visit("/")
    await widget.launch()
    await take_picture(widget.page, f"widget-welcome-{viewport['width']}")
    await widget.ask("¿Cuánto cuesta el curso de Python y cuándo empieza?")
    await take_picture(widget.page, f"widget-answer-{viewport['width']}")
    await widget.ask("Necesito abrir un ticket: no puedo entrar al campus virtual")
    await expect(widget.panel.get_by_role("button", name="Aceptar")).to_be_visible()
    await take_picture(widget.page, f"widget-confirmation-{viewport['width']}")
    await context.close()


async def test_front_page_shows_the_prices_and_dates_of_the_database(
    page: Page, live_app: LiveApi, demo_database_url: str
) -> None:
    await page.goto(f"{live_app.url}/?lang=en")
    card = page.locator(".course-card").first
    code = (await card.get_by_role("link").get_attribute("href") or "").split("/")[-1]
    with psycopg.connect(demo_database_url) as conn:
        row = conn.execute(
            "SELECT price_minor / 100, to_char(starts_on, 'FMDD Mon YYYY') FROM cohorts"
            " WHERE course_code = %s AND status = 'open' AND enrolment_closes >= current_date"
            " ORDER BY starts_on LIMIT 1",
            [code.partition("?")[0]],
        ).fetchone()
    assert row is not None
    await expect(card).to_contain_text(f"USD\N{NO-BREAK SPACE}{row[0]}")
    await expect(card).to_contain_text(row[1])


async def test_language_can_be_chosen_and_is_kept_from_page_to_page(
    page: Page, live_app: LiveApi
) -> None:
    await page.goto(live_app.url)
    await page.get_by_role("link", name="English").click()
    await page.get_by_role("link", name="See the courses").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Courses")


async def test_course_page_leads_to_what_comes_before_it(page: Page, live_app: LiveApi) -> None:
    await page.goto(f"{live_app.url}/courses/DAT-201")
    before = page.locator("#prerequisites ~ ul a").first
    name = await before.inner_text()
    await before.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(name)


async def test_cited_heading_stands_out_in_its_document(page: Page, live_app: LiveApi) -> None:
    await page.goto(f"{live_app.url}/knowledge/kb:refunds-and-withdrawal:es@1#cuanto-se-devuelve")
    cited = page.locator("section:has(> #cuanto-se-devuelve)")
    await expect(cited).to_be_in_viewport()
    plain = page.locator("section").last
    colour = "e => getComputedStyle(e).backgroundColor"
    assert await cited.evaluate(colour) != await plain.evaluate(colour)


async def test_staff_document_is_not_there_for_the_public(live_app: LiveApi) -> None:
    async with httpx.AsyncClient(base_url=live_app.url, timeout=30) as http:
        for name in ("internal-discount-approval", "kb:internal-discount-approval:es@1"):
            assert (await http.get(f"/knowledge/{name}")).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/courses/%00",
        "/courses/x%27%20OR%201=1",
        "/knowledge/privacy@99999999999999999999",
        "/knowledge/..%2f..%2fetc%2fpasswd",
        "/static/../settings.py",
        "/static/console/..%2f..%2fsettings.py",
        "/programmes/%3Cscript%3E",
        "/scholarships/nada",
    ],
)
async def test_address_that_leads_nowhere_is_not_found(live_app: LiveApi, path: str) -> None:
    async with httpx.AsyncClient(base_url=live_app.url, timeout=30) as http:
        answer = await http.get(path, headers={"accept": "text/html"})
    assert answer.status_code == 404
    assert "<script>" not in answer.text


async def test_script_is_sent_compressed_and_only_when_it_changed(live_app: LiveApi) -> None:
    async with httpx.AsyncClient(base_url=live_app.url, timeout=30) as http:
        first = await http.get("/widget.js")
        tag = first.headers["etag"]
        again = await http.get("/widget.js", headers={"if-none-match": tag})
        plain = await http.get("/widget.js", headers={"accept-encoding": "identity"})
    assert first.headers["content-encoding"] == "gzip"
    assert int(first.headers["content-length"]) < 40_000
    assert again.status_code == 304
    assert plain.text == first.text


async def test_mailbox_is_json_for_programs(live_app: LiveApi) -> None:
    async with httpx.AsyncClient(base_url=live_app.url, timeout=30) as http:
        for path, accept in (("/demo/mailbox.json", "*/*"), ("/demo/mailbox", "application/json")):
            answer = await http.get(path, headers={"accept": accept})
            assert set(answer.json()) == {"items", "next_cursor"}
