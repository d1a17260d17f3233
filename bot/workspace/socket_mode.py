"""Socket Mode: envelopes over WebSockets, each acknowledged within three seconds.

https://docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta

from starlette.websockets import WebSocket, WebSocketDisconnect

from bot.workspace.model import APP_ID, NOT_DELIVERED, TIMED_OUT, Envelope, EnvelopeKind, Json, Outcome, Settled
from bot.workspace.state import WorkspaceState

MAX_CONNECTIONS = 10
_POLICY_VIOLATION = 1008


@dataclass(frozen=True, slots=True)
class _Pending:
    settled: Settled
    timer: asyncio.TimerHandle


class SocketModeServer:
    """The bot's connections. Public methods may be called from any thread, but ``serve`` runs on the server's loop."""

    def __init__(self, state: WorkspaceState, *, ack_within: timedelta) -> None:
        self._state = state
        self._ack_within = ack_within.total_seconds()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tickets: set[str] = set()
        self._links: list[WebSocket] = []
        self._pending: dict[str, _Pending] = {}
        self._sending: set[asyncio.Task[None]] = set()

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def new_ticket(self) -> str:
        """A ticket that opens one connection."""
        ticket = secrets.token_urlsafe(12)
        self._tickets.add(ticket)
        return ticket

    def send(self, envelope: Envelope, settled: Settled) -> None:
        """Send an envelope to any one connection, from any thread."""
        if self._loop is None or not self._links:
            settled(NOT_DELIVERED)
        else:
            self._loop.call_soon_threadsafe(self._begin, envelope, settled)

    def refresh(self) -> None:
        """Tell every connection to make way for a new one, as Slack does every few hours."""
        self._on_loop(self._ask_to_reconnect)

    def drop(self) -> None:
        """Close every connection without a word, as a broken network does."""
        self._on_loop(self._close_all)

    async def serve(self, link: WebSocket) -> None:
        """One connection, from its ticket to its end."""
        ticket = link.query_params.get("ticket", "")
        if ticket not in self._tickets or len(self._links) >= MAX_CONNECTIONS:
            await link.close(_POLICY_VIOLATION)
            return
        self._tickets.discard(ticket)
        await link.accept()
        self._links.append(link)
        await link.send_json(self._hello())
        self._state.set_connected(connected=True)
        try:
            while True:
                self._acknowledged(await link.receive_text())
        except WebSocketDisconnect:
            self._forget(link)

    def _on_loop(self, make: Callable[[], Coroutine[None, None, None]]) -> None:
        if self._loop is not None:
            asyncio.run_coroutine_threadsafe(make(), self._loop).result(timeout=self._ack_within + 1)

    async def _ask_to_reconnect(self) -> None:
        for link in list(self._links):
            self._forget(link)  # a new connection takes over; the client closes this one
            await link.send_json({"type": "disconnect", "reason": "refresh_requested", "debug_info": _DEBUG_INFO})

    async def _close_all(self) -> None:
        for link in list(self._links):
            self._forget(link)
            await link.close()

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._links),
            "debug_info": _DEBUG_INFO,
            "connection_info": {"app_id": APP_ID},
        }

    def _begin(self, envelope: Envelope, settled: Settled) -> None:
        if not self._links:
            settled(NOT_DELIVERED)
            return
        if envelope.id not in self._pending:  # a repeat waits for the first one's acknowledgement
            timer = asyncio.get_running_loop().call_later(self._ack_within, self._settle, envelope.id, TIMED_OUT)
            self._pending[envelope.id] = _Pending(settled, timer)
        link = self._links.pop(0)
        self._links.append(link)  # any connection may get the next one: here they take turns
        sending = asyncio.get_running_loop().create_task(self._deliver(link, envelope))
        self._sending.add(sending)  # a task that nobody holds may be collected before it ran
        sending.add_done_callback(self._sending.discard)

    async def _deliver(self, link: WebSocket, envelope: Envelope) -> None:
        try:
            await link.send_json(_shown(envelope))
        except (WebSocketDisconnect, RuntimeError):  # the connection broke; the timer tells the person
            self._forget(link)

    def _acknowledged(self, text: str) -> None:
        said = json.loads(text)
        payload = said.get("payload")
        self._settle(said.get("envelope_id", ""), Outcome(body=payload if isinstance(payload, dict) else None))

    def _settle(self, envelope_id: str, outcome: Outcome) -> None:
        pending = self._pending.pop(envelope_id, None)
        if pending is not None:  # else it came too late, or twice
            pending.timer.cancel()
            pending.settled(outcome)

    def _forget(self, link: WebSocket) -> None:
        if link in self._links:
            self._links.remove(link)
        self._state.set_connected(connected=bool(self._links))


def _shown(envelope: Envelope) -> Json:
    shown: Json = {
        "envelope_id": envelope.id,
        "type": envelope.kind.value,
        "payload": envelope.payload,
        "accepts_response_payload": envelope.kind is not EnvelopeKind.EVENTS_API,
    }
    if envelope.kind is EnvelopeKind.EVENTS_API:
        shown |= {"retry_attempt": envelope.retry, "retry_reason": "timeout" if envelope.retry else ""}
    return shown


_DEBUG_INFO = {"host": "applink-local", "build_number": 1, "approximate_connection_time": 18060}
