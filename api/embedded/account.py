"""The user a server runs as, and a place on disk which that user can reach."""

import os
import pwd
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from importlib import metadata
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """The parts of an installed package that a server runs from, relative to `site`."""

    site: Path
    parts: tuple[str, ...]
    program: str
    version: str

    def within_reach(self, account: Account, folder: Path) -> Path:
        """Where the account can run the program: as installed, or copied into `folder`.

        The parts keep their places to one another, for the programs find their libraries by them.
        """
        if account.can_run(str(self.site / self.program), "--version"):
            return self.site
        copy = folder / f"programs-{self.version}"
        if not copy.exists():
            self._copy(copy.with_name(f"{copy.name}.partial"), copy)
        return copy

    def _copy(self, partial: Path, final: Path) -> None:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        for part in self.parts:
            shutil.copytree(self.site / part, partial / part, symlinks=True)
        for path in (partial, *partial.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
                if path.stat().st_mode & 0o100:
                    path.chmod(path.stat().st_mode | 0o011)
        partial.rename(final)


def installed_programs(package: str, *parts: str, program: str) -> Programs:
    """The programs of a package, found without importing it: its import may start things.

    Raises: FileNotFoundError: it is not installed here, or has nothing for this platform.
    """
    distribution = metadata.distribution(package)
    site = Path(str(distribution.locate_file("")))
    if not (site / program).exists():
        raise FileNotFoundError(f"{package} has no {program} here")
    present = tuple(part for part in parts if (site / part).exists())
    return Programs(site=site, parts=present, program=program, version=distribution.version)
