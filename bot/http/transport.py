"""A transport for requests whose timeout bounds the whole call. It checks hosts, and its calls can be cut off.

The timeout of requests starts anew with every byte that arrives. A server that drips one byte a second can hold a call
with a timeout of one second for as long as it likes. Here each read, and each IP address that is tried, gets only the
time that is left. The look-up of a name is not bounded: its timeout is the system's (resolv.conf).
"""

from __future__ import annotations

import io
import socket
import threading
import weakref
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from http.client import HTTPResponse
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from bot.clock import SystemClock
from bot.http.hosts import Hosts

_monotonic = SystemClock().monotonic

_MOMENT = 0.001
"""Seconds. A timeout of zero would mean no timeout."""


class _BoundedReader(io.RawIOBase):
    """Read a socket until its timeout, counted from the beginning of the answer, has passed."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw = raw
        self._sock = sock
        self._until = _monotonic() + (sock.gettimeout() or 0.0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # typeshed's WriteableBuffer has no name at run time
        left = self._until - _monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _BoundedAnswer(HTTPResponse):
    def __init__(self, sock: socket.socket, debuglevel: int = 0, method: str | None = None) -> None:
        super().__init__(sock, debuglevel, method)
        self.fp = io.BufferedReader(_BoundedReader(self.fp.detach(), sock))


class _OpenConnections:
    """The connections that are open. After ``cut``, no new one opens."""

    def __init__(self, hosts: Hosts) -> None:
        self.hosts = hosts
        self._lock = threading.Lock()
        self._open: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._cut = False

    def add(self, sock: socket.socket) -> None:
        with self._lock:
            if self._cut:
                raise ConnectionAbortedError("the session is closed")
            self._open.add(sock)

    def cut(self) -> None:
        with self._lock:
            self._cut = True
            for sock in self._open:
                with suppress(OSError):  # ends a read that waits in any thread
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)


class _GuardedConnection(HTTPConnection):
    """Connect to the addresses that ``Hosts`` has checked, all within one timeout."""

    response_class = _BoundedAnswer

    def __init__(self, *args: Any, opened: _OpenConnections, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._opened = opened

    def connect(self) -> None:
        super().connect()
        self._opened.add(self.sock)

    def _new_conn(self) -> socket.socket:
        timeout = self.timeout or 0.0
        until = _monotonic() + timeout
        name = self._dns_host
        addresses = list(self._opened.hosts.addresses(name, self.port))
        try:
            while True:
                self._dns_host, self.timeout = addresses.pop(0), max(until - _monotonic(), _MOMENT)
                try:
                    sock = super()._new_conn()
                except HTTPError:
                    if not addresses or _monotonic() >= until:
                        raise
                else:
                    sock.settimeout(max(until - _monotonic(), _MOMENT))  # the rest of the time is for the handshake
                    return sock
        finally:
            self._dns_host, self.timeout = name, timeout


class _SecureConnection(_GuardedConnection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _GuardedConnection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class BoundedAdapter(HTTPAdapter):
    """Carry a session's requests, directly or through a proxy. The timeout bounds the whole answer.

    ``hosts`` decides which hosts may be asked. A proxy looks up names itself, so their addresses are not checked here.
    ``calls`` is how many connections stay open.
    """

    def __init__(self, hosts: Hosts, *, calls: int) -> None:
        self._opened = _OpenConnections(hosts)
        super().__init__(pool_maxsize=calls)

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """Send one request. Raise ``ConfigError`` if its host must not be asked."""
        self._opened.hosts.check(request.url or "")
        return super().send(request, *args, **kwargs)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Open direct connections that are bounded and guarded."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools()

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Open connections through a proxy that are bounded and guarded."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = self._pools()
        return manager

    def cut(self) -> None:
        """End the calls under way. Each raises at once, as if its connection had broken off."""
        self._opened.cut()

    def _pools(self) -> Mapping[str, Any]:
        return {"http": partial(_Pool, opened=self._opened), "https": partial(_SecurePool, opened=self._opened)}
