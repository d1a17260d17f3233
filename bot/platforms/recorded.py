"""A session that asks nobody: it gives recorded answers, so that a platform reads today what it was told then."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from bot.errors import Unreachable
from bot.platforms.exchange import Exchange
from bot.platforms.http import Http


class RecordedHttp(Http):
    """Answers whatever is asked with the recorded exchanges, in the order in which they came."""

    def __init__(self, base_url: str, answers: Iterable[Exchange]) -> None:
        super().__init__({}, base_url)
        self._answers = deque(answers)

    def _exchange(
        self,
        method: str,
        path: str,
        params: Sequence[tuple[str, str]],  # noqa: ARG002 (what is asked is as it was then)
        body: str | bytes | None,  # noqa: ARG002
        content_type: str = "",  # noqa: ARG002
    ) -> tuple[int, Mapping[str, str], bytes]:
        if not self._answers:
            raise Unreachable(f"Nothing more was recorded for {method} {path}.")
        answer = self._answers.popleft()
        return answer.status, answer.headers, answer.content
