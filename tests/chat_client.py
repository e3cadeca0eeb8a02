"""A student's side of the HTTP contract, as the widget speaks it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

#: A turn of the offline assistant takes well under a second; a loaded machine gets this long.
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event."""

    id: str | None
    kind: str
    data: dict[str, Any]


class ChatClient:
    """One student in one conversation.

    Args:
        url: of the API process that this client talks to; change it to talk to another one.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.token = ""
        self.conversation_id = ""
        self.http = httpx.AsyncClient(timeout=PATIENCE_S)

    async def start(self, locale: str = "es", **more: Any) -> ChatClient:
        answer = await self.http.post(
            f"{self.url}/v1/chat/sessions", json={"locale": locale, **more}
        )
        answer.raise_for_status()
        self.token = answer.json()["session_token"]
        self.conversation_id = answer.json()["conversation_id"]
        return self

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def post(self, path: str, body: Any) -> httpx.Response:
        return await self.http.post(f"{self.url}{path}", json=body, headers=self.headers)

    async def get(self, path: str) -> Any:
        answer = await self.http.get(f"{self.url}{path}", headers=self.headers)
        answer.raise_for_status()
        return answer.json()

    async def send(self, text: str, client_message_id: str | None = None) -> httpx.Response:
        return await self.post(
            "/v1/chat/messages",
            {"client_message_id": client_message_id or str(uuid4()), "text": text},
        )

    async def messages(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        since = ""
        while True:
            page = await self.get(f"/v1/chat/messages{since}")
            items += page["items"]
            if page["next_cursor"] is None:
                return items
            since = f"?since={page['next_cursor']}"

    @asynccontextmanager
    async def following(self, after: str | None = None) -> AsyncIterator[AsyncIterator[Event]]:
        headers = self.headers | ({"Last-Event-ID": after} if after else {})
        async with self.http.stream("GET", f"{self.url}/v1/chat/events", headers=headers) as answer:
            answer.raise_for_status()
            yield _events(answer)

    async def until(self, kind: str, *, after: str | None = None, count: int = 1) -> list[Event]:
        """Return the events up to the count-th of a kind."""
        seen: list[Event] = []
        async with asyncio.timeout(PATIENCE_S), self.following(after) as events:
            async for event in events:
                seen.append(event)
                count -= event.kind == kind
                if count == 0:
                    break
        return seen

    async def ask(self, text: str) -> dict[str, Any]:
        """Send a message and return the reply that its turn ends with."""
        before = await self.messages()
        (await self.send(text)).raise_for_status()
        async with asyncio.timeout(PATIENCE_S), self.following() as events:
            async for event in events:
                if event.kind in {"message", "run_finished"}:
                    said = (await self.messages())[len(before) :]
                    replies = [m for m in said if m["role"] == "agent"]
                    if replies:
                        return replies[-1]
        raise AssertionError("the events ended without a reply")

    async def code_sent_to(self, address: str) -> str:
        """Return the newest one-time code in the demo's mailbox, once it is there."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                page = await self.http.get(
                    f"{self.url}/demo/mailbox", headers={"Accept": "application/json"}
                )
                for mail in page.json()["items"]:
                    if mail["recipient"] == address:
                        found = re.search(r"\b\d{6}\b", mail["body"])
                        assert found
                        return found[0]
                await asyncio.sleep(0.1)

    async def close(self) -> None:
        await self.http.aclose()


async def _events(answer: httpx.Response) -> AsyncIterator[Event]:
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line.startswith(":"):
            continue
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "event" in fields:
            yield Event(fields.get("id"), fields["event"], json.loads(fields["data"]))
            fields = {}
        else:
            fields = {}
