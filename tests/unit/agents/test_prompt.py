"""Instructions are files with a version; the message that carries them carries the brief."""

from pathlib import Path
from shutil import copytree
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.messages import HumanMessage, SystemMessage

import agents
from agents.runtime.brief import Brief
from agents.runtime.instructions import Instructions
from agents.runtime.policy import SHIPPED_POLICY
from agents.supervisor.table import AGENTS

BRIEF = Brief(
    locale="en",
    now="2026-11-24T10:00:00-05:00",
    time_zone="America/Lima",
    institution="Instituto Andino",
    identity_level="visitor",
    new_messages=1,
    flags=("injection",),
)


FOLDERS = sorted(Path(agents.__file__).parent.glob("*/prompts"))
every_agent = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)


def test_every_agent_of_the_table_has_instructions() -> None:
    assert {folder.parent.name for folder in FOLDERS} == AGENTS.keys()
    assert len({agent.prompt_version(SHIPPED_POLICY) for agent in AGENTS.values()}) == len(AGENTS)


def test_version_changes_with_any_file_and_with_the_policy(tmp_path: Path) -> None:
    before = Instructions(FOLDERS[0]).version(SHIPPED_POLICY)
    for name in ("same", "other"):
        copytree(FOLDERS[0], tmp_path / name)
    (tmp_path / "other" / "es.md").write_text("Anything goes.", encoding="utf-8")
    assert Instructions(tmp_path / "same").version(SHIPPED_POLICY) == before
    assert Instructions(tmp_path / "other").version(SHIPPED_POLICY) != before
    assert Instructions(FOLDERS[0]).version("Anything goes.") != before


@every_agent
def test_system_message_holds_instructions_policy_and_situation(folder: Path) -> None:
    message = Instructions(folder).message(BRIEF, SHIPPED_POLICY)
    text = str(message.content)
    assert "plain, warm English" in text
    assert "never learns another's data" in text
    assert "not verified" in text
    assert message.additional_kwargs["brief"]["institution"] == "Instituto Andino"


def test_instructions_take_the_place_of_any_other() -> None:
    messages = [SystemMessage("", id="brief"), HumanMessage("hi", id="1")]
    runtime: Any = SimpleNamespace(context=SimpleNamespace(policy="Be kind."))
    state: Any = {"messages": messages, "brief": BRIEF}
    put: Any = Instructions(FOLDERS[0]).instruct(state, runtime)["messages"]
    assert "Be kind." in put[1].content
    assert [m.type for m in put] == ["remove", "system", "human"]


@every_agent
def test_instructions_stay_small(folder: Path) -> None:
    assert len(str(Instructions(folder).message(BRIEF, SHIPPED_POLICY).content).split()) < 600
