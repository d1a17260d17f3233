"""Receive Slack's requests in Socket Mode, over a WebSocket that the bot opens: it needs no public address."""

from __future__ import annotations

import logging
import socket
from contextlib import suppress

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler

from bot.errors import Unreachable
from bot.slack.client import CALL_ERRORS, error_sentence, is_loopback, with_address
from bot.slack.http_server import LISTENERS

# Lower levels print payloads. Errors of the connection are enough, because Slack's SDK reconnects by itself.
_socket_log = logging.getLogger("bot.slack.socket")
_socket_log.setLevel(logging.ERROR)


class SocketModeClient:
    """The WebSocket to Slack. It is opened again whenever it closes.

    https://docs.slack.dev/apis/events-api/using-socket-mode
    """

    def __init__(self, bolt: App, *, app_token: str) -> None:
        self._api_url = bolt.client.base_url
        self._client = SocketModeHandler(bolt, app_token, logger=_socket_log, concurrency=LISTENERS).client
        if is_loopback(self._api_url):
            self._client.proxy = None

    def start(self) -> None:
        """Connect. Raises ``AuthRefused`` for a wrong app token, ``Unreachable`` if nobody answers."""
        try:
            self._client.connect()
        except CALL_ERRORS as error:
            self.stop()
            raise with_address(self._api_url, error_sentence(error, setting="SLACK_APP_TOKEN")) from error
        if not self._client.is_connected():
            self.stop()
            raise Unreachable(
                "Slack answered, but its WebSocket could not be opened. A proxy or firewall may forbid wss:// "
                "connections: allow them to wss-primary.slack.com, or use Slack over HTTP (SLACK_SIGNING_SECRET)."
            )

    def stop(self) -> None:
        """Close the connection."""
        self._client.auto_reconnect_enabled = False
        self._client.current_session_state.terminated = True
        session = self._client.current_session
        if session is not None and session.sock is not None:
            with suppress(OSError):  # ends the read that closing would wait for, up to three seconds
                session.sock.shutdown(socket.SHUT_RDWR)
        self._client.close()
