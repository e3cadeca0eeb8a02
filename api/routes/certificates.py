"""Certificates over HTTP: anybody checks one, staff list, reissue and revoke them."""

import base64
from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Path, Query, Response, status
from pydantic import BaseModel, Field

from api.bodies import Body, Out
from api.dependencies import IdempotencyDep, PageDep, ServicesDep
from api.routes.courses import TextOut
from api.routes.quotes import EnrolmentReader, EnrolmentWriter
from api.routing import Chapter
from crm.courses.completion.certificates.models import (
    MAX_REASON,
    CertificateCheck,
    CertificateStatus,
    HolderShown,
    IssuedCertificate,
    Proof,
)
from crm.ids import PersonId

router = Chapter(prefix="/v1/certificates", tags=["completion"])

NumberPath = Annotated[str, Path(max_length=40, description="E.g. `2026-K7QM-3TXP`")]
CodeQuery = Annotated[
    str | None, Query(max_length=40, description="The certificate's code; it shows the name")
]


class CertifiedOut(Out):
    """What is certified, as it was when the certificate was issued."""

    number: str
    status: CertificateStatus
    course_code: str
    title: TextOut
    hours: int
    starts_on: date
    ends_on: date
    issued_on: date
    revoked_at: datetime | None


class CertificateOut(CertifiedOut):
    """A certificate, for staff."""

    enrolment_id: UUID
    person_id: UUID
    revoked_for: str | None


class IssuedCertificateOut(BaseModel):
    """A certificate with its holder, unless erased, and the code that shows the name."""

    certificate: CertificateOut
    holder: str | None
    code: str

    @classmethod
    def of(cls, issued: IssuedCertificate) -> Self:
        """Return a certificate for the wire."""
        certificate = CertificateOut.model_validate(issued.certificate)
        return cls(certificate=certificate, holder=issued.holder, code=issued.code)


class CertificatePage(BaseModel):
    """A page of certificates."""

    items: list[IssuedCertificateOut]
    next_cursor: str | None


class ProofOut(BaseModel):
    """What proves the statement without asking again; signature and key are in base64."""

    algorithm: Literal["Ed25519"]
    statement: str
    signature: str
    public_key: str

    @classmethod
    def of(cls, proof: Proof) -> Self:
        """Return a proof for the wire."""
        return cls(
            algorithm="Ed25519",
            statement=proof.statement,
            signature=base64.b64encode(proof.signature).decode(),
            public_key=base64.b64encode(proof.public_key).decode(),
        )


class CertificateCheckOut(BaseModel):
    """What anybody may know of a certificate: the holder's initials, or with its code the name."""

    certificate: CertifiedOut
    holder: str | None
    shown: HolderShown
    code_matches: bool | None = Field(description="Null when no code was given")
    proof: ProofOut | None

    @classmethod
    def of(cls, check: CertificateCheck) -> Self:
        """Return a check for the wire."""
        return cls(
            certificate=CertifiedOut.model_validate(check.certificate),
            holder=check.holder,
            shown=check.shown,
            code_matches=check.code_matches,
            proof=ProofOut.of(check.proof) if check.proof else None,
        )


class NewCertificate(Body):
    """The completed enrolment to certify again."""

    enrolment_id: UUID


class Revocation(Body):
    """Why the certificate no longer counts; the public is not told."""

    reason: Annotated[str, Field(min_length=1, max_length=MAX_REASON)]


@router.get("", summary="List certificates")
async def list_certificates(
    staff: EnrolmentReader,
    services: ServicesDep,
    page: PageDep,
    person_id: UUID | None = None,
    course: Annotated[str | None, Query(max_length=40, description="A course's code")] = None,
) -> CertificatePage:
    """Return certificates, newest first; the reading is audited."""
    found = await services.certificates.list_certificates(
        person_id=PersonId(person_id) if person_id else None,
        course_code=course,
        cursor=page.cursor,
        limit=page.limit,
        actor=staff,
    )
    items = [IssuedCertificateOut.of(issued) for issued in found.items]
    return CertificatePage(items=items, next_cursor=found.next_cursor)


@router.post("", status_code=status.HTTP_201_CREATED, summary="Issue a certificate again")
async def reissue_certificate(
    body: NewCertificate,
    staff: EnrolmentWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
    response: Response,
) -> CertificateOut:
    """Issue a certificate in place of a revoked one; one that counts is returned as it is."""
    made = await services.certificates.reissue(
        body.enrolment_id, actor=staff, idempotency=idempotency
    )
    response.headers["Location"] = f"/v1/certificates/{made.number}"
    return CertificateOut.model_validate(made)


@router.get("/{number}", summary="Check a certificate")
async def check_certificate(
    number: NumberPath, services: ServicesDep, code: CodeQuery = None
) -> CertificateCheckOut:
    """Tell anybody whether a certificate counts, and whoever has its code whose it is."""
    return CertificateCheckOut.of(await services.certificates.check(number, code))


@router.post("/{number}/revoke", summary="Revoke a certificate")
async def revoke_certificate(
    number: NumberPath,
    body: Revocation,
    staff: EnrolmentWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> CertificateOut:
    """Note that a certificate no longer counts; revoking twice changes nothing more."""
    revoked = await services.certificates.revoke(
        number, body.reason, actor=staff, idempotency=idempotency
    )
    return CertificateOut.model_validate(revoked)
