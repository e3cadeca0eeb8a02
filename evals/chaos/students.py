"""People who enrol, pay, change their minds and leave, whatever is down at the moment."""

import asyncio
import random
from typing import Any

import httpx

PASSWORD = "correct horse battery"  # noqa: S105 (of an experiment)
_PATIENCE_S = 300


class Office:
    """A client of the API that asks again until somebody answers."""

    def __init__(self, url: str, email: str) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=15, trust_env=False)
        self._email = email
        self._token = ""

    async def call(self, method: str, path: str, **said: Any) -> httpx.Response:
        """Return the first answer that is not a failure of the server.

        Raises: TimeoutError.
        """
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                try:
                    if not self._token:
                        await self._log_in()
                    headers = {"Authorization": f"Bearer {self._token}", **said.get("headers", {})}
                    answer = await self._client.request(
                        method, path, **{**said, "headers": headers}
                    )
                    if answer.status_code == 401:
                        self._token = ""
                    elif answer.status_code < 500 and answer.status_code != 429:
                        return answer
                except (httpx.HTTPError, KeyError, ValueError):
                    pass
                await asyncio.sleep(0.5)

    async def _log_in(self) -> None:
        body = {"email": self._email, "password": PASSWORD}
        answer = await self._client.post("/v1/auth/login", json=body)
        self._token = answer.json()["access_token"]


async def enrol(office: Office, person_id: str, cohort: str, dice: random.Random) -> None:
    """Live through one enrolment."""
    fate = dice.choices(["pay", "decline", "regret", "leave"], [55, 15, 15, 15])[0]
    body = {"person_id": person_id, "cohort": cohort}
    key = {"Idempotency-Key": person_id}
    answer = await office.call("POST", "/v1/enrolments", json=body, headers=key)
    if answer.status_code != 202:
        raise RuntimeError(answer.text)
    path = f"/v1/enrolments/sagas/{answer.json()['id']}"
    address = await _until(office, path, "payment_url")
    if address is None:
        return
    choice = "decline" if fate == "decline" else "pay"
    await office.call("POST", httpx.URL(address).path, data={"choice": choice})
    if fate == "regret":
        await office.call("POST", f"{path}/cancel")
    if fate == "leave" and (enrolment := await _until(office, path, "enrolment_id")):
        leave = {"reason": "moves away"}
        await office.call("POST", f"/v1/enrolments/{enrolment}/withdraw", json=leave, headers=key)


async def _until(office: Office, path: str, field: str) -> Any:
    async with asyncio.timeout(_PATIENCE_S):
        while True:
            saga = (await office.call("GET", path)).json()
            if saga[field] or saga["status"] in ("compensating", "compensated"):
                return saga[field]
            await asyncio.sleep(0.5)
