"""Slack repeats what it got no answer to: the same request has one effect, and every time the same answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")

REMEMBERED = 1_000
"""Slack repeats within minutes; nobody sends a thousand requests in them."""

PATIENCE = 3
"""Seconds that a repeated request waits for the first one's answer: Slack gives up after as many."""


class Deduplication(Generic[T]):
    """Remembers the answers to the newest thousand requests, by Slack's own id of each."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[str, Future[T]] = {}

    def __call__(self, request: str, answer: Callable[[], T]) -> T:
        """``answer()``, or what it returned (or raised) the first time for this request; "" is never remembered."""
        if not request:
            return answer()
        with self._lock:
            known = self._answers.get(request)
            if known is None:
                mine = self._answers[request] = Future()
                while len(self._answers) > REMEMBERED:
                    del self._answers[next(iter(self._answers))]
        if known is not None:
            return known.result(timeout=PATIENCE)
        try:
            result = answer()
        except BaseException as error:
            mine.set_exception(error)
            raise
        mine.set_result(result)
        return result
