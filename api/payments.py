"""Which gateways a deployment takes money through, by its settings."""

import hashlib
import hmac
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Literal

import httpx
from pydantic import SecretStr

from api.settings import Settings
from crm.db import Database
from crm.errors import NotFound, Unavailable
from crm.payments.gateways.protocol import Gateway
from crm.payments.gateways.sandbox.deliveries import SandboxDeliveries
from crm.payments.gateways.sandbox.desk import SandboxDesk
from crm.payments.gateways.sandbox.gateway import SandboxGateway

GatewayName = Literal["sandbox", "stripe", "none"]


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The parts of the embedded gateway."""

    gateway: SandboxGateway
    desk: SandboxDesk
    deliveries: SandboxDeliveries


@dataclass(frozen=True, slots=True)
class Tills:
    """Where this deployment takes money.

    Args:
        chosen: the gateway of new payments; `none` where nobody takes any.
        gateways: every one that may still report, by name.
    """

    chosen: GatewayName
    gateways: Mapping[str, Gateway]
    sandbox: Sandbox | None

    def require_sandbox(self) -> Sandbox:
        """Return the sandbox.

        Raises: NotFound("gateway.inactive"): pretended money has no place in this deployment.
        """
        if self.sandbox is None:
            raise NotFound("gateway.inactive", "This deployment does not use the sandbox gateway.")
        return self.sandbox


@asynccontextmanager
async def open_tills(settings: Settings, database: Database) -> AsyncIterator[Tills]:
    """Connect to the gateways that the settings choose.

    Raises: Unavailable("settings.stripe"): Stripe is chosen without its keys.
    """
    chosen = settings.payment_gateway or ("sandbox" if settings.demo else "none")
    gateways: dict[str, Gateway] = {}
    sandbox = None
    async with AsyncExitStack() as stack:
        if chosen == "sandbox":
            client = await stack.enter_async_context(httpx.AsyncClient(trust_env=False))
            sandbox = _sandbox(settings, database, client)
            gateways[sandbox.gateway.name] = sandbox.gateway
        # Also where Stripe is no longer chosen: what it once took may still be refunded.
        if chosen == "stripe" or settings.stripe_secret_key is not None:
            stripe = await stack.enter_async_context(_stripe(settings, database))
            gateways[stripe.name] = stripe
        yield Tills(chosen, gateways, sandbox)


def _sandbox(settings: Settings, database: Database, client: httpx.AsyncClient) -> Sandbox:
    secret = _derived(settings.master_key)
    url = f"{settings.base_url}/webhooks/sandbox-payments"
    return Sandbox(
        SandboxGateway(database, secret=secret, base_url=settings.base_url),
        SandboxDesk(database),
        SandboxDeliveries(database, client, secret=secret, url=url),
    )


def _derived(master_key: SecretStr | None) -> bytes:
    """Return a secret of the sandbox's own, the same in every process of the deployment."""
    if master_key is None:
        raise Unavailable("settings.master_key", "ORIENTA_MASTER_KEY is not set.")
    key = master_key.get_secret_value().encode()
    return hmac.digest(key, b"orienta/sandbox-payments", hashlib.sha256)


@asynccontextmanager
async def _stripe(settings: Settings, database: Database) -> AsyncIterator[Gateway]:
    # Imported only here: the SDK costs 0.2 s in every process that has it.
    from crm.payments.gateways.stripe.gateway import StripeGateway

    if settings.stripe_secret_key is None or settings.stripe_webhook_secret is None:
        raise Unavailable(
            "settings.stripe",
            "Stripe needs ORIENTA_STRIPE_SECRET_KEY and ORIENTA_STRIPE_WEBHOOK_SECRET.",
        )
    gateway = StripeGateway(
        secret_key=settings.stripe_secret_key.get_secret_value(),
        webhook_secret=settings.stripe_webhook_secret.get_secret_value(),
        api_base=settings.stripe_api_base,
        clock=database.clock,
    )
    try:
        yield gateway
    finally:
        await gateway.aclose()
