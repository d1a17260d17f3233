"""The circuit breaker: a platform that does not answer gets no calls for a while."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta

import pytest

from bot.errors import ConfigError, Unreachable
from bot.http.circuit_breaker import FAILURES_IN_A_ROW, FIRST_WAIT, LONGEST_WAIT
from bot.http.client import Http, Limits
from tests.labs.standins.clock import HandClock
from tests.labs.standins.rude import Caller, rude_server

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
DOWN = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}"
WAIT = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 2\r\n\r\n{}"
AWAY = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"


class Platform:
    """A server that sends ``answer`` and counts the calls. It hangs up if ``answer`` is empty."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.calls = 0

    def __call__(self, caller: Caller) -> None:
        while caller.request:
            self.calls += 1
            if not self.answer:
                return
            caller.send(self.answer)
            caller.request = caller.next_request()


@contextmanager
def asking(platform: Platform, clock: HandClock) -> Iterator[Http]:
    with rude_server(platform) as url, closing(Http({}, url, clock=clock)) as http:
        yield http


def fails(http: Http) -> str:
    """Return the sentence of a call that fails, or "" if the platform answered, even with an error."""
    try:
        http.ask("GET", "/")
    except Unreachable as error:
        return str(error)
    return ""


@pytest.mark.parametrize("answer", [b"", DOWN], ids=["hangs up", "500s"])
def test_after_five_failures_it_is_left_alone_and_says_until_when(clock: HandClock, answer: bytes) -> None:
    platform = Platform(answer)
    with asking(platform, clock) as http:
        for _ in range(FAILURES_IN_A_ROW):
            fails(http)
        sentence = fails(http)
    assert platform.calls == FAILURES_IN_A_ROW
    assert sentence.endswith("has not answered since 02 November, 09:00 UTC; it is asked again at 09:01 UTC.")


def test_it_is_asked_again_by_one_call_whose_answer_ends_it(clock: HandClock) -> None:
    platform = Platform(b"")
    with asking(platform, clock) as http:
        for _ in range(FAILURES_IN_A_ROW):
            fails(http)
        platform.answer = OK
        clock.move(FIRST_WAIT)
        assert fails(http) == ""
        assert fails(http) == ""
    assert platform.calls == FAILURES_IN_A_ROW + 2


def test_while_one_call_tries_the_others_wait(clock: HandClock) -> None:
    asked, go_on = threading.Event(), threading.Event()
    platform = Platform(b"")

    def talk(caller: Caller) -> None:
        if platform.calls >= FAILURES_IN_A_ROW:
            asked.set()
            go_on.wait()
        platform(caller)

    with rude_server(talk) as url, closing(Http({}, url, clock=clock)) as http, ThreadPoolExecutor(1) as pool:
        for _ in range(FAILURES_IN_A_ROW):
            fails(http)
        clock.move(FIRST_WAIT)
        first = pool.submit(fails, http)
        asked.wait()
        assert "it is asked again" in fails(http)
        go_on.set()
        first.result()
    assert platform.calls == FAILURES_IN_A_ROW + 1


def test_the_wait_doubles_up_to_a_quarter_of_an_hour(clock: HandClock) -> None:
    platform = Platform(b"")
    with asking(platform, clock) as http:
        for _ in range(FAILURES_IN_A_ROW):
            fails(http)
        waits = []
        for _ in range(6):
            before, waited = platform.calls, timedelta(0)
            while platform.calls == before:
                clock.move(timedelta(minutes=1))
                waited += timedelta(minutes=1)
                fails(http)
            waits.append(waited)
    assert waits == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 15, 15)]
    assert max(waits) == LONGEST_WAIT


@pytest.mark.parametrize("answer", [OK, WAIT, AWAY, b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"])
def test_whatever_is_an_answer_starts_the_count_anew(clock: HandClock, answer: bytes) -> None:
    platform = Platform(b"")
    with asking(platform, clock) as http:
        for _ in range(3):
            platform.answer = b""
            for _ in range(FAILURES_IN_A_ROW - 1):
                fails(http)
            platform.answer = answer
            try:
                http.ask("GET", "/")
            except Exception as error:  # noqa: BLE001 (which one is another test's)
                assert not isinstance(error, Unreachable)
    assert platform.calls == 3 * FAILURES_IN_A_ROW


def test_it_is_told_once_that_it_began_and_once_that_it_is_over(
    clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="bot.http.circuit_breaker")
    platform = Platform(b"")
    with asking(platform, clock) as http:
        for _ in range(FAILURES_IN_A_ROW + 3):
            fails(http)
        for _ in range(3):
            clock.move(LONGEST_WAIT)
            fails(http)
        platform.answer = OK
        clock.move(LONGEST_WAIT)
        fails(http)
        fails(http)
    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert told == [
        ("WARNING", "127.0.0.1 did not answer 5 calls in a row; it is asked again in 60 seconds"),
        ("INFO", "127.0.0.1 answers again, after 60 minutes"),
    ]


def test_one_platforms_silence_does_not_keep_another_from_being_asked(clock: HandClock) -> None:
    silent, fine = Platform(b""), Platform(OK)
    with asking(silent, clock) as one, asking(fine, clock) as other:
        for _ in range(FAILURES_IN_A_ROW + 1):
            fails(one)
            assert fails(other) == ""


def test_closing_ends_the_calls_under_way() -> None:
    asked = threading.Event()

    def talk(caller: Caller) -> None:
        asked.set()
        caller.drip()

    with rude_server(talk) as url, ThreadPoolExecutor(1) as pool:
        http = Http({}, url, Limits(answer=3600))
        under_way = pool.submit(fails, http)
        asked.wait()
        http.close()
        assert "broke off" in under_way.result(timeout=60)
        with pytest.raises(Unreachable):
            http.ask("GET", "/")


def test_a_host_that_is_refused_is_no_silence(clock: HandClock) -> None:
    with asking(Platform(OK), clock) as http:
        for _ in range(FAILURES_IN_A_ROW + 1):
            with pytest.raises(ConfigError):
                http.ask("GET", "0@10.0.0.1/")
        assert fails(http) == ""
