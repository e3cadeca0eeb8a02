"""Writes to the person of a lead what an advisor agreed to, on a basis that holds."""

from crm.actor import Actor
from crm.db import UnitOfWork
from crm.errors import NotFound
from crm.ids import PersonId
from crm.messaging.outbound.models import OutboundIntent
from crm.messaging.outbound.proof import prove_contact
from crm.messaging.outbound.service import queue_outbound
from crm.people.contact.models import Basis
from crm.people.contact.quiet import QuietHours
from crm.people.models import ConsentPurpose
from crm.pipeline import store as leads
from crm.pipeline.actions import store
from crm.pipeline.actions.models import ActionKind
from crm.pipeline.activities.acts import note_activity
from crm.pipeline.models import LeadId

TEMPLATE = "advisor_note"


class LeadWriter:
    """Writes to people about their leads.

    Args:
        quiet: hours in which what rests on consent has to wait.
    """

    def __init__(self, *, quiet: QuietHours, institution: str) -> None:
        self._quiet = quiet
        self._institution = institution

    async def write(
        self,
        uow: UnitOfWork,
        lead_id: LeadId,
        *,
        kind: ActionKind,
        text: str,
        effect_key: str,
        actor: Actor,
    ) -> PersonId:
        """Queue a message in this transaction; returns to whom.

        Raises: NotFound("lead.unknown"); ContactRefused.
        """
        lead = await leads.select_lead(uow.conn, lead_id)
        if lead is None:
            raise NotFound("lead.unknown", "There is no such lead.")
        basis, purpose = _basis(kind)
        proof = await prove_contact(
            uow,
            person_id=lead.person_id,
            basis=basis,
            channel=None,
            purpose=purpose,
            quiet=self._quiet,
        )
        name = await store.select_first_name(uow.conn, proof.person_id)
        params = {"text": text.replace("{name}", name), "institution": self._institution}
        intent = OutboundIntent(
            effect_key=effect_key, proof=proof, template=TEMPLATE, params=params
        )
        await queue_outbound(uow, intent)
        await note_activity(
            uow,
            person_id=lead.person_id,
            lead_id=lead.id,
            kind="message",
            direction="out",
            about={"channel": proof.channel, "suggested": kind},
            occurred_at=uow.clock.now(),
            actor=actor,
            source_key=f"action:{effect_key}",
        )
        return proof.person_id


def _basis(kind: ActionKind) -> tuple[Basis, ConsentPurpose | None]:
    if kind == "reply":
        return "reply", None
    return "consent", "service" if kind == "chase_document" else "marketing"
