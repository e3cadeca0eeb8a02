"""A request for every operation that takes a key, and another one for the same key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from tests.integration.api.hostile import KEY
from tests.integration.api.scene import LATER, SOON, pen

if TYPE_CHECKING:
    import httpx

    from tests.integration.api.scene import Scene

SITEMAP_HOST = "93.184.216.34"  # an address, so that nobody is asked for it
NOBODY = "00000000-0000-7000-8000-000000000000"
CSV = b"nombre,correo\nAna Paz,ana@written.example\n"


@dataclass(frozen=True)
class Write:
    """A body to send, and another one; names in braces stand for what a scene makes.

    Args:
        other: None for an operation without a body.
        at: what stands in the path, by its parameter.
    """

    body: Any = None
    other: Any = None
    at: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


#: What the parameters of paths stand for, where a request does not say it itself.
PLACES = {
    "person_id": "{person}",
    "merge_id": "{merge}",
    "cohort": "{cohort}",
    "hold_id": "{hold}",
    "entry_id": "{entry}",
    "enrolment_id": "{enrolment}",
    "quote_id": "{quote}",
    "application_id": "{application}",
    "lead_id": "{lead}",
    "task_id": "{task}",
    "ticket_id": "{ticket}",
    "appointment_id": "{appointment}",
    "invoice_id": "{invoice}",
    "payment_id": "{payment}",
    "document_id": "{document}",
    "number": "{certificate}",
}

WRITES: Mapping[str, Write] = {
    "POST /v1/people": Write({"full_name": "Ana Paz"}, {"full_name": "Eva Sol"}),
    "PATCH /v1/people/{person_id}": Write(
        {"expected_version": 1, "full_name": "Ana Sol"},
        {"expected_version": 1, "full_name": "Eva Sol"},
    ),
    "POST /v1/people/{person_id}/consents": Write(
        {"channel": "email", "purpose": "marketing", "granted": True, "text_version": "1"},
        {"channel": "email", "purpose": "marketing", "granted": False, "text_version": "1"},
    ),
    "PUT /v1/people/{person_id}/preferences": Write(
        {"preferred_channel": "email", "opted_out": []},
        {"preferred_channel": "whatsapp", "opted_out": []},
    ),
    "POST /v1/people/{person_id}/merge": Write(
        {"merged_id": "{another person}"}, {"merged_id": "{another another person}"}
    ),
    "POST /v1/merges/{merge_id}/undo": Write(),
    "POST /v1/admin/people/{person_id}/erase": Write(
        {"confirmation": "Ana Paz"}, {"confirmation": "Eva Sol"}
    ),
    "PUT /v1/admin/policy": Write(
        {"text": "Be brief. / Sé breve.", "note": "Por acuerdo.", "expected_version": 0},
        {"text": "Be kind. / Sé amable.", "note": "Por acuerdo.", "expected_version": 0},
    ),
    "PUT /v1/courses/{code}": Write("{course}", {"active": False}, {"code": "XYZ-101"}),
    "PUT /v1/courses/{code}/prerequisites": Write(
        {"codes": []}, {"codes": ["DAT-110"]}, {"code": "DAT-201"}
    ),
    "POST /v1/cohorts": Write("{new cohort}", {"seats": 7}),
    "PATCH /v1/cohorts/{cohort}": Write({"seats": 21}, {"seats": 22}),
    "POST /v1/cohorts/{cohort}/holds": Write(
        {"person_id": "{person}"}, {"person_id": "{another person}"}
    ),
    "POST /v1/cohorts/{cohort}/holds/{hold_id}/release": Write(
        {"reason": "Ya no quiere."}, {"reason": "Otro."}
    ),
    "POST /v1/cohorts/{cohort}/waitlist": Write(
        {"person_id": "{person}"},
        {"person_id": "{person}", "priority": 2},
        {"cohort": "{full cohort}"},
    ),
    "POST /v1/cohorts/{cohort}/waitlist/{entry_id}/leave": Write(at={"cohort": "{full cohort}"}),
    "POST /v1/enrolments": Write(
        {"person_id": "{person}", "cohort": "{cohort}"},
        {"person_id": "{person}", "cohort": "{cohort}", "instalments": 2},
    ),
    "POST /v1/enrolments/{enrolment_id}/withdraw": Write(
        {"reason": "Se muda."}, {"reason": "Trabaja."}
    ),
    "POST /v1/enrolments/{enrolment_id}/transfer": Write(
        {"cohort": "{another cohort}"}, {"cohort": "{another another cohort}"}
    ),
    "POST /v1/enrolments/{enrolment_id}/complete": Write(
        {"waiver": "Trabajó de noche."}, {}, {"enrolment_id": "{past enrolment}"}
    ),
    "POST /v1/cohorts/{cohort}/attendance": Write(
        {
            "marks": [
                {
                    "enrolment_id": "{past enrolment}",
                    "session_on": "{session}",
                    "mark": "present",
                }
            ]
        },
        {
            "marks": [
                {"enrolment_id": "{past enrolment}", "session_on": "{session}", "mark": "late"}
            ]
        },
    ),
    "POST /v1/certificates": Write({"enrolment_id": "{uncertified}"}, {"enrolment_id": NOBODY}),
    "POST /v1/certificates/{number}/revoke": Write({"reason": "Un error."}, {"reason": "Otro."}),
    "POST /v1/quotes": Write(
        {"person_id": "{person}", "cohort_id": "{cohort}"},
        {"person_id": "{person}", "cohort_id": "{cohort}", "discount_code": "DSC-HER"},
    ),
    "POST /v1/quotes/{quote_id}/accept": Write(),
    "POST /v1/quotes/{quote_id}/cancel": Write(at={"quote_id": "{accepted quote}"}),
    "PATCH /v1/scholarships/{code}": Write(
        {"combines": True}, {"combines": False}, {"code": "{scholarship}"}
    ),
    "POST /v1/scholarships/applications": Write(
        {"person_id": "{person}", "scholarship_code": "{scholarship}", "statement": "Enseño."},
        {"person_id": "{person}", "scholarship_code": "{scholarship}", "statement": "Estudio."},
    ),
    "POST /v1/scholarships/applications/{application_id}/award": Write(
        {"answer": "Sí."}, {"answer": "Claro."}
    ),
    "POST /v1/scholarships/applications/{application_id}/decline": Write(
        {"answer": "No."}, {"answer": "Ya no."}
    ),
    "PATCH /v1/discounts/{code}": Write(
        {"usage_limit": 9_999}, {"usage_limit": 9_998}, {"code": "DSC-HER"}
    ),
    "POST /v1/leads": Write({"person_id": "{person}"}, {"person_id": "{person}", "term": "2027-1"}),
    "PATCH /v1/leads/{lead_id}": Write(
        {"expected_version": "{version}", "term": "2027-1"},
        {"expected_version": "{version}", "term": "2027-2"},
    ),
    "POST /v1/leads/{lead_id}/stage": Write(
        {"stage": "lead"}, {"stage": "lost", "reason": "no_answer"}
    ),
    "POST /v1/leads/{lead_id}/assign": Write({"staff_id": "{staff}"}, {"staff_id": None}),
    "POST /v1/leads/{lead_id}/activities": Write(
        {"kind": "note", "text": "Llamó."}, {"kind": "note", "text": "Escribió."}
    ),
    "POST /v1/tasks": Write(
        {"person_id": "{person}", "title": "Llamar", "due_at": SOON},
        {"person_id": "{person}", "title": "Llamar", "due_at": LATER},
    ),
    "PATCH /v1/tasks/{task_id}": Write(
        {"expected_version": 1, "title": "Escribir"}, {"expected_version": 1, "title": "Visitar"}
    ),
    "POST /v1/tasks/{task_id}/status": Write({"status": "done"}, {"status": "cancelled"}),
    "POST /v1/tickets": Write(
        {"category": "academic", "title": "Una carta", "description": "La pide."},
        {"category": "academic", "title": "Una carta", "description": "La necesita."},
    ),
    "POST /v1/tickets/{ticket_id}/status": Write({"status": "resolved"}, {"status": "closed"}),
    "POST /v1/tickets/{ticket_id}/assign": Write({"staff_id": "{staff}"}, {"staff_id": None}),
    "POST /v1/tickets/{ticket_id}/notes": Write({"text": "Llamó."}, {"text": "Escribió."}),
    "POST /v1/appointments": Write(
        {"person_id": "{person}", "topic": "Becas", "mode": "video", "starts_at": "{slot}"},
        {"person_id": "{person}", "topic": "Notas", "mode": "video", "starts_at": "{slot}"},
    ),
    "POST /v1/appointments/{appointment_id}/move": Write(
        {"starts_at": "{another slot}", "expected_version": 1},
        {"starts_at": "{another another slot}", "expected_version": 1},
    ),
    "POST /v1/appointments/{appointment_id}/cancel": Write(
        {"reason": "Está de viaje."}, {"reason": "Otro."}
    ),
    "POST /v1/appointments/{appointment_id}/status": Write(
        {"status": "held"}, {"status": "missed"}, {"appointment_id": "{begun appointment}"}
    ),
    "PUT /v1/appointments/hours/{staff_id}": Write(
        {"week": "mon-fri 09:00-13:00", "slot_minutes": 20, "modes": ["call"]},
        {"week": "mon-fri 09:00-13:00", "slot_minutes": 60, "modes": ["call"]},
        {"staff_id": "{staff}"},
    ),
    "POST /v1/invoices": Write(
        {
            "person_id": "{person}",
            "reference": "written:1",
            "net": pen(300),
            "due_dates": ["2030-01-01"],
        },
        {
            "person_id": "{person}",
            "reference": "written:1",
            "net": pen(301),
            "due_dates": ["2030-01-01"],
        },
    ),
    "POST /v1/invoices/{invoice_id}/cancel": Write({"reason": "Un error."}, {"reason": "Otro."}),
    "POST /v1/invoices/{invoice_id}/credit-notes": Write(
        {"amount": pen(100), "reason": "Cortesía."}, {"amount": pen(101), "reason": "Cortesía."}
    ),
    "POST /v1/invoices/{invoice_id}/payment-link": Write({}, {"amount": pen(100)}),
    "PUT /v1/invoices/{invoice_id}/dunning/pause": Write(
        {"until": "{next month}", "reason": "Lo promete."},
        {"until": "{in two months}", "reason": "Lo promete."},
    ),
    "POST /v1/payments/manual": Write(
        {"invoice_id": "{invoice}", "amount": pen(100), "method": "cash"},
        {"invoice_id": "{invoice}", "amount": pen(100), "method": "transfer"},
    ),
    "POST /v1/payments/payouts": Write(
        {"gateway": "sandbox", "paid_out": pen(100), "fee": pen(3)},
        {"gateway": "sandbox", "paid_out": pen(100), "fee": pen(4)},
    ),
    "POST /v1/payments/{payment_id}/refunds": Write(
        {"amount": pen(100), "reason": "Cortesía."},
        {"amount": pen(101), "reason": "Cortesía."},
        {"payment_id": "{paid}"},
    ),
    "POST /v1/payments/{payment_id}/void": Write(),
    "POST /v1/imports": Write(CSV, CSV.replace(b"Ana", b"Eva"), query={"kind": "people"}),
    "POST /v1/knowledge/uploads": Write(
        b"# Notas\n\nSon de 0 a 20.", b"# Notas\n\nSon de 0 a 10.", query={"file_name": "notas.md"}
    ),
    "POST /v1/knowledge/sitemaps": Write(
        {"url": f"http://{SITEMAP_HOST}/sitemap.xml"}, {"url": f"http://{SITEMAP_HOST}/other.xml"}
    ),
    "POST /v1/knowledge/{document_id}/withdraw": Write(),
    "DELETE /v1/knowledge/{document_id}": Write(),
}


@dataclass
class Request:
    """A request whose names stand for something."""

    method: str
    path: str
    body: Any
    other: Any

    async def send(self, scene: Scene, body: Any, key: str) -> httpx.Response:
        """Send it with a body, as an administrator."""
        sent = {"content": body} if isinstance(body, bytes) else {"json": body}
        return await scene.stage.client.request(
            self.method,
            self.path,
            headers={KEY: key},
            **(sent if body is not None else {}),
        )


async def request_of(route: str, scene: Scene) -> Request:
    """Return the request for an operation."""
    write = WRITES[route]
    method, path = route.split(" ")
    body = await scene.filled(write.body)
    # Another body is what it says, beside what the first one says where that is made by a scene.
    rest = body if isinstance(write.body, str) else {}
    other = await scene.filled(write.other)
    for name, stands_for in {**PLACES, **write.at}.items():
        if f"{{{name}}}" in path:
            path = path.replace(f"{{{name}}}", str(await scene.filled(stands_for)))
    query = f"?{urlencode(write.query)}" if write.query else ""
    return Request(method, path + query, body, {**rest, **other} if rest else other)
