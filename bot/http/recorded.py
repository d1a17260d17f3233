"""An HTTP client without a network: it returns recorded answers, so that a platform reads stored evidence again."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence

from bot.errors import Unreachable
from bot.http.client import Http, HttpAnswer
from bot.http.exchange import Exchange

_Request = tuple[str, tuple[tuple[str, str], ...], str | None]


class RecordedHttp(Http):
    """Answer each request with the recorded answer to the same request, in the recorded order.

    A call without a recorded answer raises ``Unreachable``, as it probably did then.
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
        """Return the recorded answer to this request. Raise as ``Http.ask`` does."""
        answers = self._answers[method, tuple(params), form]
        if not answers:
            raise Unreachable(f"No answer was recorded for {method} {path}.")
        answer = answers.popleft()
        return self._parsed(answer.status, answer.headers, answer.content)
