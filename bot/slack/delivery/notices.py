"""Lines that are owed: to single persons in direct messages, and to channels that could not be told at once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from slack_sdk.web import WebClient

from bot.clock import Clock
from bot.slack.client import CALL_ERRORS, ErrorKind, failure_of
from storage.store import Store
from storage.values import Notice

log = logging.getLogger(__name__)

DOUBT = "(I may have told you this already: Slack did not say whether it took it.)"

LONGEST = 300
"""Seconds between two attempts, at most."""


class NoticeSender:
    """Tells one at a time. We may not read direct messages, so what may have been told says so.

    ``refuse`` is called with the error once Slack does not know our token any more.
    """

    def __init__(
        self, *, client: WebClient, store: Store, clock: Clock, refuse: Callable[[BaseException], None]
    ) -> None:
        self._client = client
        self._store = store
        self._clock = clock
        self._refuse = refuse

    def tell(self, telling: Notice) -> None:
        """Say it; to a person, after opening the conversation."""
        text = f"{telling.text} {DOUBT}" if telling.doubtful else telling.text
        begun = False
        try:
            channel_id = self._channel_of(telling.recipient)
            self._store.notices.begin_attempt(telling.id)
            begun = True
            self._client.chat_postMessage(channel=channel_id, text=text, unfurl_links=False, unfurl_media=False)
        except CALL_ERRORS as error:
            self._failed(telling, error, begun=begun)
            return
        self._store.notices.mark_sent(telling.id)

    def _channel_of(self, recipient: str) -> str:
        if not recipient.startswith(("U", "W")):
            return recipient
        return str(self._client.conversations_open(users=recipient)["channel"]["id"])

    def _failed(self, telling: Notice, error: BaseException, *, begun: bool) -> None:
        failure, now = failure_of(error), self._clock.now()
        if failure.fault is ErrorKind.TOKEN:
            self._refuse(error)
        backoff = timedelta(seconds=min(LONGEST, 2 ** min(telling.attempts + 1, 16)))
        match failure.fault:
            case ErrorKind.THROTTLED | ErrorKind.UNSENT | ErrorKind.TOKEN:
                wait = max(failure.wait, backoff)
                self._store.notices.retry(
                    telling.id, not_before=now + wait, doubtful=telling.doubtful, why=failure.code
                )
            case ErrorKind.AMBIGUOUS:
                doubtful = telling.doubtful or begun
                self._store.notices.retry(telling.id, not_before=now + backoff, doubtful=doubtful, why=failure.code)
            case ErrorKind.PERMISSION | ErrorKind.CHANNEL | ErrorKind.REFUSED:
                self._store.notices.fail(telling.id, failure.code)
                log.warning("%s could not be told: %s", telling.recipient, failure.code)
