"""A transport whose timeouts bound a whole call, that knows whom it may talk to, and that can be cut off.

The timeout of requests starts anew with every byte that arrives: a server that drips one byte a second holds a call of
"one second" for as long as it likes. Here each read is given what is left of the timeout, and so is each address of the
host that is tried. How long the system takes to look up a name is not ours to bound (resolv.conf says it).
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
"""Seconds. A timeout of none would be no timeout."""


class _BoundedReader(io.RawIOBase):
    """Reads a socket until the instant at which the timeout set when the answer began has passed."""

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


class _Lines:
    """The connections open now. Once it is cut, none is opened any more."""

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
                with suppress(OSError):  # ends a read that is waiting, in whichever thread
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)


class _Guarded(HTTPConnection):
    """Connects to the very addresses that the rule of ``hosts`` has seen, all within one timeout."""

    response_class = _BoundedAnswer

    def __init__(self, *args: Any, lines: _Lines, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lines = lines

    def connect(self) -> None:
        super().connect()
        self._lines.add(self.sock)

    def _new_conn(self) -> socket.socket:
        timeout = self.timeout or 0.0
        until = _monotonic() + timeout
        name = self._dns_host
        addresses = list(self._lines.hosts.addresses(name, self.port))
        try:
            while True:
                self._dns_host, self.timeout = addresses.pop(0), max(until - _monotonic(), _MOMENT)
                try:
                    sock = super()._new_conn()
                except HTTPError:
                    if not addresses or _monotonic() >= until:
                        raise
                else:
                    sock.settimeout(max(until - _monotonic(), _MOMENT))  # what is left is for the handshake
                    return sock
        finally:
            self._dns_host, self.timeout = name, timeout


class _Connection(_Guarded):
    pass


class _SecureConnection(_Guarded, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class BoundedAdapter(HTTPAdapter):
    """Carries a session's requests, directly or through a proxy; their timeout bounds the whole answer.

    ``hosts`` says whom it may talk to. What a proxy connects to by a name is the proxy's to look up and to judge.
    """

    def __init__(self, hosts: Hosts, *, calls: int) -> None:
        self._lines = _Lines(hosts)
        super().__init__(pool_maxsize=calls)

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """Send one request, or raise what is wrong with its address."""
        self._lines.hosts.check(request.url or "")
        return super().send(request, *args, **kwargs)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make connections that are bounded and guarded."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools()

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Make connections through a proxy that are bounded and guarded."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = self._pools()
        return manager

    def cut(self) -> None:
        """End the calls under way; each raises, at once, that its connection broke off."""
        self._lines.cut()

    def _pools(self) -> Mapping[str, Any]:
        return {"http": partial(_Pool, lines=self._lines), "https": partial(_SecurePool, lines=self._lines)}
