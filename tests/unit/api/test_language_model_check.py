"""What `orienta doctor` says of the language model."""

from pathlib import Path

import pytest

from api.commands import process_checks
from api.commands.process_checks import check_language_model


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder that the settings name for a model of this machine."""
    monkeypatch.setenv("ORIENTA_LLM_PROVIDER", "transformers")
    monkeypatch.setenv("ORIENTA_TRANSFORMERS_MODEL", str(tmp_path))
    return tmp_path


def test_packages_that_are_missing_are_named(local: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_checks, "find_spec", lambda name: None)
    found = check_language_model()
    assert found.remedy == "pip install 'orienta[models]'"


@pytest.mark.parametrize("there", [False, True])
def test_folder_has_to_hold_a_model(
    local: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    monkeypatch.setattr(process_checks, "find_spec", lambda name: object())
    if there:
        (local / "config.json").write_text("{}")
    found = check_language_model()
    assert str(local) in found.detail
    assert (found.remedy is None) == there
