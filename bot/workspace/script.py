"""Faults on request: what Slack does on its bad days, said in advance by a test, one fault for one call."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """The ways a call goes wrong."""

    THROTTLE = "throttle"  # 429 with Retry-After
    SERVER_ERROR = "server_error"  # HTTP 500
    REFUSE = "refuse"  # {"ok": false, "error": code}
    DROP_BEFORE = "drop_before"  # the connection closes before the call is read
    DROP_AFTER = "drop_after"  # the call is carried out, then the connection closes without an answer
    DELAY = "delay"  # the call is carried out and answered late


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFault:
    """One fault; ``seconds`` is Retry-After or the delay, ``code`` the error code of a refusal."""

    kind: FaultKind
    seconds: float = 0
    code: str = ""


SERVER_ERROR = PlannedFault(kind=FaultKind.SERVER_ERROR)
DROP_BEFORE = PlannedFault(kind=FaultKind.DROP_BEFORE)
DROP_AFTER = PlannedFault(kind=FaultKind.DROP_AFTER)


def throttle(seconds: int) -> PlannedFault:
    """429 ``ratelimited`` with this Retry-After."""
    return PlannedFault(kind=FaultKind.THROTTLE, seconds=seconds)


def refuse(code: str) -> PlannedFault:
    """Slack's own error code, for example ``channel_not_found``."""
    return PlannedFault(kind=FaultKind.REFUSE, code=code)


def delay(seconds: float) -> PlannedFault:
    """The answer comes this much later."""
    return PlannedFault(kind=FaultKind.DELAY, seconds=seconds)


class Script:
    """What the next calls meet. Response URLs are scripted under the method name ``response_url``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: dict[str, deque[PlannedFault]] = defaultdict(deque)
        self._repeats = 0
        self.slow_history = False
        """Histories are read as by an app sold outside Slack's marketplace: 15 messages a call, a call a minute.

        https://docs.slack.dev/changelog/2025/05/29/rate-limit-changes-for-non-marketplace-apps
        """

    def next(self, method: str, *faults: PlannedFault) -> None:
        """The next calls of ``method`` meet these faults, in this order."""
        with self._lock:
            self._faults[method].extend(faults)

    def take(self, method: str) -> PlannedFault | None:
        """The fault that this call meets, if any; it is then used up."""
        with self._lock:
            return self._faults[method].popleft() if self._faults[method] else None

    def repeat_envelopes(self, times: int) -> None:
        """The next envelopes are each sent a second time, as Slack does when it missed the acknowledgement."""
        with self._lock:
            self._repeats += times

    def take_repeat(self) -> bool:
        with self._lock:
            repeat = self._repeats > 0
            self._repeats -= repeat
            return repeat
