"""The tool about a student's certificates."""

from pydantic import BaseModel

from crm.actor import IdentityLevel, Role
from crm.courses.completion.certificates.models import CertificateStatus
from tools.arguments import ToolInput
from tools.outputs import ToolOutput
from tools.spec import Call, ToolSpec, description_of
from tools.wording import date_text

_MOST = 20


class MyCertificates(ToolInput):
    """Nothing to choose: the session says whose."""


class CertificateOut(BaseModel):
    """One certificate.

    Args:
        check_url: opens the certificate, and shows anybody that it is genuine.
    """

    number: str
    course_title: str
    issued_on_text: str
    status: CertificateStatus
    check_url: str


class CertificatesFound(ToolOutput):
    """Certificates, newest first."""

    certificates: list[CertificateOut]


async def my_certificates(call: Call[MyCertificates]) -> CertificatesFound:
    """List the student's own certificates with the address that opens each.

    Use it when a verified student asks for a certificate. An empty list means that none was issued:
    a course has to be completed, and its fee paid, first.
    """
    locale, services = call.context.locale, call.services
    page = await services.certificates.list_certificates(limit=_MOST, actor=call.context.actor)
    return CertificatesFound(
        certificates=[
            CertificateOut(
                number=made.certificate.number,
                course_title=made.certificate.title.of(locale),
                issued_on_text=date_text(made.certificate.issued_on, locale),
                status=made.certificate.status,
                check_url=f"{services.base_url}/certificates/{made.certificate.number}"
                f"?code={made.code}",
            )
            for made in page.items
        ]
    )


MY_CERTIFICATES = ToolSpec(
    name="my_certificates",
    version=1,
    description=description_of(my_certificates),
    input=MyCertificates,
    output=CertificatesFound,
    handler=my_certificates,
    min_level=IdentityLevel.VERIFIED,
    roles=frozenset[Role](),
    personal=True,
    examples=({},),
)
