"""Which provider and model an agent speaks with, by settings."""

import sys

import pytest
from pydantic import ValidationError

from agents.llm.factory import build_providers
from agents.settings import AgentSettings
from tests.unit.agents.institution import FakeTools
from tests.unit.agents.scripted import Scripted, Talk, fails, says


def settings(**changed: object) -> AgentSettings:
    return AgentSettings(_env_file=None, openai_base_url="http://127.0.0.1:9/v1", **changed)


def test_agents_may_speak_through_other_providers_with_other_models() -> None:
    providers = build_providers(
        settings(
            llm_provider="openai",
            llm_providers={"lead_scoring": "offline"},
            openai_models={"course_recommendation": "large"},
        )
    )
    assert (providers.primary.name, providers.primary.model) == ("openai", "gpt-4o-mini")
    assert providers.by_agent["course_recommendation"].model == "large"
    assert providers.by_agent["lead_scoring"] is providers.fallback


def test_agents_that_speak_with_one_model_share_its_circuit() -> None:
    named = {"a": "large", "b": "large"}
    providers = build_providers(settings(llm_provider="openai", openai_models=named))
    assert providers.by_agent["a"] is providers.by_agent["b"]


def test_packages_of_a_local_model_are_not_imported_unless_it_is_chosen() -> None:
    build_providers(settings())
    assert "agents.llm.transformers_model" not in sys.modules or "torch" in sys.modules


@pytest.mark.parametrize(
    "chosen",
    [{"llm_provider": "transformers"}, {"llm_providers": {"student_support": "transformers"}}],
)
def test_local_model_needs_a_folder(chosen: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="ORIENTA_TRANSFORMERS_MODEL"):
        settings(**chosen)


async def test_agent_with_a_model_of_its_own_speaks_with_it_until_it_fails() -> None:
    own = Scripted(says("Soy otro modelo."), fails("timeout"))
    talk = Talk(
        tools=FakeTools(), provider=Scripted(says("No yo.")), by_agent={"student_support": own}
    )
    assert (await talk.say("hola")).reply == "Soy otro modelo."
    answer = await talk.say("¿cuánto cuesta el curso de excel?")
    assert answer.turn.degraded == "timeout"
    assert answer.turn.provider is talk.fallback
    assert "USD 89.00" in answer.reply
