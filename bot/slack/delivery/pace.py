"""Pace: how fast messages are posted, and how long to wait after Slack refuses one."""

from __future__ import annotations

from datetime import timedelta

BETWEEN_MESSAGES = timedelta(seconds=1)
"""The wait between two messages in one channel (https://docs.slack.dev/apis/web-api/rate-limits)."""

MOST_TURNS = 8
"""The most channels that are sent to at the same time. Slack takes several hundred messages a minute in a workspace."""

MANY_THROTTLED = 3
"""If so many channels are throttled at once, the limit is the workspace's, and no channel of it is tried."""

LONGEST_BACKOFF = timedelta(minutes=5)


def backoff(attempts: int) -> timedelta:
    """Return the time until the next attempt: 2 to the power of ``attempts`` seconds, at most five minutes."""
    return min(LONGEST_BACKOFF, timedelta(seconds=2 ** min(attempts, 16)))
