"""No answer of a platform, and no text of a person, leads a request to this machine or its network."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from bot.errors import ConfigError, Unreachable
from bot.http.client import Http
from bot.http.hosts import Hosts, is_public
from tests.labs.standins.rude import Caller, rude_server, says


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",  # the cloud's own services
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 (not listened on)
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ],
)
def test_what_is_not_on_the_public_internet_is_known(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::101:101"])
def test_what_is_on_it_is_known_too(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("elsewhere", "why"),
    [
        ("@169.254.169.254/latest/meta-data/", "only https"),
        ("@127.0.0.1:22/", "only https"),
        ("@localhost/", "only https"),
        ("@social.example:443/", "only https"),  # over http
    ],
)
def test_a_path_that_leads_to_another_host_is_refused(elsewhere: str, why: str) -> None:
    with closing(Http({}, "http://127.0.0.1:9")) as http, pytest.raises(ConfigError, match=why):
        http.ask("GET", elsewhere)


@pytest.mark.parametrize(
    "elsewhere",
    [
        "@127.0.0.1/",
        "@[::1]/",
        "@10.0.0.1/",
        "@localhost/",
        "@2130706433/",  # 127.0.0.1 as one number
        "@127.1/",
        "@social.example:8443/",
    ],
)
def test_over_https_too_and_whatever_the_address_is_written_like(elsewhere: str) -> None:
    with closing(Http({}, "https://127.0.0.1:9")) as http, pytest.raises(ConfigError, match="is not asked"):
        http.ask("GET", elsewhere)


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Resolve names to each of these lists of addresses in turn. Return the names that were resolved."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, *_: object, **__: object) -> list[object]:
        asked.append(host)
        addresses = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_a_name_with_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, ["93.184.215.14", "10.0.0.1"])
    with pytest.raises(ConfigError, match="not public"):
        Hosts([]).addresses("social.example", 443)


def test_the_addresses_that_were_looked_at_are_those_that_are_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolving(monkeypatch, ["93.184.215.14"], ["127.0.0.1"])
    assert Hosts([]).addresses("social.example", 443) == ["93.184.215.14"]
    assert asked == ["social.example"]


def test_a_named_host_is_looked_up_once_and_each_address_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    with rude_server(says("200 OK", b'"here"')) as url:
        port = url.rpartition(":")[2]
        looked_up = socket.getaddrinfo
        asked: list[str] = []

        def getaddrinfo(host: str, *arguments: object, **more: object) -> object:
            asked.append(host)
            if host == "standin.example":
                nobody_here = looked_up("127.0.0.2", int(port), type=socket.SOCK_STREAM)
                return nobody_here + looked_up("127.0.0.1", int(port), type=socket.SOCK_STREAM)
            return looked_up(host, *arguments, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        with closing(Http({}, f"http://standin.example:{port}")) as http:
            assert http.ask("GET", "/").body == "here"
    assert [host for host in asked if not host[0].isdigit()] == ["standin.example"]


def test_the_hosts_name_stays_the_one_that_was_asked_for() -> None:
    requests: list[bytes] = []

    def talk(caller: Caller) -> None:
        requests.append(caller.request)
        says("200 OK", b"{}")(caller)

    with rude_server(talk) as url:
        here = url.replace("127.0.0.1", "localhost")
        with closing(Http({}, here)) as http:
            http.ask("GET", "/")
    assert f"Host: {here.removeprefix('http://')}".encode() in requests[0]


def test_a_host_in_another_script_is_asked_by_its_name_in_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolving(monkeypatch, ["127.0.0.1"])
    with closing(Http({}, "http://bücher.example:9")) as http, pytest.raises(Unreachable):
        http.ask("GET", "/")
    assert asked[0] == "xn--bcher-kva.example"
