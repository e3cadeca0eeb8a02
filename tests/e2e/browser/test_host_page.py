"""One script tag on somebody else's page, at another origin, under a strict policy."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Page, expect

from tests.e2e.browser.widget_page import WidgetPage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.live import LiveApi

PAGE = """<!doctype html><html lang="en"><title>School</title>
<style>
  html { font-size: 62.5%% }
  * { color: red !important; display: inline }
  button, p { font-size: 7px !important; position: static !important }
</style>
<button data-orienta-open data-orienta-ask="What documents do I need for admission?">
  Ask about admission
</button>
<script src="%s/widget.js" data-locale="en" defer></script>"""


class Host(BaseHTTPRequestHandler):
    """A page that knows nothing of Orienta but one script tag."""

    api = ""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header(
            "Content-Security-Policy",
            f"default-src 'none'; script-src {self.api}; connect-src {self.api};"
            " style-src 'unsafe-inline'",
        )
        self.end_headers()
        self.wfile.write((PAGE % self.api).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def school(live_app: LiveApi) -> Iterator[str]:
    """The origin of a host page with styles that would wreck the widget if they reached it."""
    Host.api = live_app.url
    with ThreadingHTTPServer(("127.0.0.1", 0), Host) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


@pytest.fixture
async def host(page: Page, school: str) -> WidgetPage:
    widget = WidgetPage(page, school)
    await widget.visit("/")
    return widget


async def test_pages_own_button_opens_the_chat_and_asks(host: WidgetPage) -> None:
    await host.page.get_by_role("button", name="Ask about admission").click()
    reply = await host.reply(0)
    source = reply.get_by_role("link", name="Source 1").first
    assert (await source.get_attribute("href") or "").startswith("http://127.0.0.1")


async def test_hosts_styles_do_not_reach_the_widget(host: WidgetPage) -> None:
    await host.launch()
    style = await host.panel.get_by_role("button", name="Talk to a person").evaluate(
        "e => [getComputedStyle(e).fontSize, getComputedStyle(e).color]"
    )
    assert style[0] == "16px"
    assert style[1] != "rgb(255, 0, 0)"


async def test_script_that_is_loaded_twice_places_one_widget(
    host: WidgetPage, live_app: LiveApi
) -> None:
    await expect(host.page.locator("orienta-chat")).to_have_count(1)
    await host.page.add_script_tag(url=f"{live_app.url}/widget.js")
    await expect(host.page.locator("orienta-chat")).to_have_count(1)
