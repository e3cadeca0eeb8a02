"""People look around in the catalogue over HTTP."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from api.bootstrap import Services
from api.demo.loader import load_demo
from api.routes import chat, course_search, courses
from api.settings import Settings
from tests.integration.api.serving import client_of, log_in, serving


@dataclass
class Desk:
    services: Services
    advisor: httpx.AsyncClient
    nobody: httpx.AsyncClient


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with serving(settings, course_search.router, courses.router, chat.router) as app:
        await load_demo(app.state.services, report=lambda *_: None)
        async with client_of(app) as advisor, client_of(app) as nobody:
            advisor.headers.update(
                await log_in(advisor, "lucia.rojas@andino.example", "andino-lucia-demo")
            )
            yield Desk(app.state.services, advisor, nobody)


async def search(desk: Desk, **query: object) -> dict[str, Any]:
    answer = await desk.advisor.get("/v1/courses/search", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def everything(desk: Desk, **query: object) -> list[dict[str, Any]]:
    items, cursor = [], None
    while True:
        page = await search(desk, **query, limit=7, **({"cursor": cursor} if cursor else {}))
        items += page["items"]
        if (cursor := page["next_cursor"]) is None:
            return items


def counts(page: dict[str, Any], facet: str) -> dict[str, int]:
    return {entry["value"]: entry["count"] for entry in page["facets"][facet]}


async def test_an_empty_query_browses_every_active_course_once(desk: Desk) -> None:
    listed = await desk.services.courses.list_courses(limit=200)
    items = await everything(desk)
    codes = [item["course"]["code"] for item in items]
    assert sorted(codes) == sorted({c.code for c in listed.items})
    assert (await search(desk))["total"] == len(codes)


async def test_facets_count_the_whole_result_and_not_the_page(desk: Desk) -> None:
    items = await everything(desk)
    page = await search(desk, limit=1)
    for facet in ("area", "level", "language"):
        assert counts(page, facet) == Counter(item["course"][facet] for item in items)
    assert sum(counts(page, "seats").values()) == len(items)
    assert sum(band["count"] for band in page["facets"]["price"]) == len(items)
    for band in page["facets"]["price"]:
        above = band["below_minor"] or 10**15
        inside = [i for i in items if band["from_minor"] <= i["price"]["amount_minor"] < above]
        assert len(inside) == band["count"]


async def test_every_facet_is_a_filter_that_gives_its_count(desk: Desk) -> None:
    page = await search(desk, limit=1)
    for facet in ("area", "level", "language", "modality"):
        for value, count in counts(page, facet).items():
            assert (await search(desk, **{facet: value}))["total"] == count
    month, count = next(iter(counts(page, "start_month").items()))
    within = await search(desk, start_from=f"{month}-01", start_to=f"{month}-28")
    assert within["total"] <= count


async def test_filters_hold_for_the_group_that_is_shown(desk: Desk) -> None:
    items = await everything(desk, modality="online", with_seats=True, price_max=60_000)
    assert items
    for item in items:
        assert item["cohort"]["modality"] == "online"
        assert item["cohort"]["seats_left"] > 0
        assert item["price"] == item["cohort"]["price"]
        assert item["price"]["amount_minor"] <= 60_000


async def test_a_price_in_another_currency_fits_no_limit(desk: Desk) -> None:
    usd = await everything(desk, price_max=60_000, currency="USD")
    assert usd
    assert usd == await everything(desk, price_max=60_000), "most courses are priced in USD"
    assert await everything(desk, price_max=10**12, currency="PEN") == []


async def test_orders_by_start_and_by_price_over_pages(desk: Desk) -> None:
    prices = [i["price"]["amount_minor"] for i in await everything(desk, sort="price")]
    assert prices == sorted(prices)
    starts = [
        i["cohort"]["starts_on"] if i["cohort"] else "9999"
        for i in await everything(desk, sort="start")
    ]
    assert starts == sorted(starts)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("dat-101", "DAT-101"),
        ("pyton para prinsipiantes", "PRG-101"),
        ("introducion a la programasion python", "PRG-101"),
        ("machine lerning", "DAT-301"),
    ],
)
async def test_typos_find_the_course(desk: Desk, query: str, code: str) -> None:
    found = await search(desk, q=query)
    assert code in [i["course"]["code"] for i in found["items"][:5]]


async def test_a_text_and_filters_agree(desk: Desk) -> None:
    page = await search(desk, q="datos", limit=50)
    area = page["items"][0]["course"]["area"]
    fitting = await search(desk, q="datos", area=area, limit=50)
    assert fitting["total"] >= 1
    assert {i["course"]["area"] for i in fitting["items"]} == {area}


async def test_what_is_not_taught_finds_nothing_certain(desk: Desk) -> None:
    found = await search(desk, q="reparación de submarinos nucleares")
    assert found["confidence"] < 0.5


async def test_withdrawn_courses_are_not_found(desk: Desk) -> None:
    whole = (await desk.services.courses.list_courses(active=False, limit=200)).items
    for course in whole:
        found = await search(desk, q=course.code)
        assert course.code not in [i["course"]["code"] for i in found["items"]]
        assert (await desk.services.offers.suggest(course.code)) == ()


@pytest.mark.parametrize("typed", ["Intro", "introducción", "INTRODUCCION", "introduction"])
async def test_suggestions_begin_as_typed(desk: Desk, typed: str) -> None:
    answer = await desk.advisor.get("/v1/courses/suggest", params={"q": typed})
    items = answer.json()["items"]
    assert items
    assert any(
        item["title"][language].lower().startswith("intro")
        for item in items
        for language in ("es", "en")
    )


async def test_suggestions_forgive_half_remembered_names(desk: Desk) -> None:
    ref = (await desk.services.courses.list_courses(limit=1)).items[0]
    words = [w for w in ref.title.es.split() if len(w) > 5]
    typed = words[-1][:-2] + words[-1][-1]  # a letter is missing
    found = await desk.services.offers.suggest(typed, limit=8)
    assert ref.code in {r.code for r in found}


@pytest.mark.parametrize("typed", ["", "  ", "%", "_", "\\", "'", "zzzzqqq"])
async def test_nothing_useful_suggests_nothing(desk: Desk, typed: str) -> None:
    answer = await desk.advisor.get("/v1/courses/suggest", params={"q": typed})
    assert answer.status_code == 200
    assert answer.json() == {"items": []}


async def test_only_staff_search_and_only_chatters_complete_in_the_widget(desk: Desk) -> None:
    for path in ("/v1/courses/search", "/v1/courses/suggest", "/v1/chat/courses"):
        assert (await desk.nobody.get(path)).status_code == 401
    opened = await desk.nobody.post("/v1/chat/sessions", json={"locale": "es"})
    headers = {"Authorization": f"Bearer {opened.json()['session_token']}"}
    answer = await desk.nobody.get("/v1/chat/courses", params={"q": "intro"}, headers=headers)
    assert answer.json()["items"]
    assert (await desk.nobody.get("/v1/courses/suggest", headers=headers)).status_code == 401


@pytest.mark.parametrize("query", [{"cursor": "x"}, {"sort": "luck"}, {"price_max": -1}])
async def test_nonsense_is_refused(desk: Desk, query: dict[str, object]) -> None:
    answer = await desk.advisor.get("/v1/courses/search", params=query)
    assert answer.status_code == 422
