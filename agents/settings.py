"""The settings of agents and their language models, read once by the composition root."""

from typing import Literal, Self

from pydantic import AliasChoices, BaseModel, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ProviderName = Literal["offline", "openai", "transformers"]


class Price(BaseModel):
    """What a model costs, in millionths of the currency for each million tokens.

    Args:
        input_micros: for a million tokens read.
        output_micros: for a million tokens written.
    """

    input_micros: int = Field(ge=0)
    output_micros: int = Field(ge=0)


class AgentSettings(BaseSettings):
    """Read from the environment (`ORIENTA_…`) and from `.env`."""

    model_config = SettingsConfigDict(
        env_prefix="ORIENTA_",
        env_file=".env",
        extra="ignore",
        populate_by_name=True,
        env_nested_delimiter="__",
    )

    llm_provider: ProviderName = "offline"
    llm_providers: dict[str, ProviderName] = Field(
        default_factory=dict, description="By agent where it is not `llm_provider`"
    )

    openai_api_key: SecretStr | None = Field(
        None, validation_alias=AliasChoices("ORIENTA_OPENAI_API_KEY", "OPENAI_API_KEY")
    )
    openai_base_url: str | None = Field(
        None, validation_alias=AliasChoices("ORIENTA_OPENAI_BASE_URL", "OPENAI_BASE_URL")
    )
    openai_model: str = "gpt-4o-mini"
    openai_models: dict[str, str] = Field(
        default_factory=dict, description="Model by agent where it is not `openai_model`"
    )
    openai_temperature: float | None = 0.0
    openai_max_tokens: int = 700

    transformers_model: str | None = Field(None, description="A folder; needs the extra `models`")
    transformers_models: dict[str, str] = Field(
        default_factory=dict, description="Folder by agent where it is not `transformers_model`"
    )
    transformers_max_tokens: int = Field(512, ge=1)

    llm_connect_timeout_s: float = 5.0
    llm_first_token_timeout_s: float = Field(20.0, description="Silence before the first token")
    llm_chunk_timeout_s: float = Field(10.0, description="Silence between tokens")
    llm_max_answer_chars: int = Field(50_000, ge=1_000, description="A longer answer is no answer")
    llm_max_retries: int = Field(2, ge=0, le=5)
    llm_retry_after_cap_s: float = Field(5.0, description="A longer wait goes to the fallback")
    llm_breaker_failures: int = Field(3, description="Failures in a row that open the circuit")
    llm_breaker_open_s: float = 30.0

    llm_prices: dict[str, Price] = Field(
        default_factory=lambda: {
            "gpt-4o-mini": Price(input_micros=150_000, output_micros=600_000),
            "gpt-4o": Price(input_micros=2_500_000, output_micros=10_000_000),
        },
        description="By model; what is not listed counts as free",
    )

    @model_validator(mode="after")
    def _folders_are_named(self) -> Self:
        local = [a for a, p in self.llm_providers.items() if p == "transformers"]
        if self.llm_provider == "transformers":
            local.append("")
        if self.transformers_model is None and not set(local) <= set(self.transformers_models):
            raise ValueError("the provider transformers needs ORIENTA_TRANSFORMERS_MODEL")
        return self

    def speaker_for(self, agent: str) -> tuple[ProviderName, str]:
        """Return the provider that an agent speaks through, and the model that it speaks with."""
        provider = self.llm_providers.get(agent, self.llm_provider)
        if provider == "openai":
            return provider, self.openai_models.get(agent, self.openai_model)
        if provider == "transformers":
            return provider, self.transformers_models.get(agent, self.transformers_model or "")
        return provider, ""

    @property
    def agents_of_their_own(self) -> frozenset[str]:
        """Return the agents that are said to speak otherwise than the rest."""
        return frozenset((*self.llm_providers, *self.openai_models, *self.transformers_models))
