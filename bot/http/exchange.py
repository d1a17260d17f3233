"""One request and its answer, as they went over the wire. Evidence is made of exchanges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request and the bytes of its answer, after HTTP's own compression was undone.

    ``form`` is the request's body without the credentials at its end. ``headers`` are those of the answer; look-ups
    ignore case. ``credentials`` are the ones that were sent: no answer that repeats one may be stored.
    """

    method: str
    url: str
    params: tuple[tuple[str, str], ...]
    form: str | None
    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    credentials: tuple[str, ...] = field(default=(), repr=False)


def record_nothing(exchange: Exchange) -> None:
    """Store nothing: for tests, and for a replay of stored evidence."""
