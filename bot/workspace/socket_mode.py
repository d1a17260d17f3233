"""Socket Mode: envelopes over WebSockets, each acknowledged within three seconds.

https://docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import asyncio
import json
import secrets
from datetime import timedelta

from starlette.websockets import WebSocket, WebSocketDisconnect

from bot.workspace.model import APP_ID, NOT_DELIVERED, TIMED_OUT, Envelope, EnvelopeKind, Json, OnOutcome, Outcome
from bot.workspace.workspace import Workspace

MAX_CONNECTIONS = 10
DEBUG_INFO = {"host": "applink-local", "build_number": 1, "approximate_connection_time": 18060}
_POLICY_VIOLATION = 1008


class SocketModeServer:
    """The bot's WebSocket connections (``links``). Everything but ``send`` and ``new_ticket`` runs on ``loop``."""

    def __init__(self, workspace: Workspace, *, ack_within: timedelta) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self.links: list[WebSocket] = []
        self._workspace = workspace
        self._ack_within = ack_within.total_seconds()
        self._tickets: set[str] = set()
        self._unacknowledged: dict[str, tuple[OnOutcome, asyncio.TimerHandle]] = {}
        self._sending: set[asyncio.Task[None]] = set()

    def new_ticket(self) -> str:
        """Return a ticket that opens one connection."""
        ticket = secrets.token_urlsafe(12)
        self._tickets.add(ticket)
        return ticket

    def send(self, envelope: Envelope, on_outcome: OnOutcome) -> None:
        """Send an envelope to any one connection, from any thread."""
        if self.loop is None or not self.links:
            on_outcome(NOT_DELIVERED)
        else:
            self.loop.call_soon_threadsafe(self._begin, envelope, on_outcome)

    async def serve(self, link: WebSocket) -> None:
        """Serve one connection, from its ticket to its end."""
        ticket = link.query_params.get("ticket", "")
        if ticket not in self._tickets or len(self.links) >= MAX_CONNECTIONS:
            await link.close(_POLICY_VIOLATION)
            return
        self._tickets.discard(ticket)
        await link.accept()
        self.links.append(link)
        hello = {"type": "hello", "num_connections": len(self.links), "connection_info": {"app_id": APP_ID}}
        await link.send_json({**hello, "debug_info": DEBUG_INFO})
        self._workspace.set_connected(connected=True)
        try:
            while True:
                self._acknowledged(await link.receive_text())
        except WebSocketDisconnect:
            self.forget(link)

    def forget(self, link: WebSocket) -> None:
        """Send nothing more to a connection."""
        if link in self.links:
            self.links.remove(link)
        self._workspace.set_connected(connected=bool(self.links))

    def _begin(self, envelope: Envelope, on_outcome: OnOutcome) -> None:
        if not self.links:
            on_outcome(NOT_DELIVERED)
            return
        loop = asyncio.get_running_loop()
        if envelope.id not in self._unacknowledged:  # a repeated envelope needs one acknowledgement, not two
            timer = loop.call_later(self._ack_within, self._settle, envelope.id, TIMED_OUT)
            self._unacknowledged[envelope.id] = (on_outcome, timer)
        link = self.links.pop(0)
        self.links.append(link)  # Slack picks any connection; here they take turns
        sending = loop.create_task(self._deliver(link, envelope))
        self._sending.add(sending)  # Python may collect a task that nobody holds before it ran
        sending.add_done_callback(self._sending.discard)

    async def _deliver(self, link: WebSocket, envelope: Envelope) -> None:
        try:
            await link.send_json(_as_sent(envelope))
        except (WebSocketDisconnect, RuntimeError):  # the connection broke; the timer reports that to the person
            self.forget(link)

    def _acknowledged(self, text: str) -> None:
        acknowledgement = json.loads(text)
        payload = acknowledgement.get("payload")
        outcome = Outcome(body=payload if isinstance(payload, dict) else None)
        self._settle(acknowledgement.get("envelope_id", ""), outcome)

    def _settle(self, envelope_id: str, outcome: Outcome) -> None:
        if envelope_id in self._unacknowledged:  # otherwise the acknowledgement came too late, or twice
            on_outcome, timer = self._unacknowledged.pop(envelope_id)
            timer.cancel()
            on_outcome(outcome)


def _as_sent(envelope: Envelope) -> Json:
    sent: Json = {
        "envelope_id": envelope.id,
        "type": envelope.kind.value,
        "payload": envelope.payload,
        "accepts_response_payload": envelope.kind is not EnvelopeKind.EVENTS_API,
    }
    if envelope.kind is EnvelopeKind.EVENTS_API:
        sent |= {"retry_attempt": envelope.retry, "retry_reason": "timeout" if envelope.retry else ""}
    return sent
