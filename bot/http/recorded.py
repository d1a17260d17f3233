"""A session that asks nobody: it gives recorded answers, so that a platform reads today what it was told then."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence

from bot.errors import Unreachable
from bot.http.client import Http, HttpAnswer
from bot.http.exchange import Exchange

_Request = tuple[str, tuple[tuple[str, str], ...], str | None]


class RecordedHttp(Http):
    """Answers each request with what was recorded of this very request; the same ones in the order of their answers.

    Not every call is recorded: some got no answer, or none that was read. They get none here either (``Unreachable``).
    """

    def __init__(self, base_url: str, answers: Iterable[Exchange]) -> None:
        super().__init__({}, base_url)
        self._answers: defaultdict[_Request, deque[Exchange]] = defaultdict(deque)
        for answer in answers:
            self._answers[answer.method, answer.params, answer.form].append(answer)

    def ask(
        self,
        method: str,
        path: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        form: str | None = None,
        credentials: str = "",  # noqa: ARG002 (never recorded)
    ) -> HttpAnswer:
        """The recorded answer to this request. Raises ``Unreachable`` where there is none, else as ``Http.ask``."""
        answers = self._answers[method, tuple(params), form]
        if not answers:
            raise Unreachable(f"No answer was recorded for {method} {path}.")
        answer = answers.popleft()
        return self._understood(answer.status, answer.headers, answer.content)
