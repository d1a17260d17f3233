"""Slack's pace: about one message a second in a channel, with short bursts; and for some apps, slow reading.

https://docs.slack.dev/apis/web-api/rate-limits. The burst's size is not published; ours is small, to be strict.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from bot.workspace.model import Refused

PER_SECOND = 1.0
BURST = 5.0


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Pace:
    """One bucket of posts for each channel."""

    def __init__(self) -> None:
        self._buckets: dict[str, _Bucket] = {}

    def spend(self, channel_id: str, now: float) -> None:
        """One post at ``now`` (monotonic seconds); raises ``Refused`` 429 where the channel's bucket is empty."""
        bucket = self._buckets.setdefault(channel_id, _Bucket(BURST, now))
        bucket.tokens = min(BURST, bucket.tokens + (now - bucket.at) * PER_SECOND)
        bucket.at = now
        if bucket.tokens < 1:
            wait = math.ceil((1 - bucket.tokens) / PER_SECOND)
            raise Refused("ratelimited", status=429, retry_after=wait)
        bucket.tokens -= 1


SLOW_PAGE = 15
SLOW_EVERY = 60.0


class SlowReading:
    """One call of each method a minute, for apps whose ``conversations.history`` is limited."""

    def __init__(self) -> None:
        self._next: dict[str, float] = {}

    def spend(self, method: str, now: float) -> None:
        """One call at ``now`` (monotonic seconds); raises ``Refused`` 429 where the last was less than a minute ago."""
        wait = self._next.get(method, now) - now
        if wait > 0:
            raise Refused("ratelimited", status=429, retry_after=math.ceil(wait))
        self._next[method] = now + SLOW_EVERY
