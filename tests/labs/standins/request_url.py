"""HTTP mode: the envelopes of Socket Mode, posted to the app's Request URL with Slack's signature.

https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from bot.clock import Clock
from bot.workspace.model import NOT_DELIVERED, TIMED_OUT, Envelope, EnvelopeKind, Json, OnOutcome, Outcome

_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"


def sign(signing_secret: str, timestamp: str, body: bytes) -> str:
    """Return Slack's v0 signature of a request body."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(signing_secret.encode(), base, hashlib.sha256).hexdigest()


class RequestUrl:
    """Posts envelopes to one address. An answer after ``ack_within`` is no answer."""

    def __init__(self, url: str, *, signing_secret: str, clock: Clock, ack_within: timedelta) -> None:
        self._url = urlsplit(url)
        self._signing_secret = signing_secret
        self._clock = clock
        self._ack_within = ack_within.total_seconds()
        self._threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="request-url")

    def send(self, envelope: Envelope, on_outcome: OnOutcome) -> None:
        self._threads.submit(lambda: on_outcome(self._post(envelope)))

    def close(self) -> None:
        self._threads.shutdown()

    def _post(self, envelope: Envelope) -> Outcome:
        content_type, body = _encoded(envelope)
        # Slack repeats an envelope later, and signs it anew.
        timestamp = str(int(self._clock.now().timestamp()) + envelope.retry)
        headers = {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": sign(self._signing_secret, timestamp, body),
        }
        if envelope.retry:
            headers |= {"X-Slack-Retry-Num": str(envelope.retry), "X-Slack-Retry-Reason": "http_timeout"}
        connection = http.client.HTTPConnection(self._url.netloc, timeout=self._ack_within)
        try:
            connection.request("POST", self._url.path or "/", body, headers)
            reply = connection.getresponse()
            answer = reply.read()
        except TimeoutError:
            return TIMED_OUT
        except (OSError, http.client.HTTPException):
            return NOT_DELIVERED
        finally:
            connection.close()
        if reply.status != HTTPStatus.OK:
            return NOT_DELIVERED
        return Outcome(body=_decoded(reply.headers.get_content_type(), answer))


def _encoded(envelope: Envelope) -> tuple[str, bytes]:
    """Return the content type and body. Each kind has its own: a flat form, a form with one JSON field, JSON."""
    match envelope.kind:
        case EnvelopeKind.SLASH_COMMANDS:
            return _FORM, urlencode(envelope.payload).encode()
        case EnvelopeKind.INTERACTIVE:
            return _FORM, urlencode({"payload": json.dumps(envelope.payload)}).encode()
        case EnvelopeKind.EVENTS_API:
            return _JSON, json.dumps(envelope.payload).encode()


def _decoded(content_type: str, answer: bytes) -> Json | None:
    if content_type != _JSON:
        return {"text": answer.decode(errors="replace")} if answer else None
    try:
        parsed = json.loads(answer)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None
