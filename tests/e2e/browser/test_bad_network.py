"""The widget on a bad network: nothing is lost, nothing is said twice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import psycopg
from playwright.async_api import BrowserContext, Route, expect

from tests.e2e.browser.widget_page import PATIENCE_MS, WidgetPage

if TYPE_CHECKING:
    from tests.live import LiveApi

PRICE = "¿Cuánto cuesta el curso de Python y cuándo empieza?"
MESSAGES = "**/v1/chat/messages"
EVENTS = "**/v1/chat/events"


class Spoiler:
    """Answers the first requests to an address its own way, and lets the rest pass."""

    def __init__(self, times: int, *, reaches_server: bool = False, **answer: object) -> None:
        self.left = times
        self.ids: list[str] = []
        self._reaches_server = reaches_server
        self._answer = answer

    async def __call__(self, route: Route) -> None:
        if route.request.method != "POST":
            await route.continue_()
            return
        self.ids.append(json.loads(route.request.post_data or "{}")["client_message_id"])
        if self.left == 0:
            await route.continue_()
            return
        self.left -= 1
        if self._reaches_server:
            await route.fetch()
        if self._answer:
            await route.fulfill(**self._answer)  # type: ignore[arg-type]
        else:
            await route.abort("connectionreset")


async def test_message_is_sent_again_under_the_same_id(widget: WidgetPage) -> None:
    spoiler = Spoiler(2)
    await widget.page.route(MESSAGES, spoiler)
    await widget.ask(PRICE)
    assert len(spoiler.ids) == 3
    assert len(set(spoiler.ids)) == 1
    assert len(await widget.transcript()) == 2


async def test_message_whose_receipt_was_lost_is_stored_and_shown_once(
    widget: WidgetPage, demo_database_url: str
) -> None:
    spoiler = Spoiler(1, reaches_server=True)
    await widget.page.route(MESSAGES, spoiler)
    await widget.ask(PRICE)
    await expect(widget.panel.locator(".row-student")).to_have_count(1)
    with psycopg.connect(demo_database_url) as conn:
        stored = conn.execute(
            "SELECT count(*) FROM messages WHERE external_id = %s", [spoiler.ids[0]]
        ).fetchone()
    assert stored == (1,)


async def test_message_that_cannot_be_sent_says_so_and_waits_for_another_try(
    widget: WidgetPage,
) -> None:
    spoiler = Spoiler(1, status=422, content_type="application/problem+json", body="{}")
    await widget.page.route(MESSAGES, spoiler)
    await widget.say(PRICE)
    failed = widget.panel.locator(".is-failed")
    await expect(failed).to_contain_text("No se envió")
    await expect(widget.panel.locator("#text-problem")).to_contain_text("No pudimos aceptar")
    await failed.get_by_role("button", name="Reintentar").click()
    await widget.reply(0)
    assert len(set(spoiler.ids)) == 1


async def test_failed_message_survives_a_reload(widget: WidgetPage) -> None:
    spoiler = Spoiler(1, status=422, content_type="application/problem+json", body="{}")
    await widget.page.route(MESSAGES, spoiler)
    await widget.say(PRICE)
    await expect(widget.panel.locator(".is-failed")).to_be_visible()
    await widget.page.reload()
    await widget.reply(0)
    assert len(set(spoiler.ids)) == 1


async def test_being_asked_to_wait_is_said_with_the_time(widget: WidgetPage) -> None:
    answer = {"status": 429, "headers": {"Retry-After": "42"}, "body": "{}"}
    await widget.page.route(MESSAGES, Spoiler(1, **answer))
    await widget.say(PRICE)
    await expect(widget.panel.locator("#text-problem")).to_contain_text("Espera 42 segundos")


async def test_too_long_a_message_is_refused_beside_the_field_with_the_excess(
    widget: WidgetPage,
) -> None:
    await widget.input.fill("a" * 4012)
    await widget.input.press("Enter")
    await expect(widget.panel.locator("#text-problem")).to_contain_text("Quita al menos 12")
    await expect(widget.panel.locator("#text-count")).to_contain_text("4,012 de 4,000")
    assert await widget.input.input_value() == "a" * 4012
    await widget.input.fill("a" * 3999)
    await expect(widget.panel.locator("#text-problem")).to_be_empty()


async def test_answer_arrives_though_the_events_never_do(widget: WidgetPage) -> None:
    await widget.ask(PRICE)
    await widget.page.route(EVENTS, lambda route: route.abort("connectionreset"))
    await widget.page.reload()
    await expect(widget.messages).to_have_count(2)
    await widget.say("¿Qué documentos necesito para la admisión?")
    await expect(widget.replies).to_have_count(2, timeout=PATIENCE_MS)
    await expect(widget.panel.locator(".banner")).to_contain_text("No hay conexión")
    await widget.page.unroute(EVENTS)
    await expect(widget.panel.locator(".banner")).to_be_hidden(timeout=PATIENCE_MS)


async def test_two_tabs_agree_after_the_server_was_killed_and_came_back(
    widget: WidgetPage, context: BrowserContext, live_app: LiveApi
) -> None:
    other = WidgetPage(await context.new_page(), widget.url)
    await widget.ask(PRICE)
    await other.visit("/")
    await other.launch()
    await expect(other.messages).to_have_count(2)
    await widget.say("¿Qué documentos necesito para la admisión?")
    live_app.kill()
    await other.say("¿Qué becas hay?")
    live_app.start()
    for tab in (widget, other):
        await expect(tab.messages.filter(has_text="becas hay")).to_have_count(
            1, timeout=PATIENCE_MS
        )
        await expect(tab.panel.locator("[data-pending]")).to_have_count(0, timeout=PATIENCE_MS)
        await expect(tab.panel.locator(".is-draft")).to_have_count(0, timeout=PATIENCE_MS)
    await widget.ask("Gracias")
    await expect(other.messages).to_have_count(await widget.messages.count(), timeout=PATIENCE_MS)
    assert await widget.transcript() == await other.transcript()


async def test_hostile_text_stays_text(widget: WidgetPage) -> None:
    hostile = '<img src=x onerror="window.owned=1"> [x](javascript:window.owned=1) **b**'
    await widget.ask(hostile)
    said = widget.panel.locator(".row-student .bubble").first
    await expect(said).to_contain_text("<img src=x")
    assert await said.locator("img, a").count() == 0
    assert await widget.page.evaluate("window.owned") is None
