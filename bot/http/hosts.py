"""The hosts that the HTTP client may connect to: the platform's address in the settings, its proxy, and public hosts.

An answer or a person may name another host, such as the home of an account. Such a host is asked over https on port 443
only, and only if all its IP addresses are public. The connection then goes to an address that was checked, so that a
second look-up of the name cannot lead elsewhere. Addresses of this machine's network, or of the cloud's own services,
are never asked.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from bot.errors import ConfigError

HTTPS = 443
_PORTS = {"https": HTTPS, "http": 80}

# IPv6 addresses that stand for an IPv4 address: https://www.rfc-editor.org/rfc/rfc6052 (NAT64)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Hosts:
    """The hosts that the settings name, and the rule for all other hosts."""

    def __init__(self, urls: Iterable[str]) -> None:
        self._named = frozenset(_origin(url) for url in urls)

    def check(self, url: str) -> None:
        """Raise ``ConfigError`` if ``url`` itself shows that it must not be asked."""
        host, port = _origin(url)
        if (host, port) in self._named:
            return
        if urlsplit(url).scheme != "https" or port != HTTPS:
            raise _refused(host, "only https on port 443 is")
        if (literal := _address(host)) and not is_public(literal):
            raise _refused(host, "it is no public address")

    def addresses(self, host: str, port: int) -> Sequence[str]:
        """Return the IP addresses of a host, for connections to exactly these.

        Raise ``OSError`` if the name is unknown, and ``ConfigError`` if the settings do not name the host and one
        of its addresses is not public.
        """
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
        named = (host.rstrip(".").lower(), port) in self._named
        if not named and not all(is_public(address) for address in addresses):
            raise _refused(host, "its name leads to an address that is not public")
        return addresses


def is_public(address: str) -> bool:
    """Return whether an IP address is public. An IPv6 address that stands for an IPv4 address counts as the latter.

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
