"""What strangers can send us, and what must hold of it: no error but those that are declared, and no secret told.

Each target takes any bytes; atheris and Hypothesis both throw at them what they like.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from bot.errors import LikewatchError
from bot.http.client import Http
from bot.imports.read import read_import
from bot.imports.values import DateOrder, ImportRefused
from bot.platforms import bluesky
from bot.platforms.contract import Fetched, Platform, Reference
from bot.platforms.discovery import parse_reference, platforms
from bot.platforms.facebook import platform as facebook
from handlers.model import Account

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
TOKEN, SECRET = "EAAB-token-nobody-may-see", "app-secret-nobody-may-see"
STATUSES = (200, 200, 200, 200, 200, 400, 401, 403, 404, 429, 500, 302)
_LIMIT = 2**63
_ITEM = b"\x1e"  # ASCII's record separator: between the items of a batch


class Replay(Http):
    """The platforms' session, whose wire gives this answer to whatever is asked."""

    def __init__(self, platform: Platform, status: int, headers: Mapping[str, str], body: bytes) -> None:
        values = {"FACEBOOK_ACCESS_TOKEN": TOKEN, "FACEBOOK_APP_SECRET": SECRET}
        super().__init__(values, platform.base_url(values))
        self._answer = status, headers, body

    def _exchange(
        self,
        method: str,  # noqa: ARG002 (the signature of what it stands for)
        path: str,  # noqa: ARG002
        params: Sequence[tuple[str, str]],  # noqa: ARG002
        body: str | bytes | None,  # noqa: ARG002
        content_type: str = "",  # noqa: ARG002
    ) -> tuple[int, Mapping[str, str], bytes]:
        return self._answer


def references(data: bytes) -> None:
    """What people paste after /trends track."""
    text = data.decode(errors="replace")
    try:
        found = parse_reference(text, platforms())
    except LikewatchError as error:
        assert str(error)
        return
    assert found.key
    assert found.platform in {platform.name for platform in platforms()}


def replies(data: bytes) -> None:
    """A platform's answer, of any status, with these bytes as its body or as the bodies of a batch's items."""
    head, body = data[:3], data[3:]
    choice, status, usage = (*head, 0, 0, 0)[:3]
    headers = {"X-App-Usage": json.dumps({"call_count": usage}), "Retry-After": str(usage)}
    if choice % 2:
        _ask(bluesky.PLATFORM, STATUSES[status % len(STATUSES)], headers, body, 2)
    elif choice % 4:
        _ask(facebook.PLATFORM, STATUSES[status % len(STATUSES)], headers, body, 2)
    else:
        items = [{"code": 200, "body": item.decode(errors="replace")} for item in body.split(_ITEM)][:50]
        _ask(facebook.PLATFORM, 200, headers, json.dumps(items).encode(), len(items))


def usage_headers(data: bytes) -> None:
    """Headers of a platform's answer, as they come over the wire: Latin-1."""
    text = data.decode("latin-1")
    headers = dict.fromkeys(("X-App-Usage", "X-Business-Use-Case-Usage", "Retry-After", "RateLimit-Reset"), text)
    for platform in platforms():
        for status in set(STATUSES):
            _ask(platform, status, headers, b"[null]", 1)


def imports(data: bytes) -> None:
    """A file to import: its bytes decide nothing beyond what is said of it."""
    options: tuple[tuple[str | None, DateOrder | None], ...] = ((None, None), ("hunsen", DateOrder.DMY))
    for page, dates in options:
        try:
            read = read_import(data, name="figures.csv", now=NOW, page=page, dates=dates)
        except ImportRefused as error:
            assert str(error)
            continue
        assert read.summary()
        assert all(
            0 <= reading.count < _LIMIT and reading.low <= reading.count <= reading.high for reading in read.readings
        )
        assert all(reading.observed_at <= NOW for reading in read.readings)


TARGETS: Mapping[str, Callable[[bytes], None]] = MappingProxyType(
    {target.__name__: target for target in (references, replies, usage_headers, imports)}
)

SEEDS: Mapping[str, Sequence[bytes]] = MappingProxyType(
    {
        "references": (
            b"<https://m.facebook.com/hunsen?ref=1|the page>",
            b"https://www.facebook.com/profile.php?id=61550000000000",
            b"facebook.com/pages/Name/123",
            b"@bsky.app",
            b"at://did:plc:z72i7hdynmk6r22z27h6tvur/app.bsky.actor.profile/self",
            b"@user@mastodon.social",
            "facebook.com/សម្តេច\u202e".encode(),
            b"http://[::1]:80/hunsen",
            b"https://facebook.com:99999999/x",
        ),
        "replies": (
            b"\x00\x00\x05"
            b'{"id":"1","fan_count":5,"followers_count":6,"username":"a"}' + _ITEM + b'{"error":{"code":190}}',
            b"\x02\x00\x00" + b'[{"code":200,"body":"{\\"id\\":\\"1\\",\\"followers_count\\":7}"},null]',
            b"\x02\x05\x00" + b'{"error":{"message":"m","type":"OAuthException","code":4,"error_subcode":33}}',
            b"\x01\x00\x00" + b'{"profiles":[{"did":"did:plc:a","handle":"a.b","followersCount":3}]}',
            b"\x01\x05\x00" + b'{"error":"InvalidRequest","message":"Profile not found"}',
            b"\x02\x00\x00" + b"<html>Log in</html>",
            b"\x00\x00\x00" + b'{"id":"1","followers_count":1e400}' + _ITEM + b'{"id":"1","followers_count":NaN}',
        ),
        "usage_headers": (
            b'{"call_count":28,"total_time":25,"total_cputime":25}',
            b'{"BIZ":[{"type":"pages","call_count":97,"estimated_time_to_regain_access":19}]}',
            b"1764000000",
            b"Wed, 21 Oct 2026 07:28:00 GMT",
        ),
        "imports": (
            b"date,page,likes\n2016-02-02,hunsen,2108800\n",
            b"date;page;country;share\n02.03.2016;hunsen;KH;43,2%\n",
            '\ufeffsep=,\n"Date","Primary"\n"2025-08-01T00:00:00","20"\n'.encode("utf-16"),
            b"page\tdate\tlikes\nhunsen\t3 Feb 201888888888\t3\n",
            b"page\tdate\tlikes\nhunsen\t2 Feb 2016\t3.2M\n",
            "date,page,likes\n2016-02-02,ហ៊ុន,២១០\n".encode(),
        ),
    }
)


def _ask(platform: Platform, status: int, headers: Mapping[str, str], body: bytes, number: int) -> None:
    http = Replay(platform, status, headers, body)
    accounts = [_account(platform, n) for n in range(number)]
    try:
        fetched = platform.fetch(http, accounts, NOW)
        _check(fetched, accounts)
        try:
            profile = platform.resolve(http, Reference(platform=platform.name, key="hunsen"), NOW)
        except LikewatchError as error:
            _tells_no_secret(str(error))
        else:
            assert 0 < profile.count < _LIMIT
            profile.name.encode()
    finally:
        http.close()


def _check(fetched: Fetched, accounts: Sequence[Account]) -> None:
    told = sorted([*(one.page for one in fetched.readings), *(one.page for one in fetched.failures)])
    assert told == sorted(account.page for account in accounts), "every account is in exactly one of the two"
    for reading in fetched.readings:
        assert type(reading.count) is int
        assert 0 < reading.count < _LIMIT
    for text in _texts(fetched):
        _tells_no_secret(text)
        text.encode()
    assert fetched.rate_limit is None or fetched.rate_limit.until <= NOW + timedelta(days=2)


def _texts(fetched: Fetched) -> Iterator[str]:
    for failure in fetched.failures:
        assert failure.message
        yield from (failure.message, failure.moved_to)
    if fetched.rate_limit:
        yield fetched.rate_limit.message
    yield from (fetched.handles or {}).values()


def _tells_no_secret(text: str) -> None:
    assert TOKEN not in text
    assert SECRET not in text


def _account(platform: Platform, n: int) -> Account:
    return Account(
        page=f"page{n}",
        platform=platform.name,
        native_id="1" if platform is facebook.PLATFORM else "did:plc:a",
        handle="hunsen",
        url="https://www.facebook.com/hunsen",
        poll_every=timedelta(minutes=15),
    )
