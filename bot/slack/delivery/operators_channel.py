"""The channel of the operators, the people who run Likewatch."""

from __future__ import annotations

import logging

from slack_sdk.web import WebClient

from bot.slack.client import CALL_ERRORS, ErrorKind, failure_of
from bot.slack.render.block_kit import escape

log = logging.getLogger(__name__)


class OperatorsChannel:
    """Posts sentences to one channel; without a channel, only the log has them."""

    def __init__(self, client: WebClient, channel: str) -> None:
        self._client = client
        self._channel = channel
        self._warned = False

    def tell(self, sentence: str) -> bool:
        """Post a sentence. Return False if the caller must try again."""
        if not self._channel:
            return True
        try:
            self._client.chat_postMessage(
                channel=self._channel,
                text=escape(sentence),
                blocks=[
                    {"type": "section", "text": {"type": "plain_text", "text": sentence}}
                ],  # plain, so that commands can be copied
                unfurl_links=False,
                unfurl_media=False,
            )
        except CALL_ERRORS as error:
            failure = failure_of(error)
            if not self._warned:
                log.warning("The operators' channel could not be reached (%s): %s", failure.code, sentence)
            self._warned = True
            return failure.kind is ErrorKind.AMBIGUOUS  # it may have been posted: do not repeat it
        self._warned = False
        return True
