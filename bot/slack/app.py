"""Connect the declared surfaces to Slack with Bolt. Every request is acknowledged, and has one effect."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from slack_bolt import Ack, App, BoltContext, BoltResponse
from slack_bolt.error import BoltError, BoltUnhandledRequestError
from slack_sdk.web import WebClient

from bot.slack.client import CALL_ERRORS, error_sentence, with_address
from bot.slack.dispatch import Dispatcher, plain_reply, unexpected_reply
from bot.slack.listeners.contract import (
    ActionListener,
    EventListener,
    Json,
    Listener,
    ShortcutListener,
    SlashCommandListener,
    ViewListener,
)
from bot.slack.listeners.deduplication import Deduplication
from bot.slack.listeners.discovery import all_listeners
from bot.slack.listeners.payloads import read_request
from bot.slack.responder import Responder

# Bolt's own log lines hold whole requests, even a wrong signature. Bolt raises its errors to us as well.
_bolt_log = logging.getLogger("bot.slack.bolt")
_bolt_log.setLevel(logging.ERROR)


class BotApp:
    """Likewatch as Slack sees it. Socket Mode and the HTTP server hand requests to ``bolt``."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        """Connect to Slack.

        Raises ``AuthRefused`` for a wrong token, ``Unreachable`` if nobody answers at the address.
        """
        self._responder = Responder(dispatcher)
        self._acknowledged: Deduplication[Json | None] = Deduplication()
        self.bolt = _connect(dispatcher.client)
        for listener in all_listeners():
            self._connect_listener(listener)
        self.bolt.error(_acknowledge_anyway)

    def close(self) -> None:
        """Finish the answers under way."""
        self._responder.close()

    def _connect_listener(self, listener: Listener) -> None:
        def handle(ack: Ack, body: Json, context: BoltContext) -> None:
            request = read_request(body, context)
            run = listener.run
            ack(**(self._acknowledged(request.request_id, lambda: run(request, body, self._responder)) or {}))

        match listener:
            case SlashCommandListener():
                self.bolt.command(listener.name)(handle)
            case EventListener():
                for name in listener.names:
                    event_type, _, channel_type = name.partition(".")  # "message.im" arrives as a "message" in an "im"
                    matchers = [_in_channel_of(channel_type)] if channel_type else []
                    self.bolt.event(event_type, matchers=matchers)(handle)
            case ActionListener():
                self.bolt.action(listener.action_id)(handle)
            case ViewListener():
                self.bolt.view(listener.callback_id)(handle)
            case ShortcutListener(on_message=True):
                self.bolt.message_shortcut(listener.callback_id)(handle)
            case ShortcutListener():
                self.bolt.global_shortcut(listener.callback_id)(handle)


def _in_channel_of(channel_type: str) -> Callable[..., bool]:
    def matches(event: Json) -> bool:
        return bool(event.get("channel_type") == channel_type)

    return matches


def _acknowledge_anyway(error: Exception, body: Json) -> BoltResponse:
    """Acknowledge a request that no listener takes, or that failed. Otherwise Slack says that the app failed."""
    command = body.get("command")
    if isinstance(error, BoltUnhandledRequestError):
        answer = plain_reply(f"I do not know {command}. Try /likes help or /trends help.")
    else:
        answer = unexpected_reply(error)
    return BoltResponse(status=200, body={"response_type": "ephemeral", "text": answer.text} if command else "")


def _connect(client: WebClient) -> App:
    try:
        with _nothing_from_the_environment():
            return App(
                name="likewatch",
                logger=_bolt_log,
                client=client,
                request_verification_enabled=False,  # http_server.py checks the signature before anything is parsed
                process_before_response=True,  # a listener acknowledges by returning; else Bolt polls every 10 ms
                raise_error_for_unhandled_request=True,  # so that _acknowledge_anyway sees it
            )
    except BoltError as error:
        raise error_sentence(error.__context__ or error) from error
    except CALL_ERRORS as error:
        raise with_address(client.base_url, error_sentence(error)) from error


@contextmanager
def _nothing_from_the_environment() -> Iterator[None]:
    """Hide Slack's variables from Bolt: a stray SLACK_CLIENT_ID would make it use OAuth and forget our token."""
    hidden = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("SLACK_")}
    try:
        yield
    finally:
        os.environ.update(hidden)
