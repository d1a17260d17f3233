"""Notices: lines that are owed to a person in direct messages, or to a channel that could not be reached at once."""

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

MAY_BE_TWICE = "(You may have got this line already: Slack did not say whether it took it.)"

LONGEST_BACKOFF = 300
"""The longest wait between two attempts, in seconds."""


class NoticeSender:
    """Sends one notice at a time.

    The bot may not read direct messages, so a notice that may have arrived before says so. ``refuse`` is called with
    the error if Slack refuses the token.
    """

    def __init__(
        self, *, client: WebClient, store: Store, clock: Clock, refuse: Callable[[BaseException], None]
    ) -> None:
        self._client = client
        self._store = store
        self._clock = clock
        self._refuse = refuse

    def send(self, notice: Notice) -> None:
        """Send a notice. To a person, open the conversation first."""
        text = f"{notice.text} {MAY_BE_TWICE}" if notice.doubtful else notice.text
        started = False
        try:
            channel_id = self._channel_of(notice.recipient)
            self._store.notices.begin_attempt(notice.id)
            started = True
            self._client.chat_postMessage(channel=channel_id, text=text, unfurl_links=False, unfurl_media=False)
        except CALL_ERRORS as error:
            self._failed(notice, error, started=started)
            return
        self._store.notices.mark_sent(notice.id)

    def _channel_of(self, recipient: str) -> str:
        if not recipient.startswith(("U", "W")):
            return recipient
        return str(self._client.conversations_open(users=recipient)["channel"]["id"])

    def _failed(self, notice: Notice, error: BaseException, *, started: bool) -> None:
        failure, now = failure_of(error), self._clock.now()
        if failure.kind is ErrorKind.TOKEN:
            self._refuse(error)
        backoff = timedelta(seconds=min(LONGEST_BACKOFF, 2 ** min(notice.attempts + 1, 16)))
        match failure.kind:
            case ErrorKind.THROTTLED | ErrorKind.UNSENT | ErrorKind.TOKEN:
                wait = max(failure.wait, backoff)
                self._store.notices.retry(notice.id, not_before=now + wait, doubtful=notice.doubtful, why=failure.code)
            case ErrorKind.AMBIGUOUS:
                doubtful = notice.doubtful or started
                self._store.notices.retry(notice.id, not_before=now + backoff, doubtful=doubtful, why=failure.code)
            case ErrorKind.PERMISSION | ErrorKind.CHANNEL | ErrorKind.REFUSED:
                self._store.notices.fail(notice.id, failure.code)
                log.warning("A notice to %s could not be sent: %s", notice.recipient, failure.code)
