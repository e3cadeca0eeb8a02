"""Which servers may be asked: hosts that a setting names, at addresses that are public."""

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from retrieval.errors import Unreadable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_PORTS = {"http": 80, "https": 443}
_MAX_URL = 2_000


class Resolver(Protocol):
    """Finds the addresses of a host."""

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """Return every address.

        Raises: OSError.
        """
        ...


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def is_public(address: Address) -> bool:
    """Return whether an address belongs to the internet at large, however it is written."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is not None:
            return is_public(inner)
        if address in _NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address.is_global and not address.is_multicast and not address.is_reserved


_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Target:
    """A request that may be made, to this very address: names can change their answer."""

    url: str
    scheme: str
    host: str
    port: int
    address: str
    path: str

    @property
    def is_default_port(self) -> bool:
        """Return whether the scheme says the port."""
        return _PORTS[self.scheme] == self.port

    @property
    def host_header(self) -> str:
        """Return how the server knows itself."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.is_default_port else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Return scheme, host and port."""
        return f"{self.scheme}://{self.host_header}"


@dataclass(frozen=True, slots=True)
class WebPolicy:
    """What may be fetched.

    Args:
        hosts: `example.edu` for this host, `.example.edu` for it and all below it.
        ports: beside those of the schemes; tests serve on others.
    """

    hosts: tuple[str, ...]
    resolver: Resolver = resolve
    is_allowed: Callable[[Address], bool] = is_public
    ports: frozenset[int] = frozenset(_PORTS.values())

    async def target(self, url: str) -> Target:
        """Return where a request for an address goes.

        Raises: Unreadable("ingest.url" | "ingest.host" | "ingest.address").
        """
        scheme, host, port, path = self._parts(url)
        try:
            async with asyncio.timeout(10):
                found = await self.resolver(host, port)
            addresses = [ipaddress.ip_address(a.partition("%")[0]) for a in found]
        except (OSError, ValueError) as broken:
            raise Unreadable("ingest.host", "The host has no address.") from broken
        # One that is not public among several is no accident.
        if not addresses or not all(map(self.is_allowed, addresses)):
            raise Unreadable("ingest.address", "The host's address is not public.")
        return Target(url, scheme, host, port, str(addresses[0]), path)

    def names(self, url: str) -> bool:
        """Return whether an address is one of a host that is named."""
        try:
            self._parts(url)
        except Unreadable:
            return False
        return True

    def _parts(self, url: str) -> tuple[str, str, int, str]:
        try:
            parts = urlsplit(url)
            host = (parts.hostname or "").rstrip(".").encode("idna").decode() if parts else ""
            port = parts.port or _PORTS.get(parts.scheme, 0)
        except (ValueError, UnicodeError) as broken:
            raise Unreadable("ingest.url", "The address cannot be read.") from broken
        if parts.scheme not in _PORTS or not host or parts.username or len(url) > _MAX_URL:
            raise Unreadable("ingest.url", "The address is not one of a web page.")
        if port not in self.ports:
            raise Unreadable("ingest.url", "The address names an unusual port.")
        if not any(_matches(host, named) for named in self.hosts):
            raise Unreadable("ingest.host", "The host is not among those that may be read.")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return parts.scheme, host, port, path


def _matches(host: str, named: str) -> bool:
    named = named.lower()
    return host == named.lstrip(".") or (named.startswith(".") and host.endswith(named))
