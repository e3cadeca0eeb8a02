"""Pages are fetched from named hosts at public addresses only, as robots.txt allows."""

from __future__ import annotations

import gzip
import ipaddress
import threading
from collections.abc import Iterator, Sequence

import pytest

from retrieval.errors import Unreadable
from retrieval.ingest.web.addresses import WebPolicy, is_public
from retrieval.ingest.web.fetcher import Fetcher, WebLimits
from retrieval.ingest.web.robots import Robots
from retrieval.ingest.web.sitemap import read_sitemap
from tests.site import Answer, Site


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


class Names:
    """A name server that gives one answer after the other; the last one for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        if host == "127.0.0.1":
            return [host]
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def here(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Take this machine for a public one; nothing else that is private."""
    return str(address) == "127.0.0.1" or is_public(address)


def fetcher(site: Site, names: Names | None = None, **limits: float) -> Fetcher:
    policy = WebPolicy(
        (".inst.example",),
        resolver=names or Names(["127.0.0.1"]),
        is_allowed=here,
        ports=frozenset({80, 443, site.port}),
    )
    return Fetcher(policy, WebLimits(**limits))  # type: ignore[arg-type]


async def refused(fetcher: Fetcher, url: str) -> str:
    with pytest.raises(Unreadable) as refusal:
        await fetcher.get(url)
    await fetcher.aclose()
    return refusal.value.code


async def test_a_page_is_fetched_at_the_address_that_was_looked_at(site: Site) -> None:
    site.pages["/a?b=1"] = 200, {"Content-Type": "text/html; charset=ISO-8859-1"}, b"hola"
    asking = fetcher(site)
    response = await asking.get(site.url("/a?b=1"))
    await asking.aclose()
    assert (response.status, response.content, response.charset) == (200, b"hola", "iso-8859-1")
    assert site.asked == [(f"www.inst.example:{site.port}", "/a?b=1")]


@pytest.mark.parametrize(
    "address",
    "127.0.0.1 10.0.0.1 172.16.3.4 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 ::1 "
    "255.255.255.255 fe80::1 fc00::1 ::ffff:10.0.0.1 ::ffff:127.0.0.1 64:ff9b::a00:1 2002:a00:1:: "
    "ff02::1 ::".split(),
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "answer", [["10.1.2.3"], ["8.8.8.8", "10.1.2.3"], ["::1"], ["fe80::1%eth0"], []]
)
async def test_a_name_that_leads_inside_is_not_followed(site: Site, answer: list[str]) -> None:
    assert await refused(fetcher(site, Names(answer)), site.url("/")) == "ingest.address"
    assert site.asked == []


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://other.example/", "ingest.host"),
        ("http://inst.example.evil.test/", "ingest.host"),
        ("http://evilinst.example/", "ingest.host"),
        ("http://169.254.169.254/latest/meta-data/", "ingest.host"),
        ("http://[::1]/", "ingest.host"),
        ("http://www.inst.example:22/", "ingest.url"),
        ("http://user@www.inst.example/", "ingest.url"),
        ("file:///etc/passwd", "ingest.url"),
        ("gopher://www.inst.example/", "ingest.url"),
        ("http://", "ingest.url"),
        ("http://[", "ingest.url"),
        ("http://www.inst.example:99999/", "ingest.url"),
    ],
)
async def test_addresses_that_are_none_of_ours_are_refused(site: Site, url: str, code: str) -> None:
    assert await refused(fetcher(site), url) == code
    assert site.asked == []


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("http://127.0.0.1:{port}/secret", "ingest.host"),
        ("http://169.254.169.254/", "ingest.host"),
        ("http://other.example/", "ingest.host"),
        ("//localhost:{port}/secret", "ingest.host"),
        ("file:///etc/passwd", "ingest.url"),
        ("/loop", "ingest.redirects"),
    ],
)
async def test_a_redirect_is_looked_at_like_a_request(site: Site, location: str, code: str) -> None:
    site.pages["/"] = 302, {"Location": location.format(port=site.port)}, b""
    site.pages["/loop"] = 301, {"Location": "/loop"}, b""
    site.pages["/secret"] = 200, {}, b"secret"
    assert await refused(fetcher(site), site.url("/")) == code
    assert all(path != "/secret" for _, path in site.asked)


async def test_a_redirect_to_a_host_whose_name_leads_inside_is_refused(site: Site) -> None:
    site.pages["/"] = 302, {"Location": site.url("/x", "intern.inst.example")}, b""
    names = Names(["127.0.0.1"], ["192.168.0.1"])
    assert await refused(fetcher(site, names), site.url("/")) == "ingest.address"
    assert [path for _, path in site.asked] == ["/"]


async def test_a_name_that_changes_its_answer_is_asked_once_a_request(site: Site) -> None:
    site.pages["/"] = 200, {}, b"ok"
    names = Names(["127.0.0.1"], ["10.0.0.1"])
    asking = fetcher(site, names)
    assert (await asking.get(site.url("/"))).content == b"ok"
    assert await refused(asking, site.url("/")) == "ingest.address"


async def test_what_is_too_large_or_packed_to_be_is_refused(site: Site) -> None:
    site.pages["/large"] = 200, {}, b"x" * 3_000
    packed = gzip.compress(b"x" * 3_000_000)
    site.pages["/bomb"] = 200, {"Content-Encoding": "gzip"}, packed
    for path in ("/large", "/bomb"):
        assert await refused(fetcher(site, max_bytes=2_000), site.url(path)) == "ingest.size"


async def test_a_server_that_takes_too_long_is_left(site: Site) -> None:
    waiting = threading.Event()

    def slow(_: dict[str, str]) -> Answer:
        waiting.wait(10)
        return 200, {}, b""

    site.pages["/"] = slow
    assert await refused(fetcher(site, seconds=0.3), site.url("/")) == "ingest.time"
    waiting.set()


async def test_robots_are_obeyed(site: Site) -> None:
    rules = b"User-agent: *\nDisallow: /privado/\nAllow: /privado/abierto\nCrawl-delay: 0.2\n"
    site.pages["/robots.txt"] = 200, {}, rules
    asking = fetcher(site)
    robots = Robots(asking, pause_s=0.0)
    await robots.wait_for(site.url("/publico"))
    await robots.wait_for(site.url("/privado/abierto"))
    with pytest.raises(Unreadable) as refusal:
        await robots.wait_for(site.url("/privado/x"))
    assert refusal.value.code == "ingest.robots"
    assert [path for _, path in site.asked] == ["/robots.txt"]
    await asking.aclose()


@pytest.mark.parametrize(("status", "allowed"), [(404, True), (403, True), (500, False)])
async def test_no_rules_allow_everything_and_a_failing_server_nothing(
    site: Site, status: int, *, allowed: bool
) -> None:
    site.pages["/robots.txt"] = status, {}, b"User-agent: *\nDisallow: /\n"
    asking = fetcher(site)
    robots = Robots(asking, pause_s=0.0)
    if allowed:
        await robots.wait_for(site.url("/a"))
    else:
        with pytest.raises(Unreadable):
            await robots.wait_for(site.url("/a"))
    await asking.aclose()


PAGES = (
    b'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    b"<url><loc> https://a.example/x?a=1&amp;b=2 </loc></url>"
    b"<url><loc><![CDATA[https://a.example/y]]></loc></url></urlset>"
)
INDEX = b"<sitemapindex><sitemap><loc>https://a.example/s.xml.gz</loc></sitemap></sitemapindex>"


def test_sitemaps_of_every_kind_are_read() -> None:
    pages = ("https://a.example/x?a=1&b=2", "https://a.example/y")
    assert read_sitemap(PAGES).pages == pages
    assert read_sitemap(gzip.compress(PAGES)).pages == pages
    assert read_sitemap(INDEX).sitemaps == ("https://a.example/s.xml.gz",)
    assert read_sitemap(b"https://a.example/1\nhttps://a.example/2\n").pages[1][-1] == "2"


@pytest.mark.parametrize(
    "content", [b"<html>no</html>", b"", b"\x1f\x8bbroken", gzip.compress(b" " * (60 * 2**20))]
)
def test_what_is_no_sitemap_is_refused(content: bytes) -> None:
    with pytest.raises(Unreadable):
        read_sitemap(content)


def test_entities_of_a_sitemap_mean_nothing() -> None:
    declared = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    content = declared + b"<urlset><url><loc>http://a.example/&a;</loc></url></urlset>"
    assert read_sitemap(content).pages == ("http://a.example/&a;",)
