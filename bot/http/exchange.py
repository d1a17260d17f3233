"""One request and its answer, as they went over the wire: what evidence is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What a platform was asked and the bytes that came, once HTTP's own compression was undone.

    ``form`` is the request's body as it was sent, but for the credentials at its end. ``headers`` are the answer's,
    looked up without regard to case. ``credentials`` are those that were sent with it, so that no answer
    that repeats one is kept.
    """

    method: str
    url: str
    params: tuple[tuple[str, str], ...]
    form: str | None
    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    credentials: tuple[str, ...] = field(default=(), repr=False)


def unrecorded(exchange: Exchange) -> None:
    """For who keeps no evidence: tests, and a replay of what is evidence already."""
