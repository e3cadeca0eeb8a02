"""A real browser, the real application behind it, and a student in front of it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, ViewportSize, async_playwright

from tests.demo_database import environment
from tests.e2e.browser.widget_page import WidgetPage
from tests.live import LiveApi

CHROMIUM = Path(os.environ.get("ORIENTA_CHROMIUM", "/usr/bin/chromium"))
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies in this folder: it needs Chromium."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="module")
def live_app(demo_database_url: str, redis_url: str) -> Iterator[LiveApi]:
    """The application with the demo institution, on a port of its own."""
    api = LiveApi(environment(demo_database_url, redis_url)).start()
    yield api
    api.stop()


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Where the browser is; `ORIENTA_CHROMIUM` names another place."""
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed here")
    return str(CHROMIUM)


@pytest.fixture(scope="session")
async def chromium(chromium_path: str) -> AsyncIterator[Browser]:
    """The machine's Chromium, without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    """A browser profile of its own: a student who has never been here."""
    context = await chromium.new_context(viewport=DESKTOP, locale="es-PE")
    context.set_default_timeout(30_000)
    yield context
    await context.close()


@pytest.fixture
async def page(context: BrowserContext) -> AsyncIterator[Page]:
    """A tab; whatever its scripts complain of fails the test."""
    complaints: list[str] = []
    page = await context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if _is_breach(said.text) else None)
    yield page
    assert complaints == []


def _is_breach(text: str) -> bool:
    return "Content Security Policy" in text or "Uncaught" in text


@pytest.fixture
async def widget(page: Page, live_app: LiveApi) -> WidgetPage:
    """The front page with the chat open, as a Spanish speaker sees it."""
    widget = WidgetPage(page, live_app.url)
    await widget.visit("/")
    await widget.launch()
    return widget
