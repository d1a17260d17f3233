"""The HTTP client of every platform: one deadline, one largest size, no redirects, and no secrets in errors."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from types import MappingProxyType
from urllib.parse import parse_qsl, urlsplit

import orjson
import requests
from urllib3 import HTTPResponse
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as TransportTimeout

from bot.clock import Clock, SystemClock
from bot.errors import ConfigError, LikewatchError, PayloadChanged, Throttled, Unreachable
from bot.http.circuit_breaker import CircuitBreaker
from bot.http.exchange import Exchange, record_nothing
from bot.http.hosts import Hosts
from bot.http.transport import BoundedAdapter

_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one call.

    ``connect`` is the time to connect, ``answer`` the time from then to the last byte of the answer, both in seconds.
    ``size`` is the answer's largest size in bytes, after decompression. ``calls`` is how many connections stay open.
    """

    connect: float = 5.0
    answer: float = 30.0
    size: int = 8 * 1024 * 1024
    calls: int = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """A platform's answer in JSON, of any status. Look-ups in ``headers`` ignore case."""

    status: int
    headers: Mapping[str, str]
    body: object


class Http:
    """Ask one platform. Threads may share a client.

    ``values`` are the texts of the platforms' settings, tokens included. A token belongs in the form, never in ``path``
    or ``params``, which proxies and logs write down. Proxies and certificates come from the environment
    (``HTTPS_PROXY``, ``REQUESTS_CA_BUNDLE``), which is read once. An address on this machine is asked without a proxy.
    ``record`` gets every answer as it came, before it is parsed.
    """

    def __init__(
        self,
        values: Mapping[str, str],
        base_url: str,
        limits: Limits | None = None,
        clock: Clock | None = None,
        *,
        record: Callable[[Exchange], None] = record_nothing,
    ) -> None:
        self.values = MappingProxyType(dict(values))
        self.base_url = base_url.rstrip("/")
        self.host = urlsplit(base_url).hostname or "the platform"
        self._limits = limits or Limits()
        self._record = record
        self._session = _session(self.base_url, self.host)
        self._adapter = BoundedAdapter(Hosts([_prepared(self.base_url), *self._proxies()]), calls=self._limits.calls)
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, self._adapter)
        self._breaker = CircuitBreaker(self.host, clock or SystemClock())

    def __repr__(self) -> str:
        return f"<Http {self.host}>"

    def ask(
        self,
        method: str,
        path: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        form: str | None = None,
        credentials: str = "",
    ) -> HttpAnswer:
        """Send one request to ``path`` under the base address and return the answer, of any status.

        ``form`` is encoded as ``application/x-www-form-urlencoded``, because a platform can do that cheaply.
        ``credentials`` are the last fields of the form, encoded in the same way. They are sent, and never recorded.

        Raise ``Unreachable``, ``Throttled``, ``ConfigError`` (a redirect, a host that must not be asked) or
        ``PayloadChanged`` (not JSON, too large).
        """
        sent = f"{form}&{credentials}" if form and credentials else form
        with self._breaker.call() as call:
            status, headers, content = self._exchange(method, path, params, sent)
            if status >= HTTPStatus.INTERNAL_SERVER_ERROR and "Retry-After" not in headers:
                call.failed = True
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            raise ConfigError(
                f"{self.host} redirected to another address (HTTP {status}), and Likewatch follows no redirect. Check "
                "the address in the settings, and whether a proxy or a login page stands in between."
            )
        if len(content) > self._limits.size:
            raise PayloadChanged(
                f"{self.host} sent more than {self._limits.size:,} bytes for one request; the answer was cut off."
            )
        self._record(
            Exchange(
                method=method,
                url=self.base_url + path,
                params=tuple(params),
                form=form,
                status=status,
                headers=headers,
                content=content,
                credentials=tuple(value for _, value in parse_qsl(credentials)),
            )
        )
        return self._parsed(status, headers, content)

    def _parsed(self, status: int, headers: Mapping[str, str], content: bytes) -> HttpAnswer:
        try:
            return HttpAnswer(status=status, headers=headers, body=parse_json(content))
        except ValueError:
            raise self.refusal(status, headers) from None

    def post(self, body: bytes, content_type: str) -> bytes:
        """Send bytes to the base address and return the bytes of the answer. Raise as ``ask`` does, for any error."""
        status, headers, content = self._exchange("POST", "", (), body, content_type)
        if status != HTTPStatus.OK or len(content) > self._limits.size:
            raise self.refusal(status, headers)
        return content

    def refusal(self, status: int, headers: Mapping[str, str]) -> LikewatchError:
        """Return the error that a status means by itself, for an answer whose body says nothing better."""
        if status == HTTPStatus.TOO_MANY_REQUESTS or (
            status == HTTPStatus.SERVICE_UNAVAILABLE and "Retry-After" in headers
        ):
            wait = _retry_after(headers)
            return Throttled(f"{self.host} asked Likewatch to wait {wait.total_seconds():.0f} seconds.", wait=wait)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return Unreachable(f"{self.host} is in trouble (HTTP {status}); it is asked again at the next poll.")
        kind = headers.get("Content-Type", "").partition(";")[0][:60] or "no content type"
        return PayloadChanged(
            f"{self.host} answered HTTP {status} with {kind}, which Likewatch does not understand. A proxy or "
            "a login page may stand in between, or the platform has changed."
        )

    def close(self) -> None:
        """End the calls under way, and close all connections."""
        self._adapter.cut()
        self._session.close()

    def _proxies(self) -> Iterator[str]:
        for proxy in self._session.proxies.values():
            yield proxy if "://" in proxy else f"http://{proxy}"

    def _exchange(
        self,
        method: str,
        path: str,
        params: Sequence[tuple[str, str]],
        body: str | bytes | None,
        content_type: str = _FORM,
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Send a request and return status, headers and body. Every request of every platform goes through here.

        The errors are in our own words, because the libraries' texts quote addresses, proxies and tokens.
        """
        try:
            with self._session.request(
                method,
                self.base_url + path,
                params=params,
                data=body,
                headers=None if body is None else {"Content-Type": content_type},
                timeout=(self._limits.connect, self._limits.answer),
                allow_redirects=False,
                stream=True,
            ) as response:
                return response.status_code, response.headers, _read(response.raw, self._limits.size)
        except (requests.Timeout, TransportTimeout):
            raise Unreachable(f"{self.host} did not answer within {self._limits.answer:g} seconds.") from None
        except requests.exceptions.ProxyError:
            raise Unreachable(f"{self.host} was not reached: the proxy (HTTPS_PROXY) refused the connection.") from None
        except requests.exceptions.SSLError:
            raise Unreachable(
                f"{self.host} was not reached: no secure connection was possible. If this lasts, check this "
                "machine's clock and its certificates (REQUESTS_CA_BUNDLE)."
            ) from None
        except (requests.RequestException, HTTPError):
            raise Unreachable(f"{self.host} was not reached, or the connection broke off.") from None


def _read(raw: HTTPResponse, most: int) -> bytes:
    """Return the answer's body, cut off when it is longer than ``most`` bytes after decompression.

    It is read in pieces, because urllib3 would hold three unpacked copies of a compression bomb.
    """
    body = bytearray()
    while len(body) <= most and (piece := raw.read(_PIECE, decode_content=True)):
        body += piece
    return bytes(body)


def parse_json(text: str | bytes) -> object:
    """Return the value of a JSON text.

    Raise ``ValueError`` for everything that RFC 8259 does not allow, such as NaN and Infinity. Also raise it for
    numbers out of range, deep nesting, and lone surrogates (halves of characters), which no store accepts.
    """
    value: object = orjson.loads(text)
    return value


_PIECE = 65_536


def _prepared(url: str) -> str:
    """Return the address as the session will write it: the host in ASCII (IDNA)."""
    try:
        return requests.Request("GET", url).prepare().url or url
    except requests.RequestException:
        return url  # the first request will name the fault


def _session(base_url: str, host: str) -> requests.Session:
    session = requests.Session()
    environment = session.merge_environment_settings(base_url, {}, stream=True, verify=None, cert=None)
    session.proxies = {} if _is_here(host) else environment["proxies"]
    session.verify = environment["verify"]
    session.trust_env = False  # otherwise a .netrc is read at every call, and may add a password
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))  # threads share the connections, and no cookies
    session.headers["User-Agent"] = "Likewatch"
    return session


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _retry_after(headers: Mapping[str, str]) -> timedelta:
    """Return the wait, at most a day; a minute if the header is missing or is a date."""
    seconds = headers.get("Retry-After", "")
    return timedelta(seconds=min(int(seconds), 86_400) if re.fullmatch(r"[0-9]{1,9}", seconds) else 60)
