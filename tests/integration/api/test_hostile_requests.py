"""Whatever is sent to whichever operation, the API refuses it in order: a problem with a code."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests.integration.api.hostile import KEY, Answer, Forge
from tests.integration.api.target import Target

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SEED, EACH = 20261124, 24


def fault_of(answer: Answer) -> str | None:
    """Return what is wrong with an answer."""
    if answer.status >= 500:
        return f"{answer.status} {answer.text[:300]}"
    if "Traceback" in answer.text or 'File "/' in answer.text:
        return "it shows its own code"
    if answer.status < 400:
        return None
    if answer.media != "application/problem+json":
        return f"{answer.status} as {answer.media}"
    return None if json.loads(answer.text).get("code") else f"{answer.status} without a code"


async def test_no_request_breaks_anything(target: Target) -> None:
    document = (await target.client.get("/openapi.json")).json()
    forge = Forge(document, await target.known(), seed=SEED)
    faults: dict[str, str] = {}
    statuses: Counter[int] = Counter()
    repeated = 0
    for hostile in forge.requests(each=EACH):
        answer = await target.send(hostile)
        statuses[answer.status] += 1
        fault = fault_of(answer)
        if answer.status < 300 and KEY in hostile.headers:
            again = await target.send(hostile)
            fault = fault or fault_of(again)
            if again.status != answer.status:
                fault = fault or f"{answer.status}, and {again.status} when it is repeated"
            repeated += 1
        if fault:
            faults.setdefault(f"{hostile.method} {hostile.route}: {fault}", str(hostile))
    report = "\n".join(f"{fault}\n    {sent}" for fault, sent in faults.items())
    assert not faults, f"{len(faults)} faults; {dict(statuses)}\n{report}"
    assert statuses[422] > 200, statuses
    assert sum(n for status, n in statuses.items() if status < 300) > 200, statuses
    assert statuses[401] < 50, "it was not let in"
    assert repeated > 50


async def test_it_still_works(target: Target) -> None:
    assert (await target.client.get("/readyz")).status_code == 200
    people = await target.client.get("/v1/people", headers=target.staff)
    assert people.status_code == 200
    assert people.json()["items"]
