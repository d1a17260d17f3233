"""The channel of those who run Likewatch."""

from __future__ import annotations

import logging

from slack_sdk.web import WebClient

from bot.slack.client import CALL_ERRORS, ErrorKind, failure_of
from bot.slack.render.block_kit import escape

log = logging.getLogger(__name__)


class OperatorsChannel:
    """Posts sentences to one channel; without one, nobody is told but the log."""

    def __init__(self, client: WebClient, channel: str) -> None:
        self._client = client
        self._channel = channel
        self._warned = False

    def tell(self, sentence: str) -> bool:
        """Post it; false where it is to be tried again."""
        if not self._channel:
            return True
        try:
            self._client.chat_postMessage(
                channel=self._channel,
                text=escape(sentence),
                blocks=[{"type": "section", "text": {"type": "plain_text", "text": sentence}}],  # to be copied from
                unfurl_links=False,
                unfurl_media=False,
            )
        except CALL_ERRORS as error:
            failure = failure_of(error)
            if not self._warned:
                log.warning("The operators' channel could not be told (%s): %s", failure.code, sentence)
            self._warned = True
            return failure.fault is ErrorKind.AMBIGUOUS  # perhaps it was posted: not again
        self._warned = False
        return True
