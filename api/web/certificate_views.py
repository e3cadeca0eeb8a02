"""What the page says of a certificate."""

import base64
from dataclasses import dataclass
from datetime import datetime

from api.web.catalogue import Locale, translate
from api.web.formats import day
from crm.clock import day_in
from crm.courses.completion.certificates.models import CertificateCheck, Proof, read_code


@dataclass(frozen=True, slots=True)
class CertificateView:
    """A certificate as it is shown.

    Args:
        verdict: whether it counts, in a sentence.
        named: the code matched, so that this is the certificate itself and may be printed.
        code: as it matched.
        wrong_code: a code was given and is not this certificate's.
    """

    number: str
    valid: bool
    verdict: str
    holder: str
    named: bool
    code: str
    wrong_code: bool
    title: str
    course_code: str
    hours: str
    dates: str
    issued_on: str
    address: str
    signature: str
    statement: str
    public_key: str


def certificate_view(
    check: CertificateCheck, locale: Locale, *, code: str, time_zone: str, base: str
) -> CertificateView:
    """Describe a certificate in a language.

    Args:
        base: the address under which people reach this deployment.
    """
    made = check.certificate
    dates = {"start": day(made.starts_on, locale), "end": day(made.ends_on, locale)}
    return CertificateView(
        number=made.number,
        valid=made.revoked_at is None,
        verdict=_verdict(made.revoked_at, locale, time_zone),
        holder=check.holder or translate(locale, "certificate.erased"),
        named=check.shown == "name",
        code=read_code(code) if check.code_matches else "",
        wrong_code=check.code_matches is False,
        title=made.title.of(locale),
        course_code=made.course_code,
        hours=translate(locale, "certificate.hours", {"hours": made.hours}),
        dates=translate(locale, "certificate.dates", dates),
        issued_on=day(made.issued_on, locale),
        address=f"{base}/certificates/{made.number}",
        **_proof(check.proof),
    )


def _verdict(revoked_at: datetime | None, locale: Locale, time_zone: str) -> str:
    if revoked_at is None:
        return translate(locale, "certificate.valid")
    on = day(day_in(time_zone, revoked_at), locale)
    return translate(locale, "certificate.revoked", {"day": on})


def _proof(proof: Proof | None) -> dict[str, str]:
    if proof is None:
        return {"statement": "", "signature": "", "public_key": ""}
    return {
        "statement": proof.statement,
        "signature": base64.b64encode(proof.signature).decode(),
        "public_key": base64.b64encode(proof.public_key).decode(),
    }
