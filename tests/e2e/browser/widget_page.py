"""The widget as somebody uses it: by what its labels say."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect

#: A turn of the offline assistant takes well under a second; a loaded machine gets this long.
PATIENCE_MS = 40_000

_RECORD_DRAFTS = """
element => {
  window.drafts = [];
  const look = () => {
    const bubble = element.shadowRoot.querySelector(".is-draft .bubble");
    if (bubble) window.drafts.push(bubble.textContent);
  };
  new MutationObserver(look).observe(element.shadowRoot, { childList: true, subtree: true });
}
"""


class WidgetPage:
    """A tab with the widget on it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.root = page.locator("orienta-chat")
        self.panel = self.root.get_by_role("dialog")
        self.input = self.panel.locator("textarea")
        self.messages = self.panel.locator("[data-message]")
        self.replies = self.panel.locator(".row-agent[data-message]")

    async def visit(self, path: str) -> None:
        await self.page.goto(self.url + path)

    async def launch(self) -> None:
        await self.root.locator(".launcher").click()
        await expect(self.panel).to_be_visible()

    async def say(self, text: str) -> None:
        await self.input.fill(text)
        await self.input.press("Enter")

    async def ask(self, text: str) -> Locator:
        """Say something and return the row of the reply that comes to it."""
        before = await self.replies.count()
        await self.say(text)
        return await self.reply(before)

    async def reply(self, index: int) -> Locator:
        """Return the row of a reply, once it is there and the run is over."""
        row = self.replies.nth(index)
        await expect(row).to_be_visible(timeout=PATIENCE_MS)
        await expect(self.panel.locator(".is-draft")).to_have_count(0, timeout=PATIENCE_MS)
        return row

    async def record_drafts(self) -> None:
        """Keep what streams by, since it may be gone before a test can look."""
        await self.root.evaluate(_RECORD_DRAFTS)

    async def drafts(self) -> list[str]:
        drafts: list[str] = await self.page.evaluate("window.drafts")
        return drafts

    async def transcript(self) -> list[tuple[str, str]]:
        """Return id and text of every message, in the order shown."""
        found = await self.messages.evaluate_all(
            "rows => rows.map(row => [row.dataset.message, row.querySelector('.bubble').innerText])"
        )
        return [(one, text) for one, text in found]
