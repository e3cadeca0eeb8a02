"""The institution's documents over HTTP: brought, renewed, withdrawn, deleted, by admins only."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from api.bootstrap import Services
from api.routes import knowledge, knowledge_search, pages
from api.settings import Settings
from crm.actor import SERVICE_ACTOR, Role
from crm.identity.models import CreateStaff
from tests.files import pdf
from tests.integration.api.serving import client_of, log_in, serving

PASSWORD = "correct horse battery"
ROUTERS = (knowledge_search.router, knowledge.router, pages.router)
TEXT = "# Becas\n\nLas becas se piden en la secretaría durante el mes de marzo de cada año.\n"


class Library:
    """A client, its services, and whoever is logged in."""

    def __init__(self, client: httpx.AsyncClient, services: Services) -> None:
        self.client = client
        self.services = services
        self.admin: dict[str, str] = {}
        self.advisor: dict[str, str] = {}

    async def enter(self, role: Role) -> dict[str, str]:
        email = f"{role}@library.example"
        command = CreateStaff(email=email, name="Eva", role=role, password=PASSWORD)
        await self.services.identity.create_staff(command, actor=SERVICE_ACTOR)
        return await log_in(self.client, email, PASSWORD)

    async def send(
        self, content: str | bytes = TEXT, *, key: str | None = None, **query: str
    ) -> httpx.Response:
        body = content.encode() if isinstance(content, str) else content
        headers = self.admin | ({"Idempotency-Key": key} if key else {})
        params = {"file_name": "becas.md", **query}
        return await self.client.post(
            "/v1/knowledge/uploads", content=body, params=params, headers=headers
        )

    async def bring(self, content: str | bytes = TEXT, **query: str) -> dict[str, object]:
        """Send a file, let it be read, and return the ingest as it ended."""
        sent = await self.send(content, **query)
        assert sent.status_code == 202, sent.text
        while await self.services.library.runner.run_next():
            pass
        ended = await self.client.get(sent.headers["Location"], headers=self.admin)
        return ended.json()  # type: ignore[no-any-return]

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(f"/v1/knowledge{path}", headers=self.advisor)

    async def found(self, query: str) -> list[tuple[str, int]]:
        result = await self.services.knowledge.search(
            query,
            kind="knowledge",
            audiences=frozenset({"public", "students", "staff"}),
            on=self.services.courses.today(),
            query_language="es",
        )
        return [(h.document_id, h.version) for h in result.hits]


@pytest.fixture(scope="module")
async def library(settings: Settings) -> AsyncIterator[Library]:
    settings = settings.model_copy(
        update={"body_max_bytes": 4_096, "ingest_max_bytes": 100_000, "embedder": "none"}
    )
    async with serving(settings, *ROUTERS) as app, client_of(app) as client:
        library = Library(client, app.state.services)
        library.admin = await library.enter(Role.ADMIN)
        library.advisor = await library.enter(Role.ADVISOR)
        yield library


async def test_a_file_is_read_found_renewed_withdrawn_and_deleted(library: Library) -> None:
    ended = await library.bring()
    assert (ended["status"], ended["added"]) == ("done", 1)
    assert await library.found("becas marzo") == [("kb:becas:es", 1)]
    shown = (await library.get("/kb:becas:es")).json()
    assert (shown["state"], shown["title"], shown["in_force"]) == ("in_force", "Becas", 1)

    renewed = await library.bring(
        pdf([("p", "Las becas se piden en abril, en la secretaría de la institución.")]),
        file_name="nuevo.pdf",
        replaces="kb:becas:es",
    )
    assert renewed["changed"] == 1
    assert await library.found("becas abril") == [("kb:becas:es", 2)]
    versions = (await library.get("/kb:becas:es/versions")).json()["items"]
    assert [(v["version"], v["state"], v["path"]) for v in versions] == [
        (2, "in_force", "nuevo.pdf"),
        (1, "superseded", "becas.md"),
    ]

    for _ in range(2):
        gone = await library.client.post(
            "/v1/knowledge/kb:becas:es/withdraw",
            headers=library.admin | {"Idempotency-Key": "withdraw-becas"},
        )
        assert (gone.status_code, gone.json()["state"]) == (200, "withdrawn")
    assert await library.found("becas abril") == []
    assert (await library.client.get("/knowledge/kb:becas:es@2")).status_code == 200
    assert (await library.client.get("/knowledge/kb:becas:es")).status_code == 404

    path = "/v1/knowledge/kb:becas:es"
    assert (await library.client.delete(path, headers=library.admin)).status_code == 204
    assert (await library.client.get("/knowledge/kb:becas:es@2")).status_code == 404
    assert (await library.get("/kb:becas:es")).status_code == 404
    again = await library.client.delete(path, headers=library.admin)
    assert (again.status_code, again.json()["code"]) == (404, "knowledge.unknown")


async def test_a_version_for_later_is_scheduled_and_the_former_stays(library: Library) -> None:
    later = (library.services.courses.today() + timedelta(days=7)).isoformat()
    await library.bring(file_name="tasas.md")
    await library.bring(
        TEXT.replace("marzo", "mayo"), file_name="tasas.md", slug="tasas", valid_from=later
    )
    shown = (await library.get("/kb:tasas:es")).json()
    assert (shown["version"], shown["in_force"], shown["state"]) == (2, 1, "in_force")
    versions = (await library.get("/kb:tasas:es/versions")).json()["items"]
    assert [(v["state"], v["valid_from"], v["ends_on"]) for v in versions] == [
        ("scheduled", later, None),
        ("in_force", None, later),
    ]
    assert await library.found("becas mayo marzo") == [("kb:tasas:es", 1)]
    assert (await library.client.get("/knowledge/kb:tasas:es@2")).status_code == 404


async def test_documents_are_listed_by_state_language_and_collection(library: Library) -> None:
    for name in ("uno.md", "dos.md", "tres.md"):
        await library.bring(file_name=name, collection="lista")
    await library.client.post("/v1/knowledge/kb:dos:es/withdraw", headers=library.admin)

    async def listed(**query: str) -> list[str]:
        answer = await library.client.get(
            "/v1/knowledge", params={"collection": "lista", **query}, headers=library.advisor
        )
        return [d["slug"] for d in answer.json()["items"]]

    assert await listed() == ["dos", "tres", "uno"]
    assert await listed(state="in_force") == ["tres", "uno"]
    assert await listed(state="withdrawn") == ["dos"]
    assert await listed(language="en") == []
    first = await library.client.get(
        "/v1/knowledge", params={"collection": "lista", "limit": 2}, headers=library.advisor
    )
    assert await listed(cursor=first.json()["next_cursor"]) == ["uno"]


async def test_what_cannot_be_read_is_shown_with_its_reason(library: Library) -> None:
    ended = await library.bring(b"%PDF-1.7 nada", file_name="roto.pdf")
    assert (ended["status"], ended["set_aside"]) == ("done", 1)
    aside = (await library.get(f"/ingests/{ended['id']}/set-aside")).json()["items"]
    assert [(a["name"], a["code"]) for a in aside] == [("roto.pdf", "ingest.pdf")]
    listed = (await library.get("/ingests")).json()["items"]
    assert listed[0]["id"] == ended["id"]
    async with library.services.database.read() as conn:
        rows = await conn.execute("SELECT count(*) AS n FROM ingest_uploads")
        assert await rows.fetchone() == {"n": 0}


async def test_the_same_key_takes_a_file_once(library: Library) -> None:
    first, again = [await library.send(key="once") for _ in range(2)]
    assert first.json()["id"] == again.json()["id"]
    other = await library.send("# Otro\n\nOtro texto.", key="once")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency.mismatch")
    stopped = await library.client.post(
        f"/v1/knowledge/ingests/{first.json()['id']}/cancel", headers=library.admin
    )
    assert stopped.json()["status"] == "cancelled"
    assert not await library.services.library.runner.run_next()


async def test_the_same_key_renews_a_document_once_whatever_became_of_it(library: Library) -> None:
    await library.bring(file_name="turnos.md")
    renewal = {"file_name": "turnos.md", "replaces": "kb:turnos:es"}
    first = await library.send("# Turnos\n\nPor la tarde.", key="renews", **renewal)
    await library.client.delete("/v1/knowledge/kb:turnos:es", headers=library.admin)
    again = await library.send("# Turnos\n\nPor la tarde.", key="renews", **renewal)
    assert again.status_code == first.status_code == 202, again.text
    assert again.json()["id"] == first.json()["id"]


@pytest.mark.parametrize(
    ("query", "content", "code"),
    [
        ({}, b"", "knowledge.empty"),
        ({}, b"x" * 100_001, "request.too_large"),
        ({"collection": "courses"}, b"x", "knowledge.collection"),
        ({"file_name": "../../etc/passwd"}, b"x", "request.invalid"),
        ({"slug": "No Slug"}, b"x", "request.invalid"),
        ({"replaces": "kb:nothing:es"}, b"x", "knowledge.unknown"),
        ({"unknown": "x"}, b"x", "request.invalid"),
    ],
)
async def test_uploads_that_are_refused(
    library: Library, query: dict[str, str], content: bytes, code: str
) -> None:
    assert (await library.send(content, **query)).json()["code"] == code


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://169.254.169.254/sitemap.xml", "ingest.host"),
        ("http://localhost/sitemap.xml", "ingest.host"),
        ("https://anybody.example/sitemap.xml", "ingest.host"),
        ("file:///etc/passwd", "request.invalid"),
    ],
)
async def test_sitemaps_of_hosts_that_nobody_named_are_refused(
    library: Library, url: str, code: str
) -> None:
    answer = await library.client.post(
        "/v1/knowledge/sitemaps", json={"url": url}, headers=library.admin
    )
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_advisors_read_and_only_admins_write(library: Library) -> None:
    assert (await library.get("")).status_code == 200
    assert (await library.get("/ingests")).status_code == 200
    refused = [
        await library.client.post(
            "/v1/knowledge/uploads",
            content=b"x",
            params={"file_name": "x.md"},
            headers=library.advisor,
        ),
        await library.client.post(
            "/v1/knowledge/sitemaps",
            json={"url": "https://a.example/s.xml"},
            headers=library.advisor,
        ),
        await library.client.post("/v1/knowledge/kb:x:es/withdraw", headers=library.advisor),
        await library.client.delete("/v1/knowledge/kb:x:es", headers=library.advisor),
    ]
    assert {(r.status_code, r.json()["code"]) for r in refused} == {(403, "auth.role")}
    assert (await library.client.get("/v1/knowledge")).status_code == 401


async def test_what_admins_do_is_on_record(library: Library) -> None:
    await library.bring(file_name="acta.md")
    await library.client.post("/v1/knowledge/kb:acta:es/withdraw", headers=library.admin)
    await library.client.delete("/v1/knowledge/kb:acta:es", headers=library.admin)
    page = await library.services.journal.list_audit_events({}, cursor=None, limit=20)
    done = {str(r.header["action"]): r.payload for r in reversed(page.items)}
    assert {"knowledge.ingest", "knowledge.withdraw", "knowledge.delete"} <= set(done)
    assert done["knowledge.delete"]["document_id"] == "kb:acta:es"


async def test_a_search_says_where_each_passage_answers(library: Library) -> None:
    await library.bring(
        "# Taquillas\n\nSe piden en portería. El alquiler de la taquilla cuesta diez soles.\n",
        file_name="taquillas.md",
        audience="staff",
    )
    found = await library.get("/search?q=cuánto cuesta el alquiler de una taquilla&language=es")
    assert found.status_code == 200, found.text
    best = found.json()["items"][0]
    text = best["text"]
    assert (best["document_id"], best["audience"]) == ("kb:taquillas:es", "staff")
    assert [text[w["start"] : w["end"]] for w in best["words"]] == [
        "alquiler",
        "taquilla",
        "cuesta",
    ]
    sentence = text[best["sentence"]["start"] : best["sentence"]["end"]]
    assert sentence.startswith("El alquiler")
    assert (best["before"], best["after"]) == ("", "")


async def test_a_search_for_nothing_or_by_nobody_is_refused(library: Library) -> None:
    assert (await library.get("/search?q=")).status_code == 422
    assert (await library.client.get("/v1/knowledge/search?q=becas")).status_code == 401
