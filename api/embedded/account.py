"""The user a server runs as, and a place on disk which that user can reach."""

import os
import pwd
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

NOBODY_ID = 65534
OUTSIDE = (Path("/var/lib/orienta"), Path("/var/tmp/orienta"))  # noqa: S108 (root-owned, random names below)
LINK = "elsewhere"


@dataclass(frozen=True, slots=True)
class Account:
    """A user and a group, by number."""

    uid: int
    gid: int

    @classmethod
    def current(cls) -> Self:
        """The account of this process."""
        return cls(os.geteuid(), os.getegid())

    @classmethod
    def nobody(cls) -> Self:
        """The account without rights that servers get when we are root."""
        try:
            entry = pwd.getpwnam("nobody")
        except KeyError:
            return cls(NOBODY_ID, NOBODY_ID)
        return cls(entry.pw_uid, entry.pw_gid)

    @classmethod
    def for_server(cls, *candidates: Path) -> Self:
        """Ourselves; as root, whoever owns the data (if some are there already), else nobody."""
        if os.geteuid() != 0:
            return cls.current()
        owners = (path.stat() for path in candidates if path.exists())
        for owner in owners:
            if owner.st_uid != 0:
                return cls(owner.st_uid, owner.st_gid)
        return cls.nobody()

    def identity(self) -> dict[str, Any]:
        """What makes `subprocess` run as this account: nothing if it is ours."""
        if os.geteuid() == self.uid:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": ()}

    def own(self, path: Path) -> None:
        """Make the path this account's, where that is ours to decide."""
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid)

    def can_run(self, *command: str) -> bool:
        """Whether the command succeeds for this account."""
        try:
            done = subprocess.run(  # noqa: S603 (fixed commands of this package, no shell)
                command, cwd="/", capture_output=True, check=False, timeout=30, **self.identity()
            )
        except OSError:
            return False
        return done.returncode == 0


def reachable_folder(data_dir: Path, account: Account) -> Path:
    """Where the server's files go: the data folder, or one outside it that the account reaches.

    A clone under root's own home is closed to `nobody`. Its parents stay closed: the files move
    out instead, and a link in the data folder leads to them.
    """
    link = data_dir / LINK
    if link.is_symlink():
        return link.resolve()
    if account.can_run("/bin/sh", "-c", 'cd "$1"', "sh", str(data_dir)):
        return data_dir
    outside = _open_outside()
    link.symlink_to(outside)
    return outside


def _open_outside() -> Path:
    for parent in OUTSIDE:
        folder = parent / secrets.token_hex(8)
        try:
            parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            if parent.stat().st_uid == os.geteuid():
                folder.mkdir(mode=0o711)
                folder.chmod(0o711)
                return folder
        except OSError:
            continue
    raise OSError(f"no folder can be made under {OUTSIDE[0]}")


def runnable_binaries(source: Path, probe: str, *, folder: Path, account: Account) -> Path:
    """The programs' folder, copied beside the data if the account cannot run them in place."""
    if account.can_run(str(source / probe), "--version"):
        return source
    copy, partial = folder / source.name, folder / f"{source.name}.partial"
    if not copy.exists():
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(source, partial, symlinks=True)
        partial.rename(copy)
    return copy
