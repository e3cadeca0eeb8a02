"""PostgreSQL's configuration for the machine at hand."""

import os
import shutil
from pathlib import Path

MB = 1024 * 1024
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 (looked at, never written)


def server_settings(*, durable: bool) -> str:
    """The text of our include file.

    Args:
        durable: False gives up safety against a power cut (not against kill -9) for speed: tests.
    """
    settings = _fixed() | _sized(machine_memory_bytes()) | ({} if durable else _hasty())
    return "".join(f"{name} = {value}\n" for name, value in settings.items())


def machine_memory_bytes() -> int:
    """The memory this process may use: the machine's, or its control group's if that is less."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(machine, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    except (OSError, ValueError):  # no control group, or "max"
        return machine


def _fixed() -> dict[str, str]:
    return {
        "max_connections": "100",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "timezone": "'UTC'",
        "log_timezone": "'UTC'",
        "password_encryption": "'scram-sha-256'",
        "shared_preload_libraries": "'pg_stat_statements'",
        "jit": "off",  # our statements are short: compiling them costs more than it saves
        "random_page_cost": "1.1",
        "max_wal_size": "'2GB'",
        "checkpoint_timeout": "'15min'",
        "log_checkpoints": "off",
        "idle_in_transaction_session_timeout": "'60s'",
        "dynamic_shared_memory_type": _dynamic_memory(),
    }


def _sized(memory_bytes: int) -> dict[str, str]:
    """A sixteenth of the memory for the buffers: the machine is also somebody's workplace."""
    buffers = min(max(memory_bytes // 16, 64 * MB), 1024 * MB)
    return {
        "shared_buffers": f"'{buffers // MB}MB'",
        "effective_cache_size": f"'{memory_bytes // 2 // MB}MB'",
        "maintenance_work_mem": f"'{min(max(memory_bytes // 32, 64 * MB), 512 * MB) // MB}MB'",
        "work_mem": "'8MB'",
    }


def _hasty() -> dict[str, str]:
    return {
        "fsync": "off",
        "full_page_writes": "off",
        "shared_buffers": "'128MB'",
        "max_wal_size": "'1GB'",
    }


def _dynamic_memory() -> str:
    """Files instead of /dev/shm where that is small (64 MB in containers): HNSW builds need it."""
    try:
        roomy = shutil.disk_usage(SHARED_MEMORY).total > 1024 * MB
    except OSError:
        roomy = False
    return "posix" if roomy else "mmap"
