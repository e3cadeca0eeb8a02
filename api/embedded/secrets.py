"""The secrets of a deployment that was given none: made once and kept under its home."""

import base64
import json
import secrets
from dataclasses import dataclass, fields
from pathlib import Path

from api.embedded.state import write_private
from crm.errors import Unavailable

FILE = "secrets.json"
KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Secrets:
    """What must stay the same from start to start.

    Args:
        master_key: 32 bytes in base64; losing it loses every sealed audit payload.
        identity_token_secret: signs the identity of students whom a host site sends (HS256).
    """

    master_key: str
    identity_token_secret: str


def ensure_secrets(home: Path) -> Secrets:
    """Return the home's secrets, making those that lack.

    Raises: Unavailable("secrets.damaged"): the file is there but cannot be read; a new one would
        lock up the data that the old one sealed.
    """
    path = home / FILE
    known = _read(path)
    wanted = {field.name: known.get(field.name) or _new_secret() for field in fields(Secrets)}
    if wanted != known:
        home.mkdir(parents=True, exist_ok=True)
        write_private(path, json.dumps(wanted, indent=2) + "\n")
    return Secrets(**wanted)


def _read(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Unavailable("secrets.damaged", f"{path} cannot be read: {error}") from error
    return {str(name): str(value) for name, value in found.items()}


def _new_secret() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
