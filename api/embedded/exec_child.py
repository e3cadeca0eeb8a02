"""Become a child process: drop to its account, die with the parent, run the command.

Run as a script (`python -I -S exec_child.py PARENT SIGNAL UID GID COMMAND…`) so that the parent
needs no code between fork and exec. The standard library is all it may import.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def become(uid: int, gid: int) -> None:
    """Give up root for the server's account, if we are root."""
    if os.geteuid() == uid:
        return
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def die_with(parent: int, death_signal: int) -> None:
    """Ask the kernel for `death_signal` when the parent's starting thread ends.

    Changing the user clears this setting, so it comes after `become`.
    """
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the parent ended before its child began")


def main(arguments: list[str]) -> None:
    """Run the command in this process's place."""
    parent, death_signal, uid, gid = (int(word) for word in arguments[:4])
    command = arguments[4:]
    os.umask(0o077)
    become(uid, gid)
    die_with(parent, death_signal)
    os.execv(command[0], command)  # noqa: S606 (the caller chose the command, no shell)


if __name__ == "__main__":
    main(sys.argv[1:])
