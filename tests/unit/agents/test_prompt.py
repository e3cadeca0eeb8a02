"""Instructions are files with a version; the message that carries them carries the brief."""

from langchain_core.messages import HumanMessage, SystemMessage

from agents.runtime.brief import Brief
from agents.student_support import prompt
from agents.student_support.prompt import instruct, prompt_version, system_message

BRIEF = Brief(
    locale="en",
    now="2026-11-24T10:00:00-05:00",
    time_zone="America/Lima",
    institution="Instituto Andino",
    identity_level="visitor",
    new_messages=1,
    flags=("injection",),
)


def test_version_changes_with_any_file(tmp_path, monkeypatch) -> None:
    before = prompt_version()
    for file in prompt._FOLDER.glob("*.md"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(prompt, "_FOLDER", tmp_path)
    prompt_version.cache_clear()
    assert prompt_version() == before
    (tmp_path / "policy.md").write_text("Anything goes.", encoding="utf-8")
    prompt_version.cache_clear()
    assert prompt_version() != before
    prompt_version.cache_clear()


def test_system_message_holds_instructions_policy_and_situation() -> None:
    message = system_message(BRIEF)
    text = str(message.content)
    assert "plain, warm English" in text
    assert "never learns another's data" in text
    assert "not verified" in text
    assert message.additional_kwargs["brief"]["institution"] == "Instituto Andino"


def test_instructions_take_the_place_of_any_other() -> None:
    messages = [SystemMessage("", id="brief"), HumanMessage("hi", id="1")]
    put = instruct({"messages": messages, "brief": BRIEF})["messages"]
    assert [m.type for m in put] == ["remove", "system", "human"]  # type: ignore[attr-defined]


def test_instructions_stay_small() -> None:
    assert len(str(system_message(BRIEF).content).split()) < 600
