"""The log holds what happened, and no secret."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from bot import logs

SECRET = 'EAAB"token/with+odd&signs'
log = logging.getLogger("bot.somewhere")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def fail() -> None:
    raise ValueError(f"the platform said {SECRET}")


def test_each_line_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    logs.start("INFO", in_json=True)
    log.info("Read %d pages\nin two lines", 3)
    try:
        fail()
    except ValueError:
        log.exception("It stumbled over ខ្មែរ")
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert (first["level"], first["logger"], first["message"]) == (
        "INFO",
        "bot.somewhere",
        "Read 3 pages\nin two lines",
    )
    assert datetime.fromisoformat(first["at"]).tzinfo == UTC
    assert "exception" not in first
    assert second["message"] == "It stumbled over ខ្មែរ"
    assert second["exception"].startswith("Traceback")


@pytest.mark.parametrize("in_json", [True, False])
def test_no_secret_is_in_a_line_or_an_exception(capsys: pytest.CaptureFixture[str], in_json: bool) -> None:
    logs.start("INFO", in_json=in_json, secrets=[SECRET])
    log.warning("plain %s", SECRET)
    log.warning("in an address: https://x.example/?a=EAAB%22token%2Fwith%2Bodd%26signs&b=1")
    try:
        fail()
    except ValueError:
        log.exception("stumbled")
    said = capsys.readouterr().err
    assert "token" not in said
    assert said.count("[redacted]") >= 3
    assert "b=1" in said


@pytest.mark.parametrize(
    "line",
    [
        "xoxb-123-456-abcDEF",
        "xapp-1-A1-2-abcdef",
        "https://hooks.slack.com/commands/T1/2/abc",
        "GET /me?access_token=EAABsecret&fields=id",
    ],
)
def test_tokens_are_known_by_their_shape_too(capsys: pytest.CaptureFixture[str], line: str) -> None:
    logs.start("INFO")
    log.warning("it said %s.", line)
    said = capsys.readouterr().err
    assert "[redacted]" in said
    assert not [part for part in ("abcDEF", "abcdef", "/abc", "EAABsecret") if part in said]


def test_a_short_setting_takes_no_words_out_of_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    logs.start("INFO", secrets=["", "TOKEN"])
    log.warning("FACEBOOK_ACCESS_TOKEN is not set")
    assert "FACEBOOK_ACCESS_TOKEN is not set" in capsys.readouterr().err
