"""Direct messages that are owed to single persons."""

from __future__ import annotations

import logging
from datetime import timedelta

from slack_sdk.web import WebClient

from bot.clock import Clock
from bot.slack.client import CALL_ERRORS, Fault, failure_of
from storage.store import Store
from storage.values import Telling

log = logging.getLogger(__name__)

DOUBT = "(I may have told you this already: Slack did not say whether it took it.)"

LONGEST = 300
"""Seconds between two attempts, at most."""


class Teller:
    """Tells one person at a time. We may not read direct messages, so what may have been told says so."""

    def __init__(self, *, client: WebClient, store: Store, clock: Clock) -> None:
        self._client = client
        self._store = store
        self._clock = clock

    def tell(self, telling: Telling) -> None:
        """Open the conversation and say it."""
        text = f"{telling.text} {DOUBT}" if telling.doubtful else telling.text
        begun = False
        try:
            opened = self._client.conversations_open(users=telling.user_id)
            self._store.tellings.begin(telling.id)
            begun = True
            self._client.chat_postMessage(
                channel=opened["channel"]["id"], text=text, unfurl_links=False, unfurl_media=False
            )
        except CALL_ERRORS as error:
            self._failed(telling, error, begun=begun)
            return
        self._store.tellings.told(telling.id)

    def _failed(self, telling: Telling, error: BaseException, *, begun: bool) -> None:
        failure, now = failure_of(error), self._clock.now()
        backoff = timedelta(seconds=min(LONGEST, 2 ** min(telling.attempts + 1, 16)))
        match failure.fault:
            case Fault.THROTTLED | Fault.UNSENT | Fault.TOKEN:
                wait = max(failure.wait, backoff)
                self._store.tellings.again(
                    telling.id, not_before=now + wait, doubtful=telling.doubtful, why=failure.code
                )
            case Fault.AMBIGUOUS:
                doubtful = telling.doubtful or begun
                self._store.tellings.again(telling.id, not_before=now + backoff, doubtful=doubtful, why=failure.code)
            case Fault.PERMISSION | Fault.CHANNEL | Fault.REFUSED:
                self._store.tellings.fail(telling.id, failure.code)
                log.warning("%s could not be told in direct messages: %s", telling.user_id, failure.code)
