"""People who enrol, pay or do not, change their minds and leave, whatever is down at the moment."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx

PASSWORD = "correct horse battery"  # noqa: S105 (of an experiment)
#: How long somebody waits for an answer, or for what must come in the end.
_PATIENCE_S = 1_500
_ASKS_EVERY_S = 0.5
_ASKS_AT_LEAST_EVERY_S = 8.0

Fate = Literal["pays", "is refused", "never pays", "pays late", "pays unheard", "regrets", "leaves"]
#: How many of a hundred.
SHARES: Mapping[Fate, int] = {
    "pays": 38,
    "is refused": 12,
    "never pays": 10,
    "pays late": 8,
    "pays unheard": 10,
    "regrets": 11,
    "leaves": 11,
}
#: Who lets a hold expire competes for few seats, so that they go to others meanwhile.
TIGHT: frozenset[Fate] = frozenset({"never pays", "pays late", "pays unheard"})


def draw_fate(dice: random.Random) -> Fate:
    """Return what somebody will do."""
    return dice.choices(list(SHARES), list(SHARES.values()))[0]


class Office:
    """A client of the API that asks again until somebody answers."""

    def __init__(self, url: str, email: str) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=15, trust_env=False)
        self._email = email
        self._token = ""
        self._door = asyncio.Lock()

    async def call(self, method: str, path: str, **said: Any) -> httpx.Response:
        """Return the first answer that is not a failure of the server.

        Raises: TimeoutError.
        """
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                try:
                    headers = {**await self._session(), **said.get("headers", {})}
                    answer = await self._client.request(
                        method, path, **{**said, "headers": headers}
                    )
                    if answer.status_code == 401:
                        self._token = ""
                    elif answer.status_code < 500 and answer.status_code != 429:
                        return answer
                except (httpx.HTTPError, KeyError, ValueError):
                    pass
                await asyncio.sleep(_ASKS_EVERY_S)

    async def _session(self) -> dict[str, str]:
        """Return the header of a session; one at a time logs in, or the account would be locked."""
        async with self._door:
            if not self._token:
                body = {"email": self._email, "password": PASSWORD}
                answer = await self._client.post("/v1/auth/login", json=body)
                self._token = answer.json()["access_token"]
            return {"Authorization": f"Bearer {self._token}"}


@dataclass(slots=True)
class Enrolment:
    """Somebody's way through one enrolment.

    Args:
        saga_id: empty as long as, or where, there was no seat for them.
    """

    office: Office
    person_id: str
    cohort: str
    fate: Fate
    saga_id: str = ""
    _saga: Mapping[str, Any] = field(default_factory=dict)

    async def begin(self) -> None:
        """Take a seat, if there is one, and learn where to pay."""
        body = {"person_id": self.person_id, "cohort": self.cohort}
        answer = await self.office.call("POST", "/v1/enrolments", json=body, headers=self._key)
        if answer.status_code != 202:
            if answer.json().get("code") != "cohort.full":
                raise RuntimeError(answer.text)
            return
        self.saga_id = answer.json()["id"]
        await self._until(lambda saga: saga["payment_url"])

    async def go_on(self) -> None:
        """Do what this person does about the payment, and afterwards."""
        if self.saga_id and self._saga["payment_url"]:
            await _FATES[self.fate](self)

    @property
    def _key(self) -> dict[str, str]:
        return {"Idempotency-Key": self.person_id}

    @property
    def _path(self) -> str:
        return f"/v1/enrolments/sagas/{self.saga_id}"

    async def _pay(self, choice: str = "pay") -> None:
        address = httpx.URL(self._saga["payment_url"]).path
        await self.office.call("POST", address, data={"choice": choice})

    async def _decline(self) -> None:
        await self._pay("decline")

    async def _forget(self) -> None:
        """Do nothing: the hold expires."""

    async def _pay_late(self) -> None:
        """Come back to the page when the seat is no longer held: nothing may be taken."""
        hold = f"/v1/cohorts/{self.cohort}/holds/{self._saga['hold_id']}"
        await self._ask(hold, lambda found: found["status"] != "live")
        await self._pay()

    async def _pay_unheard(self) -> None:
        """Pay in time; the house only learns of it by asking, when the seat may have gone."""
        silence = {"drop_percent": 100, "refunds": "pending_done"}
        await self.office.call(
            "PUT",
            "/v1/admin/sandbox-payments/behaviour",
            params={"payment_id": self._saga["payment_id"]},
            json=silence,
        )
        await self._pay()

    async def _regret(self) -> None:
        await self._pay()
        await self.office.call("POST", f"{self._path}/cancel")

    async def _leave(self) -> None:
        await self._pay()
        await self._until(lambda saga: saga["enrolment_id"])
        if enrolment := self._saga["enrolment_id"]:
            path = f"/v1/enrolments/{enrolment}/withdraw"
            leave = {"reason": "moves away"}
            await self.office.call("POST", path, json=leave, headers=self._key)

    async def _until(self, is_so: Callable[[Mapping[str, Any]], object]) -> None:
        """Wait until something is so, or never will be."""
        undone = ("compensating", "compensated")
        self._saga = await self._ask(self._path, lambda s: is_so(s) or s["status"] in undone)

    async def _ask(
        self, path: str, is_enough: Callable[[Mapping[str, Any]], object]
    ) -> Mapping[str, Any]:
        wait_s = _ASKS_EVERY_S
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                found: Mapping[str, Any] = (await self.office.call("GET", path)).json()
                if is_enough(found):
                    return found
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, _ASKS_AT_LEAST_EVERY_S)


_FATES: Mapping[Fate, Callable[[Enrolment], Awaitable[None]]] = {
    "pays": Enrolment._pay,
    "is refused": Enrolment._decline,
    "never pays": Enrolment._forget,
    "pays late": Enrolment._pay_late,
    "pays unheard": Enrolment._pay_unheard,
    "regrets": Enrolment._regret,
    "leaves": Enrolment._leave,
}
