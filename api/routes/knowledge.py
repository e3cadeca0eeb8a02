"""The institution's documents over HTTP: advisors look at them, admins bring and take them."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Path, Query, Request, Response, status

from api.auth import staff_in
from api.dependencies import IdempotencyDep, PageDep, ServicesDep
from api.ingests import StartIngest
from api.routes.knowledge_bodies import (
    COLLECTION,
    AsidePage,
    DocumentOut,
    DocumentPage,
    FieldsQuery,
    IngestOut,
    IngestPage,
    SitemapBody,
    VersionPage,
)
from api.routing import Chapter
from crm.actor import Actor
from crm.identity.permissions import Area
from retrieval.stores.pg_catalogue import DocumentState

router = Chapter(prefix="/v1/knowledge", tags=["knowledge"])

KnowledgeReader = Annotated[Actor, Depends(staff_in(Area.KNOWLEDGE))]
KnowledgeWriter = Annotated[Actor, Depends(staff_in(Area.KNOWLEDGE, write=True))]
DocumentId = Annotated[str, Path(pattern=r"^kb:[a-z0-9-]{1,80}:(es|en)$", examples=["kb:fees:en"])]

_FILE = {
    "requestBody": {
        "required": True,
        "description": "The file: Markdown, HTML, plain text, PDF or Word (.docx)",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get("", summary="List documents")
async def list_documents(
    staff: KnowledgeReader,
    services: ServicesDep,
    page: PageDep,
    collection: Annotated[str | None, Query(pattern=COLLECTION)] = None,
    language: Literal["es", "en"] | None = None,
    state: DocumentState | None = None,
) -> DocumentPage:
    """Return documents by id, each as its newest version has it."""
    filters = {"collection": collection, "language": language, "state": state}
    found = await services.library.desk.list(
        filters, on=services.courses.today(), cursor=page.cursor, limit=page.limit
    )
    items = [DocumentOut.model_validate(entry) for entry in found.items]
    return DocumentPage(items=items, next_cursor=found.next_cursor)


@router.post(
    "/uploads", status_code=status.HTTP_202_ACCEPTED, summary="Send a file", openapi_extra=_FILE
)
async def upload_document(
    request: Request,
    staff: KnowledgeWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
    response: Response,
    fields: Annotated[FieldsQuery, Query()],
) -> IngestOut:
    """Take a file and read it in the background; ask for the ingest to see what became of it.

    A changed file of the same slug and language becomes a new version. With `replaces` the file
    becomes the next version of that document, whatever it says of itself.
    """
    job = await services.library.desk.upload(
        fields.command(),
        request.stream(),
        on=services.courses.today(),
        actor=staff,
        key=idempotency,
    )
    response.headers["Location"] = f"/v1/knowledge/ingests/{job.id}"
    return IngestOut.model_validate(job)


@router.post("/sitemaps", status_code=status.HTTP_202_ACCEPTED, summary="Read a sitemap")
async def read_sitemap(
    body: SitemapBody,
    staff: KnowledgeWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
    response: Response,
) -> IngestOut:
    """Read the pages of a sitemap in the background, as their robots.txt allows.

    Only hosts are asked that a setting names, and only at public addresses. Pages that are as they
    were are not fetched again; documents whose page is no longer named are withdrawn.
    """
    command = StartIngest(
        source="sitemap",
        place=body.url,
        collection=body.collection,
        fields=body.declared(),
        complete=body.complete,
    )
    job = await services.library.desk.read_sitemap(command, actor=staff, key=idempotency)
    response.headers["Location"] = f"/v1/knowledge/ingests/{job.id}"
    return IngestOut.model_validate(job)


@router.get("/ingests", summary="List ingests")
async def list_ingests(staff: KnowledgeReader, services: ServicesDep, page: PageDep) -> IngestPage:
    """Return ingests of folders, files and sitemaps, the newest first."""
    found = await services.library.desk.list_jobs(cursor=page.cursor, limit=page.limit)
    items = [IngestOut.model_validate(job) for job in found.items]
    return IngestPage(items=items, next_cursor=found.next_cursor)


@router.get("/ingests/{ingest_id}", summary="See how far an ingest is")
async def get_ingest(ingest_id: UUID, staff: KnowledgeReader, services: ServicesDep) -> IngestOut:
    """Return an ingest."""
    return IngestOut.model_validate(await services.library.desk.get_job(ingest_id))


@router.get("/ingests/{ingest_id}/set-aside", summary="List what could not be read")
async def list_set_aside(
    ingest_id: UUID, staff: KnowledgeReader, services: ServicesDep, page: PageDep
) -> AsidePage:
    """Return the files or pages that were set aside, each with its reason."""
    found = await services.library.desk.list_aside(ingest_id, cursor=page.cursor, limit=page.limit)
    return AsidePage.model_validate(found)


@router.post("/ingests/{ingest_id}/cancel", summary="Stop an ingest")
async def cancel_ingest(
    ingest_id: UUID, staff: KnowledgeWriter, services: ServicesDep
) -> IngestOut:
    """Stop reading; what has come stays, and repeating it changes nothing."""
    return IngestOut.model_validate(await services.library.desk.cancel(ingest_id, actor=staff))


@router.get("/{document_id}", summary="Show a document")
async def get_document(
    document_id: DocumentId, staff: KnowledgeReader, services: ServicesDep
) -> DocumentOut:
    """Return a document as its newest version has it, and which version is in force."""
    found = await services.library.desk.get(document_id, on=services.courses.today())
    return DocumentOut.model_validate(found)


@router.get("/{document_id}/versions", summary="List a document's versions")
async def list_versions(
    document_id: DocumentId, staff: KnowledgeReader, services: ServicesDep, page: PageDep
) -> VersionPage:
    """Return versions, the newest first: when each holds, and where it came from."""
    found = await services.library.desk.versions(
        document_id, on=services.courses.today(), cursor=page.cursor, limit=page.limit
    )
    return VersionPage.model_validate(found)


@router.post("/{document_id}/withdraw", summary="Withdraw a document")
async def withdraw_document(
    document_id: DocumentId,
    staff: KnowledgeWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> DocumentOut:
    """Let a document be found no more, at once; citations of it still open.

    An ingest that brings it again lets it be found again.
    """
    found = await services.library.desk.withdraw(
        document_id, on=services.courses.today(), actor=staff, key=idempotency
    )
    return DocumentOut.model_validate(found)


@router.delete(
    "/{document_id}", status_code=status.HTTP_204_NO_CONTENT, summary="Delete a document for good"
)
async def delete_document(
    document_id: DocumentId,
    staff: KnowledgeWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> None:
    """Remove a document with all its versions, passages and vectors; citations lead nowhere."""
    await services.library.desk.delete(document_id, actor=staff, key=idempotency)
