"""Whom the guarded session may talk to: the platform's address in the settings, its proxy, and else only public hosts.

Whatever else an answer or a person may name (the next page of a list, the home of an account) is asked over https on
port 443, and only where every address that its name has is on the public internet; the connection then goes to that
very address, so that a name cannot lead elsewhere once it was looked at. An address of this machine's network, or of
the cloud's own services, is never asked for anybody.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from bot.errors import ConfigError

HTTPS = 443
_PORTS = {"https": HTTPS, "http": 80}

# Addresses of IPv6 that stand for one of IPv4: https://www.rfc-editor.org/rfc/rfc6052 (NAT64)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Hosts:
    """The hosts that the settings name, and the rule for all others."""

    def __init__(self, urls: Iterable[str]) -> None:
        self._named = frozenset(_origin(url) for url in urls)

    def check(self, url: str) -> None:
        """Raise ``ConfigError`` unless ``url`` may be asked for, as far as it says itself."""
        host, port = _origin(url)
        if (host, port) in self._named:
            return
        if urlsplit(url).scheme != "https" or port != HTTPS:
            raise _refused(host, "only https on port 443 is")
        if (literal := _address(host)) and not is_public(literal):
            raise _refused(host, "it is no public address")

    def addresses(self, host: str, port: int) -> Sequence[str]:
        """The addresses of a host, to be connected to as they are; raises ``OSError`` where its name is unknown.

        ``ConfigError`` where the settings do not name it and one of its addresses is not public.
        """
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
        named = (host.rstrip(".").lower(), port) in self._named
        if not named and not all(is_public(address) for address in addresses):
            raise _refused(host, "its name leads to an address that is not public")
        return addresses


def is_public(address: str) -> bool:
    """Whether an IP address is on the public internet, and what it stands for is too.

    >>> [is_public(one) for one in ("93.184.215.14", "10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "::1")]
    [True, False, False, False, False]
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo or (None, None))[1]
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast


def _origin(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return (parts.hostname or "").rstrip("."), parts.port or _PORTS.get(parts.scheme, 0)


def _address(host: str) -> str | None:
    try:
        return str(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        return None


def _refused(host: str, why: str) -> ConfigError:
    return ConfigError(f"{host} is not asked: the settings do not name it, and {why}.")
