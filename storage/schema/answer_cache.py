"""What was found in the database, told again as long as nothing has been committed since."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

Found: TypeAlias = OrderedDict[Hashable, object]

_MOST = 200
"""Answers kept of one state: a newsroom asks about no more pages between two polls, and they are forgotten at once."""


class AnswerCache:
    """What was found in the newest state of the database, by any thread. One writer at a time commits."""

    def __init__(self) -> None:
        self._commits = 0
        self._found: tuple[int, Found] = (0, OrderedDict())

    @contextmanager
    def committing(self) -> Iterator[None]:
        """Within it, nobody can say whether what they read is of before or after."""
        self._commits += 1
        try:
            yield
        finally:
            self._commits += 1

    def state(self) -> int | None:
        """A number of the state that is read now; None while another is being committed.

        If it was the same before a snapshot was taken and after, the snapshot is of that state.
        """
        commits = self._commits
        return None if commits % 2 else commits

    def found_in(self, state: int | None) -> Found:
        """What was found in this state, to be added to; what is found in none, or in one gone by, is not kept."""
        newest, found = self._found
        if state == newest:
            return found
        fresh: Found = OrderedDict()
        if state is not None and state > newest:
            self._found = (state, fresh)
        return fresh


def keep(found: Found, key: Hashable, answer: object) -> None:
    """Add an answer; where there are too many, the first gives way."""
    if len(found) >= _MOST:
        found.popitem(last=False)
    found[key] = answer
