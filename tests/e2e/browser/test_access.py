"""The widget and the pages for everybody: keyboard, screen reader, small screens."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from tests.e2e.browser.conftest import PHONE
from tests.e2e.browser.widget_page import WidgetPage

if TYPE_CHECKING:
    from tests.live import LiveApi

PRICE = "¿Cuánto cuesta el curso de Python y cuándo empieza?"
TICKET = "Necesito abrir un ticket: no puedo entrar al campus virtual desde ayer"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
PAGES = [
    "/",
    "/courses",
    "/courses/DAT-201",
    "/programmes",
    "/scholarships",
    "/certificates",
    "/knowledge",
    "/knowledge/refunds-and-withdrawal",
    "/demo/mailbox",
    "/courses/NADA",
    "/advisor",
    "/admin",
]

_FOCUSED = """
() => {
  let node = document.activeElement;
  while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
  return node ? (node.getAttribute("aria-label") || node.textContent || node.id).trim() : "";
}
"""
#: A card's link covers the whole card.
_SMALL_TARGETS = """
root => [...root.querySelectorAll("button, input, textarea, select, a[href]")]
  .filter(node => node.checkVisibility() && !node.closest("p, sup, li:not([class]) > :not(a)"))
  .map(node => [node.outerHTML.slice(0, 80), node.closest(".course-card") ?? node])
  .map(([html, target]) => [html, target.getBoundingClientRect()])
  .filter(([, box]) => box.height < 44 || box.width < 24)
  .map(([html, box]) => `${html} ${box.width}×${box.height}`)
"""


async def _violations(page: Page) -> list[str]:
    found: dict[str, Any] = (await Axe().run(page, options=RULES)).response
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_page_has_no_accessibility_finding(
    page: Page, live_app: LiveApi, path: str, scheme: str
) -> None:
    await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    await page.goto(live_app.url + path)
    assert await _violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_conversation_has_no_accessibility_finding(widget: WidgetPage, scheme: str) -> None:
    await widget.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    assert await _violations(widget.page) == []
    await widget.ask(PRICE)
    await widget.ask(TICKET)
    await expect(widget.panel.locator("[data-confirmation]")).to_be_visible()
    await widget.panel.get_by_role("button", name="Más opciones").click()
    await widget.panel.get_by_role("button", name="Verificar mi identidad").click()
    assert await _violations(widget.page) == []


async def test_whole_conversation_works_by_keyboard(page: Page, live_app: LiveApi) -> None:
    widget = WidgetPage(page, live_app.url)
    await widget.visit("/")
    await widget.root.locator(".launcher").focus()
    await page.keyboard.press("Enter")
    await expect(widget.input).to_be_focused()
    await page.keyboard.type(TICKET)
    await page.keyboard.press("Enter")
    await widget.reply(0)
    accept = widget.panel.get_by_role("button", name="Aceptar")
    await expect(accept).to_be_visible()
    for _ in range(20):
        if await accept.evaluate("e => e === e.getRootNode().activeElement"):
            break
        await page.keyboard.press("Shift+Tab")
    await expect(accept).to_be_focused()
    await page.keyboard.press("Enter")
    await widget.reply(1)
    await expect(widget.input).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(widget.panel).to_be_hidden()
    await expect(widget.root.locator(".launcher")).to_be_focused()


async def test_tab_stays_inside_the_open_dialog(widget: WidgetPage) -> None:
    seen: list[str] = []
    for _ in range(40):
        await widget.page.keyboard.press("Tab")
        seen.append(await widget.page.evaluate(_FOCUSED))
        assert await widget.panel.evaluate("e => e.contains(e.getRootNode().activeElement)")
    assert any("Cerrar" in label for label in seen)
    assert len(set(seen)) < len(seen)


async def test_escape_closes_the_menu_before_the_dialog(widget: WidgetPage) -> None:
    await widget.panel.get_by_role("button", name="Más opciones").click()
    await widget.page.keyboard.press("Escape")
    await expect(widget.panel.get_by_role("button", name="Empezar otra")).to_be_hidden()
    await expect(widget.panel).to_be_visible()


async def test_reader_hears_whole_sentences_once_with_the_speaker_first(
    widget: WidgetPage,
) -> None:
    await widget.ask(PRICE)
    heard = await widget.panel.get_by_role("log").locator("p").all_inner_texts()
    assert heard[0] == "Orienta:"
    assert len(heard) == len(set(heard))
    assert any("USD" in line for line in heard)
    assert not any(re.search(r"\*\*|\[\d\]", line) for line in heard)


async def test_history_is_not_read_aloud_again(widget: WidgetPage) -> None:
    await widget.ask(PRICE)
    await widget.page.reload()
    await expect(widget.messages).to_have_count(2)
    assert await widget.panel.get_by_role("log").locator("p").count() == 0


async def test_language_changes_at_once_and_is_remembered(widget: WidgetPage) -> None:
    await widget.input.fill("a half-written question")
    await widget.panel.get_by_role("button", name="Switch to English").click()
    await expect(widget.panel).to_contain_text("I'm an AI assistant")
    assert await widget.input.input_value() == "a half-written question"
    await widget.page.reload()
    await expect(widget.panel).to_contain_text("I'm an AI assistant")


async def test_phone_shows_the_chat_on_the_whole_screen(
    chromium: Browser, live_app: LiveApi
) -> None:
    context = await chromium.new_context(viewport=PHONE, locale="es-PE", has_touch=True)
    widget = WidgetPage(await context.new_page(), live_app.url)
    await widget.visit("/")
    await widget.launch()
    await widget.ask(PRICE)
    box = await widget.panel.bounding_box()
    assert box == {"x": 0, "y": 0, "width": PHONE["width"], "height": PHONE["height"]}
    assert await widget.panel.evaluate(_SMALL_TARGETS) == []
    await context.close()


@pytest.mark.parametrize("path", PAGES)
async def test_phone_scrolls_in_one_direction_and_can_hit_every_control(
    chromium: Browser, live_app: LiveApi, path: str
) -> None:
    context = await chromium.new_context(viewport=PHONE, locale="es-PE", has_touch=True)
    page = await context.new_page()
    await page.goto(live_app.url + path)
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert await page.locator("body").evaluate(_SMALL_TARGETS) == []
    await context.close()


async def test_nothing_moves_for_those_who_asked_for_it(widget: WidgetPage) -> None:
    await widget.page.emulate_media(reduced_motion="reduce")
    moving = "e => getComputedStyle(e).animationName"
    assert await widget.panel.evaluate(moving) == "none"
