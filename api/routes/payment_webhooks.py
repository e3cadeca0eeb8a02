"""What payment gateways report, over HTTP."""

from fastapi import Request
from pydantic import BaseModel, Field

from api.dependencies import ServicesDep
from api.routing import Chapter

router = Chapter(prefix="/webhooks", tags=["webhooks"])


class WebhookTaken(BaseModel):
    """The gateway need not send this one again."""

    new_events: int = Field(ge=0, description="How many of its events had not been seen before")


@router.post("/stripe", summary="Take a webhook of Stripe")
async def take_stripe(request: Request, services: ServicesDep) -> WebhookTaken:
    """Check `Stripe-Signature`, then write down what happened; safe to repeat."""
    return await _take("stripe", request, services)


@router.post("/sandbox-payments", summary="Take a webhook of the sandbox gateway")
async def take_sandbox(request: Request, services: ServicesDep) -> WebhookTaken:
    """Check `Sandbox-Signature`, then write down what happened; safe to repeat."""
    return await _take("sandbox", request, services)


async def _take(gateway: str, request: Request, services: ServicesDep) -> WebhookTaken:
    headers = {name.lower(): value for name, value in request.headers.items()}
    new = await services.webhooks.take(gateway, headers, await request.body())
    return WebhookTaken(new_events=new)
