from __future__ import annotations

import gzip
import socket
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta

import pytest

from bot.errors import ConfigError, LikewatchError, PayloadChanged, Throttled, Unreachable
from bot.http.client import Http, Limits, parse_json
from tests.labs.standins.rude import Caller, Talk, rude_server, says

TOKEN = "EAAB-token-nobody-may-see"


@contextmanager
def asking(talk: Talk, limits: Limits | None = None) -> Iterator[Http]:
    with rude_server(talk) as url, closing(Http({"TOKEN": TOKEN}, url, limits)) as http:
        yield http


def drips(before: bytes) -> Talk:
    def talk(caller: Caller) -> None:
        caller.send(before)
        caller.drip()

    return talk


def resets(caller: Caller) -> None:
    caller.send(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a":')
    caller.reset()


def hangs_up(caller: Caller) -> None:
    assert caller.request


def test_it_gives_status_headers_and_json_whatever_the_status() -> None:
    with asking(says("400 Bad Request\r\nX-App-Usage: {}", b'{"error": 1}')) as http:
        answer = http.ask("GET", "/x")
    assert (answer.status, answer.headers["x-app-usage"], answer.body) == (400, "{}", {"error": 1})


@pytest.mark.parametrize(
    ("talk", "error"),
    [
        pytest.param(drips(b""), Unreachable, id="status line dripped"),
        pytest.param(drips(b"HTTP/1.1 200 OK\r\nX-Slow: "), Unreachable, id="headers dripped"),
        pytest.param(drips(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n"), Unreachable, id="body dripped"),
        pytest.param(
            drips(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), Unreachable, id="chunk size dripped"
        ),
        pytest.param(resets, Unreachable, id="reset in the middle"),
        pytest.param(says("200 OK", b'{"a": 1}', length=100), Unreachable, id="hung up early"),
        pytest.param(hangs_up, Unreachable, id="hung up at once"),
        pytest.param(says("200 OK\r\nContent-Encoding: gzip", b"no gzip"), Unreachable, id="broken compression"),
        pytest.param(says("200 OK", b'{"a": '), PayloadChanged, id="truncated JSON"),
        pytest.param(says("200 OK", b'{"a": NaN}'), PayloadChanged, id="NaN"),
        pytest.param(says("200 OK", b'{"a": -Infinity}'), PayloadChanged, id="Infinity"),
        pytest.param(says("200 OK", b"[" * 100_000), PayloadChanged, id="nested too deeply"),
        pytest.param(says("200 OK", b'{"a": ' + b"9" * 5_000 + b"}"), PayloadChanged, id="5,000 digits"),
        pytest.param(says("200 OK", b'{"a": "\xff"}'), PayloadChanged, id="not UTF-8"),
        pytest.param(says("200 OK\r\nContent-Type: text/html", b"<html>Log in</html>"), PayloadChanged, id="HTML"),
        pytest.param(says("403 Forbidden", b"<html>"), PayloadChanged, id="HTML 403"),
        pytest.param(says("502 Bad Gateway", b"<html>"), Unreachable, id="HTML 502"),
        pytest.param(says("302 Found\r\nLocation: http://127.0.0.1:9/", b"{}"), ConfigError, id="redirect"),
    ],
)
def test_it_says_what_went_wrong_without_the_token(talk: Talk, error: type[LikewatchError]) -> None:
    with asking(talk, Limits(answer=0.3)) as http, pytest.raises(error) as raised:
        http.ask("POST", "/", form=f"access_token={TOKEN}")
    assert type(raised.value) is error
    assert str(raised.value).endswith(".")
    assert TOKEN not in f"{raised.getrepr(showlocals=False, style='short')}{raised.value!r}{http!r}"


@pytest.mark.parametrize(
    ("head", "seconds"),
    [
        ("429 Too Many Requests\r\nRetry-After: 30", 30),
        ("503 Service Unavailable\r\nRetry-After: 7", 7),
        ("429 Too Many Requests\r\nRetry-After: 999999999", 86_400),
        ("429 Too Many Requests\r\nRetry-After: Tue, 24 Nov 2026 03:00:00 GMT", 60),
        ("429 Too Many Requests", 60),
    ],
)
def test_it_waits_as_long_as_it_is_told(head: str, seconds: int) -> None:
    with asking(says(head, b"<html>")) as http, pytest.raises(Throttled) as raised:
        http.ask("GET", "/")
    assert raised.value.wait == timedelta(seconds=seconds)


def test_it_cuts_a_gzip_bomb_off_before_it_fills_the_memory() -> None:
    bomb = gzip.compress(b"0" * 200_000_000, compresslevel=9)
    with asking(says("200 OK\r\nContent-Encoding: gzip", bomb), Limits(size=1_000_000)) as http:
        tracemalloc.start()
        with pytest.raises(PayloadChanged, match="1,000,000 bytes"):
            http.ask("GET", "/")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 20_000_000


def test_it_says_so_when_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with closing(Http({}, f"http://127.0.0.1:{port}")) as http, pytest.raises(Unreachable, match="not reached"):
        http.ask("GET", "/")


def test_it_keeps_connections_open_and_shares_them_between_threads() -> None:
    connections: list[Caller] = []

    def talk(caller: Caller) -> None:
        connections.append(caller)
        says("200 OK", b"{}")(caller)

    with asking(talk) as http, ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: http.ask("GET", "/").body, range(400)))
        http.close()
    assert answers == [{}] * 400
    assert len(connections) <= 16


def test_it_names_itself_and_takes_no_cookies() -> None:
    requests: list[bytes] = []

    def talk(caller: Caller) -> None:
        requests.append(caller.request)
        caller.send(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\n{}")
        requests.append(caller.next_request())
        caller.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with asking(talk) as http:
        http.ask("GET", "/")
        http.ask("GET", "/")
    assert b"User-Agent: Likewatch" in requests[0]
    assert b"Cookie" not in requests[1]


@pytest.mark.parametrize(
    ("host", "proxied"), [("platform.invalid", True), ("127.0.0.1:1", False), ("localhost:1", False)]
)
def test_it_goes_through_the_newsrooms_proxy_but_not_to_this_machine(
    monkeypatch: pytest.MonkeyPatch, host: str, proxied: bool
) -> None:
    with rude_server(says("200 OK", b'"through the proxy"')) as proxy:
        for name in ("HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, proxy)
        with closing(Http({}, f"http://{host}")) as http:
            if proxied:
                assert http.ask("GET", "/").body == "through the proxy"
            else:
                with pytest.raises(Unreachable):
                    http.ask("GET", "/")


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "", "{", "[" * 100_000])
def test_it_parses_no_json_that_is_none(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any ValueError is the contract
        parse_json(text)
