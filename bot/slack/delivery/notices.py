"""Send notices: lines owed to a person or a channel, and sentences for the channel of the operators."""

from __future__ import annotations

import logging
from collections.abc import Callable

from slack_sdk.web import WebClient

from bot.clock import Clock
from bot.slack.client import CALL_ERRORS, ErrorKind, failure_of, post_message
from bot.slack.delivery.pace import backoff
from bot.slack.render.block_kit import escape
from storage.store import Store
from storage.values import Notice

log = logging.getLogger(__name__)

MAY_BE_TWICE = "(You may have got this line already: Slack did not say whether it took it.)"


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
            post_message(self._client, channel=channel_id, text=text)
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
        wait = backoff(notice.attempts + 1)
        match failure.kind:
            case ErrorKind.THROTTLED | ErrorKind.UNSENT | ErrorKind.TOKEN:
                wait = max(failure.wait, wait)
                self._store.notices.retry(notice.id, not_before=now + wait, doubtful=notice.doubtful, why=failure.code)
            case ErrorKind.AMBIGUOUS:
                doubtful = notice.doubtful or started
                self._store.notices.retry(notice.id, not_before=now + wait, doubtful=doubtful, why=failure.code)
            case ErrorKind.PERMISSION | ErrorKind.CHANNEL | ErrorKind.REFUSED:
                self._store.notices.fail(notice.id, failure.code)
                log.warning("A notice to %s could not be sent: %s", notice.recipient, failure.code)


class OperatorsChannel:
    """The channel of the people who run Likewatch. Without a channel, only the log has their sentences."""

    def __init__(self, client: WebClient, channel: str) -> None:
        self._client = client
        self._channel = channel
        self._warned = False

    def post(self, sentence: str) -> bool:
        """Post a sentence. Return False if the caller must try again."""
        if not self._channel:
            return True
        plain = {"type": "plain_text", "text": sentence}  # so that commands can be copied
        blocks = [{"type": "section", "text": plain}]
        try:
            post_message(self._client, channel=self._channel, text=escape(sentence), blocks=blocks)
        except CALL_ERRORS as error:
            failure = failure_of(error)
            if not self._warned:
                log.warning("The operators' channel could not be reached (%s): %s", failure.code, sentence)
            self._warned = True
            return failure.kind is ErrorKind.AMBIGUOUS  # it may have been posted: do not repeat it
        self._warned = False
        return True
