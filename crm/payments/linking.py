"""How payers get to a gateway: links that lead to a checkout."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from crm.actor import SERVICE_ACTOR, Actor
from crm.db import Database, UnitOfWork
from crm.errors import NotFound
from crm.identity.permissions import Area, require
from crm.ids import PersonId
from crm.journal.idempotency import IdempotencyKey
from crm.money import Money
from crm.once import do_once
from crm.payments.gateways.protocol import Gateway
from crm.payments.intents.gateway_work import GatewayWork
from crm.payments.invoices import store as invoices
from crm.payments.invoices.models import Invoice
from crm.payments.links import store as links
from crm.payments.links.acts import PaymentLink, checkout_of, hash_of, make_link, renew_link
from crm.payments.models import InvoiceId, Payment
from crm.payments.reading import PaymentReading
from crm.people.authority import owner_of


@dataclass(frozen=True, slots=True)
class Bill:
    """What is owed, and where it is paid."""

    invoice: Invoice
    link: PaymentLink | None


class PaymentLinking(PaymentReading):
    """Where what is owed can be paid.

    Args:
        chosen: the gateway that links use unless they name another.
        work: asks gateways.
    """

    def __init__(
        self,
        database: Database,
        gateways: Mapping[str, Gateway],
        *,
        chosen: str | None,
        work: GatewayWork,
    ) -> None:
        super().__init__(database)
        self._gateways = gateways
        self._chosen = chosen
        self._work = work

    async def make_link(
        self,
        invoice_id: InvoiceId,
        *,
        amount: Money | None = None,
        gateway: str | None = None,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> PaymentLink:
        """Make a link that leads to a checkout: staff for anybody, students for themselves.

        Raises:
            NotFound("invoice.unknown" | "gateway.unknown").
            RuleBroken: as `acts.initiate_payment`.
        """
        owner = owner_of(actor)
        if owner is None:
            require(actor, Area.PAYMENTS, write=True)
        name = self._gateway_name(gateway)
        said = {"invoice_id": invoice_id, "gateway": gateway, **(asdict(amount) if amount else {})}

        async def make() -> PaymentLink:
            await self._require_own(uow, invoice_id, owner)
            return await make_link(uow, invoice_id, amount=amount, gateway=name, actor=actor)

        async with self._db.transaction() as uow:
            return await do_once(uow, idempotency, said, make, kind=PaymentLink)

    async def bill_within(self, uow: UnitOfWork, invoice_id: InvoiceId, *, actor: Actor) -> Bill:
        """Return an invoice with a link to pay its next instalment, in this transaction.

        The link is None where no gateway is set or nothing is owed.

        Raises: NotFound("invoice.unknown"); Denied("identity.level" | "auth.role").
        """
        owner = owner_of(actor)
        if owner is None:
            require(actor, Area.PAYMENTS, write=True)
        invoice = await invoices.select_invoice(uow.conn, invoice_id, owner=owner)
        if invoice is None:
            raise NotFound("invoice.unknown", "There is no such invoice.")
        owed = invoice.cancelled_at is None and not invoice.is_settled
        if not owed or self._chosen not in self._gateways:
            return Bill(invoice, None)
        gateway = self._gateway_name(None)
        link = await make_link(uow, invoice_id, amount=None, gateway=gateway, actor=actor)
        return Bill(invoice, link)

    def _gateway_name(self, name: str | None) -> str:
        chosen = name or self._chosen
        if chosen is None or chosen not in self._gateways:
            raise NotFound("gateway.unknown", "There is no such gateway.")
        return chosen

    async def _require_own(
        self, uow: UnitOfWork, invoice_id: InvoiceId, owner: PersonId | None
    ) -> None:
        if await invoices.select_invoice(uow.conn, invoice_id, owner=owner) is None:
            raise NotFound("invoice.unknown", "There is no such invoice.")

    async def follow_link(self, token: str) -> str:
        """Return where the payer pays, opening the checkout if it is not open yet, or anew.

        Raises:
            NotFound("payment_link.unknown").
            RuleBroken("payment_link.closed").
        """
        payment = await self._linked(token)
        if not payment.is_under_way(self._db.clock.now()):
            async with self._db.transaction() as uow:
                payment = await renew_link(uow, hash_of(token), payment, actor=SERVICE_ACTOR)
        if payment.status == "initiated":
            await self._work.run_due(1, payment_id=payment.id)
            payment = await self._linked(token)
        return checkout_of(payment, self._db.clock.now())

    async def _linked(self, token: str) -> Payment:
        async with self._db.read() as conn:
            payment = await links.select_linked_payment(conn, hash_of(token))
        if payment is None:
            raise NotFound("payment_link.unknown", "There is no such payment link.")
        return payment
