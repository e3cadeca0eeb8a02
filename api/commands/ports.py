"""Finds the port to listen on."""

import socket
import time

from crm.errors import Unavailable

NEXT_PORTS = 50
PAUSE_S = 0.1


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def choose_port(host: str, wanted: int, *, patience_s: float = 0.0) -> int:
    """The wanted port, or the next one that is free.

    Args:
        patience_s: how long to wait for the wanted one, where its holder is known to be ending.
    Raises: Unavailable("port"): none of the next ones is free either.
    """
    deadline = time.monotonic() + patience_s
    while not is_free(host, wanted) and time.monotonic() < deadline:
        time.sleep(PAUSE_S)
    for port in range(wanted, wanted + NEXT_PORTS):
        if is_free(host, port):
            return port
    raise Unavailable("port", f"No port from {wanted} on is free on {host}.")
