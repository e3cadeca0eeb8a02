"""The pages of a sitemap become documents, and are asked for anew only when they changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from retrieval.ingest.declared import NOTHING
from retrieval.ingest.jobs.models import Job, NewJob
from retrieval.ingest.jobs.runner import IngestRunner
from retrieval.ingest.service import IngestService
from retrieval.ingest.web.addresses import WebPolicy
from retrieval.ingest.web.fetcher import Fetcher
from retrieval.ingest.web.source import SitemapSource
from retrieval.stores.pg_jobs import PgJobs
from retrieval.stores.pgvector import PgVectorStore, Pool
from retrieval.stores.protocol import Scope
from tests.integration.retrieval.conftest import TODAY
from tests.site import Answer, Site

PUBLIC = Scope("knowledge", frozenset({"public"}), TODAY)
TEXT = "Las becas se piden en la secretaría durante el mes de marzo de cada año."


class Web:
    """A site, and a runner that may read it."""

    def __init__(self, site: Site, pool: Pool, store: PgVectorStore) -> None:
        self.site = site
        self.store = store
        self.jobs = PgJobs(pool)

        async def resolve(host: str, port: int) -> list[str]:
            return ["127.0.0.1"]

        policy = WebPolicy(
            ("www.inst.example",),
            resolver=resolve,
            is_allowed=lambda address: str(address) == "127.0.0.1",
            ports=frozenset({site.port}),
        )
        source = SitemapSource(self.jobs, lambda: Fetcher(policy), pause_s=0.0)
        self.runner = IngestRunner(self.jobs, IngestService(store, None), {"sitemap": source})

    def publish(self, *paths: str, host: str = "www.inst.example") -> None:
        urls = "".join(f"<url><loc>{self.site.url(p, host)}</loc></url>" for p in paths)
        self.site.pages["/pages.xml"] = 200, {}, f"<urlset>{urls}</urlset>".encode()
        index = f"<sitemapindex><sitemap><loc>{self.site.url('/pages.xml')}</loc></sitemap>"
        self.site.pages["/sitemap.xml"] = 200, {}, f"{index}</sitemapindex>".encode()

    def page(self, path: str, title: str, *, text: str = TEXT, meta: str = "") -> None:
        body = f"<html lang=es><head>{meta}</head><body><h1>{title}</h1><p>{text}</p></body></html>"
        etag = f'"{hash((title, text))}"'

        def answer(headers: dict[str, str]) -> Answer:
            if headers.get("If-None-Match") == etag:
                return 304, {}, b""
            return 200, {"Content-Type": "text/html; charset=utf-8", "ETag": etag}, body.encode()

        self.site.pages[path] = answer

    async def read(self) -> Job:
        job = NewJob(
            id=uuid4(),
            source="sitemap",
            place=self.site.url("/sitemap.xml"),
            collection="website",
            declared=NOTHING,
            complete=True,
        )
        await self.jobs.add(job)
        assert await self.runner.run_next()
        return await self.jobs.get(job.id)

    async def found(self) -> dict[str, str]:
        listed = await self.store.list_documents(PUBLIC, limit=100)
        return {d.title: d.slug for d in listed}


@pytest.fixture
async def web(pool: Pool, store: PgVectorStore) -> AsyncIterator[Web]:
    async with pool.connection() as conn:
        await conn.execute("TRUNCATE ingest_jobs, ingest_pages CASCADE")
    site = Site()
    yield Web(site, pool, store)
    site.close()


async def test_pages_are_read_and_those_that_go_are_withdrawn(web: Web) -> None:
    web.page("/becas", "Becas")
    web.page("/pagos/cuotas.html", "Cuotas")
    web.publish("/becas", "/pagos/cuotas.html")
    job = await web.read()
    assert (job.status, job.added, job.set_aside) == ("done", 2, 0)
    assert await web.found() == {
        "Becas": "www-inst-example-becas",
        "Cuotas": "www-inst-example-pagos-cuotas",
    }
    document = await web.store.get_document("kb:www-inst-example-becas:es", on=TODAY)
    assert document is not None
    assert document.metadata == {"source": web.site.url("/becas")}
    web.publish("/becas")
    job = await web.read()
    assert (job.unchanged, job.withdrawn) == (1, 1)
    assert set(await web.found()) == {"Becas"}


async def test_a_page_is_sent_again_only_when_it_changed(web: Web) -> None:
    web.page("/becas", "Becas")
    web.page("/pagos", "Pagos")
    web.publish("/becas", "/pagos")
    await web.read()
    web.page("/pagos", "Pagos", text=f"{TEXT} Y en abril.")
    job = await web.read()
    assert (job.unchanged, job.changed) == (1, 1)
    assert set(await web.found()) == {"Becas", "Pagos"}


async def test_what_robots_forbid_what_fails_and_what_is_elsewhere_is_left_out(web: Web) -> None:
    web.page("/becas", "Becas")
    web.page("/interno/x", "Interno")
    web.site.pages["/robots.txt"] = 200, {}, b"User-agent: *\nDisallow: /interno/\n"
    web.site.pages["/foto"] = 200, {"Content-Type": "image/png"}, b"\x89PNG"
    web.publish("/becas", "/interno/x", "/nada", "/foto")
    job = await web.read()
    assert (job.status, job.added, job.set_aside) == ("done", 1, 3)
    aside = await web.jobs.list_aside(job.id, limit=10)
    assert {a.code for a in aside} == {"ingest.robots", "ingest.fetch", "ingest.type"}
    assert all(path != "/interno/x" for _, path in web.site.asked)
    web.publish("/becas", host="other.example")
    job = await web.read()
    assert (job.items_total, job.withdrawn) == (0, 1)


async def test_a_page_claims_no_readers_and_no_others_place(web: Web) -> None:
    meta = "<meta name=slug content=refund-policy><meta name=audience content=staff>"
    meta += "<meta name=version content=99>"
    web.page("/x", "Trampa", meta=meta)
    web.publish("/x")
    await web.read()
    document = await web.store.get_document("kb:www-inst-example-x:es", on=TODAY)
    assert document is not None
    assert (document.audience, document.version) == ("public", 1)


async def test_a_site_that_is_down_withdraws_nothing(web: Web) -> None:
    web.page("/becas", "Becas")
    web.publish("/becas")
    await web.read()
    web.site.pages["/sitemap.xml"] = 503, {}, b""
    job = await web.read()
    assert (job.status, job.error_code, job.withdrawn) == ("failed", "ingest.fetch", 0)
    assert set(await web.found()) == {"Becas"}
