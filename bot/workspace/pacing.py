"""Slack's pace for posts: about one message a second in a channel, with short bursts.

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
