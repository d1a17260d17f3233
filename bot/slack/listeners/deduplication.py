"""Give a repeated request one effect and the same answer. Slack repeats a request that it got no answer to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")

REMEMBERED = 1_000
"""Answers that are kept. Slack repeats a request within minutes, and nobody sends a thousand requests in that time."""

PATIENCE = 3
"""Seconds that a repeated request waits for the first one's answer. Slack waits no longer either."""


class Deduplication(Generic[T]):
    """The answers to the newest requests, by Slack's id of each request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[str, Future[T]] = {}

    def __call__(self, request_id: str, answer: Callable[[], T]) -> T:
        """Return ``answer()``, or what it returned or raised for this request before; without an id, ask anew."""
        if not request_id:
            return answer()
        with self._lock:
            earlier = self._answers.get(request_id)
            if earlier is None:
                future = self._answers[request_id] = Future()
                while len(self._answers) > REMEMBERED:
                    del self._answers[next(iter(self._answers))]
        if earlier is not None:
            return earlier.result(timeout=PATIENCE)
        try:
            result = answer()
        except BaseException as error:
            future.set_exception(error)
            raise
        future.set_result(result)
        return result
