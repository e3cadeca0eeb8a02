"""Instructions are files with a version; the message that carries them carries the brief."""

from pathlib import Path
from shutil import copytree

import pytest
from langchain_core.messages import HumanMessage, SystemMessage

from agents.runtime.brief import Brief
from agents.runtime.instructions import POLICY, Instructions
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


FOLDERS = sorted(POLICY.parent.glob("*/prompts"))
every_agent = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)


def test_every_agent_of_the_table_has_instructions() -> None:
    assert {folder.parent.name for folder in FOLDERS} == AGENTS.keys()
    assert len({agent.prompt_version() for agent in AGENTS.values()}) == len(AGENTS)


@pytest.mark.parametrize("changed", ["es.md", "policy.md"])
def test_version_changes_with_any_file(tmp_path: Path, changed: str) -> None:
    before = Instructions(FOLDERS[0]).version()
    for name in ("same", "other"):
        copytree(FOLDERS[0], tmp_path / name)
        (tmp_path / f"{name}-policy.md").write_bytes(POLICY.read_bytes())
    path = tmp_path / ("other-policy.md" if changed == "policy.md" else f"other/{changed}")
    path.write_text("Anything goes.", encoding="utf-8")
    same, other = (
        Instructions(tmp_path / name, tmp_path / f"{name}-policy.md").version()
        for name in ("same", "other")
    )
    assert same == before != other


@every_agent
def test_system_message_holds_instructions_policy_and_situation(folder: Path) -> None:
    message = Instructions(folder).message(BRIEF)
    text = str(message.content)
    assert "plain, warm English" in text
    assert "never learns another's data" in text
    assert "not verified" in text
    assert message.additional_kwargs["brief"]["institution"] == "Instituto Andino"


def test_instructions_take_the_place_of_any_other() -> None:
    messages = [SystemMessage("", id="brief"), HumanMessage("hi", id="1")]
    put = Instructions(FOLDERS[0]).instruct({"messages": messages, "brief": BRIEF})["messages"]
    assert [m.type for m in put] == ["remove", "system", "human"]  # type: ignore[attr-defined]


@every_agent
def test_instructions_stay_small(folder: Path) -> None:
    assert len(str(Instructions(folder).message(BRIEF).content).split()) < 600
