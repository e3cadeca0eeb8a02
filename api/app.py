"""The HTTP application."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from api.attendant import Attendant
from api.bootstrap import Services, open_services
from api.embedded.deployment import complete
from api.errors import install_error_handlers
from api.routes import ROUTERS
from api.settings import Settings
from api.web.errors import ErrorPages


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the application; it connects when it starts.

    Args:
        settings: read from the environment when not given.
    """
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            ready = stack.enter_context(complete(settings))
            services = await stack.enter_async_context(open_services(ready))
            await stack.enter_async_context(_attended(app, services))
            yield

    app = FastAPI(
        title="Orienta",
        version="0.1.0",
        summary="The AI-agent-centred CRM assistant of an educational institution",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    install_error_handlers(app, settings)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(settings.allowed_origins),
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID"],
        expose_headers=["Retry-After", "X-Request-Id"],
        max_age=600,
    )
    app.add_middleware(ErrorPages, settings=settings)
    for router in ROUTERS:
        app.include_router(router)
    return app


@asynccontextmanager
async def _attended(app: FastAPI, services: Services) -> AsyncIterator[None]:
    attendant = Attendant(services)
    app.state.services, app.state.attendant = services, attendant
    async with services.hub.running(), attendant.running():
        yield
