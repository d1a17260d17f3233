"""Every platform obeys its contract, whichever platforms there are."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import AuthRefused, ConfigError, LikewatchError, PayloadChanged, Throttled, UnknownPage, Unreachable
from bot.http.client import Http
from bot.platforms.contract import Fetched, Platform, Reason, Reference
from bot.platforms.discovery import platforms
from handlers.model import Account
from tests.labs.standins.rude import Caller, Talk, rude_server, says

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
SECRET = "secret-nobody-may-see"

every_platform = pytest.mark.parametrize("platform", platforms(), ids=lambda platform: platform.name)


def accounts(platform: Platform) -> list[Account]:
    return [
        Account(
            page=f"page-{n}",
            platform=platform.name,
            native_id=str(1000 + n),
            handle=f"handle-{n}",
            url="",
            poll_every=timedelta(minutes=15),
        )
        for n in range(platform.batch)
    ]


def values(platform: Platform, url: str) -> dict[str, str]:
    """The platform's settings: every address leads to ``url``, every secret is one that may not be seen again."""
    return {one.name: SECRET if one.secret else url for one in platform.settings.declared()}


def fetched(platform: Platform, talk: Talk) -> Fetched:
    with rude_server(talk) as url:
        settings = values(platform, url)
        with closing(Http(settings, platform.base_url(settings))) as http:
            return platform.fetch(http, accounts(platform), NOW)


def reflects(caller: Caller) -> None:
    """Answer with the request itself, token and all, as a JSON text in an error."""
    while caller.request:
        words = caller.request.decode().translate({ord(mark): " " for mark in '"\\\r\n'})
        error = f'{{"error": {{"code": 190, "message": "{words}"}}, "message": "{words}"}}'.encode()
        caller.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n%s" % (len(error), error))
        caller.request = caller.next_request()


def hangs_up(caller: Caller) -> None:
    assert caller.request


TROUBLES = {
    "an empty object": says("200 OK", b"{}"),
    "an empty list": says("200 OK", b"[]"),
    "null": says("200 OK", b"null"),
    "HTML": says("200 OK\r\nContent-Type: text/html", b"<html>"),
    "truncated": says("200 OK", b'{"profiles": [', length=100),
    "an error that quotes the request": reflects,
    "bad request": says("400 Bad Request", b"{}"),
    "throttled": says("429 Too Many Requests", b"{}"),
    "broken": says("500 Internal Server Error", b"<html>"),
    "hung up": hangs_up,
}


def test_there_are_platforms_and_each_has_its_own_name() -> None:
    names = [platform.name for platform in platforms()]
    assert {"bluesky", "facebook"} <= set(names)
    assert len(set(names)) == len(names)
    assert sum(platform.bare_names for platform in platforms()) == 1


@every_platform
def test_it_is_documented(platform: Platform) -> None:
    assert re.fullmatch(r"[a-z]+", platform.name)
    for sentence in (platform.needs, *(setting.help for setting in platform.settings.declared())):
        assert sentence.endswith("."), sentence
        assert len(sentence) > 20
    assert platform.title
    assert platform.accepts
    assert all(setting.name.startswith(f"{platform.name.upper()}_") for setting in platform.settings.declared())


@every_platform
def test_its_address_is_a_setting(platform: Platform) -> None:
    (address,) = [one for one in platform.settings.declared() if not one.secret]
    assert address.name == f"{platform.name.upper()}_API_URL"
    assert platform.base_url({}).startswith(address.default)
    assert address.default.startswith("https://")
    assert platform.base_url({address.name: "http://127.0.0.1:9"}).startswith("http://127.0.0.1:9")


@every_platform
def test_it_says_which_setting_is_missing(platform: Platform) -> None:
    everything = values(platform, "http://127.0.0.1:9")
    assert platform.missing_setting(everything) is None
    missing = platform.missing_setting({})
    assert missing is None or any(setting.name in missing for setting in platform.settings.declared())


@every_platform
@pytest.mark.parametrize(
    "text", ["", " ", "two words", "https://example.org/page", "@a@b.example", "<@U123>", "\x00", "https://["]
)
def test_what_is_not_its_own_is_not_its_reference(platform: Platform, text: str) -> None:
    assert platform.parse_reference(text) is None


@every_platform
def test_it_reads_what_it_says_it_accepts(platform: Platform) -> None:
    example = platform.accepts.split(",")[0]
    reference = platform.parse_reference(example)
    assert reference
    assert reference.platform == platform.name


@every_platform
@pytest.mark.parametrize("trouble", TROUBLES)
def test_each_account_is_told_of_exactly_once_and_no_secret_is(platform: Platform, trouble: str) -> None:
    outcome = fetched(platform, TROUBLES[trouble])
    assert outcome.readings == ()
    assert sorted(failure.page for failure in outcome.failures) == sorted(
        account.page for account in accounts(platform)
    )
    assert all(isinstance(failure.reason, Reason) and failure.message.endswith(".") for failure in outcome.failures)
    assert SECRET not in repr(outcome)


@every_platform
@pytest.mark.parametrize("trouble", TROUBLES)
def test_resolving_raises_what_its_contract_names_and_no_secret(platform: Platform, trouble: str) -> None:
    with rude_server(TROUBLES[trouble]) as url:
        settings = values(platform, url)
        with closing(Http(settings, platform.base_url(settings))) as http, pytest.raises(LikewatchError) as raised:
            platform.resolve(http, Reference(platform=platform.name, key="somebody"), NOW)
        assert SECRET not in f"{raised.value!r}{http!r}"
    assert isinstance(raised.value, UnknownPage | AuthRefused | ConfigError | Throttled | Unreachable | PayloadChanged)


@every_platform
def test_a_whole_batch_is_one_request_without_a_secret_in_its_address(platform: Platform) -> None:
    asked: list[bytes] = []

    def talk(caller: Caller) -> None:
        asked.append(caller.request)
        says("500 Internal Server Error", b"{}")(caller)

    fetched(platform, talk)
    assert len(asked) == 1
    assert SECRET.encode() not in asked[0].split(b"\r\n")[0]
    assert b"User-Agent: Likewatch" in asked[0]
