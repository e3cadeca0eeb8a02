"""Secrets of a home: made once, private, never replaced when damaged."""

import base64
import json
import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from api.embedded.deployment import environment_of, with_secrets
from api.embedded.secrets import ensure_secrets
from api.settings import Settings
from crm.errors import Unavailable


def test_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    first = ensure_secrets(tmp_path / "home")
    assert ensure_secrets(tmp_path / "home") == first
    assert len(base64.b64decode(first.master_key)) == 32
    assert first.master_key != first.identity_token_secret


def test_the_file_is_private(tmp_path: Path) -> None:
    ensure_secrets(tmp_path)
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secrets.json"]


def test_a_secret_that_a_newer_version_needs_is_added_to_the_old_ones(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text(json.dumps({"master_key": "kept"}))
    found = ensure_secrets(tmp_path)
    assert found.master_key == "kept"
    assert json.loads((tmp_path / "secrets.json").read_text())["identity_token_secret"]


def test_a_damaged_file_is_reported_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text('{"master_key": "half')
    with pytest.raises(Unavailable, match=r"secrets\.json cannot be read"):
        ensure_secrets(tmp_path)
    assert (tmp_path / "secrets.json").read_text() == '{"master_key": "half'


def test_children_get_the_same_settings_from_their_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = with_secrets(
        Settings(home=tmp_path, port=8123, demo=True, database_url="postgresql://x/y")
    )
    for name, value in environment_of(ours).items():
        monkeypatch.setenv(name, value)
    assert Settings() == ours


def test_secrets_that_were_given_are_used(tmp_path: Path) -> None:
    given = Settings(home=tmp_path, master_key=SecretStr("mine"))
    assert with_secrets(given).master_key == SecretStr("mine")
