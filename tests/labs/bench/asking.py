"""A crowd that types a slash command, as Slack sends it: signed, on connections kept open. Its own process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from urllib.parse import urlencode

from slack_sdk.signature import SignatureVerifier

from bot.slack.http_server import PATH
from bot.workspace.model import TEAM_ID

_ENDS = b"\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """``requests`` of ``/likes`` and each text in turn, to ``address`` (host:port), ``at_once`` of them at any time."""

    address: str
    secret: str
    texts: Sequence[str]
    requests: int
    at_once: int
    name: str


def ask(asked: Round) -> list[float]:
    """The seconds each request took. A process of its own shares no interpreter with the server."""
    here, there = get_context("spawn").Pipe(duplex=False)
    process = get_context("spawn").Process(target=_process, args=(asked, there), name="asking")
    process.start()
    there.close()
    try:
        seconds: list[float] = here.recv()
    finally:
        process.join()
    return seconds


def _process(asked: Round, pipe: Connection) -> None:
    pipe.send(asyncio.run(_ask(asked)))


async def _ask(asked: Round) -> list[float]:
    waiting = [_request(asked, number) for number in range(asked.requests)]
    shares = [waiting[start :: asked.at_once] for start in range(asked.at_once)]
    seconds = await asyncio.gather(*(_one_by_one(asked.address, share) for share in shares))
    return [second for share in seconds for second in share]


async def _one_by_one(address: str, requests: list[bytes]) -> list[float]:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    seconds = []
    for request in requests:
        began = time.perf_counter()
        writer.write(request)
        head = (await reader.readuntil(_ENDS)).lower()
        status, _, fields = head.partition(b"\r\n")
        assert b" 200" in status, head
        length = fields.partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        seconds.append(time.perf_counter() - began)
    writer.close()
    await writer.wait_closed()
    return seconds


def _request(asked: Round, number: int) -> bytes:
    """https://docs.slack.dev/interactivity/implementing-slash-commands; each with a trigger_id of its own."""
    body = urlencode(
        {
            "token": "of-old-times",
            "team_id": TEAM_ID,
            "team_domain": "newsroom",
            "channel_id": "C0NEWSROOM",
            "channel_name": "newsroom",
            "user_id": "U0ANA00001",
            "user_name": "ana",
            "command": "/likes",
            "text": asked.texts[number % len(asked.texts)],
            "api_app_id": "A0LIKEWATCH",
            "is_enterprise_install": "false",
            "response_url": "https://hooks.slack.com/commands/T0NEWSROOM/1234567890/AbCdEfGhIjKlMnOpQrStUvWx",
            "trigger_id": f"{asked.name}.{number}",
        }
    )
    timestamp = str(int(time.time()))
    signature = SignatureVerifier(asked.secret).generate_signature(timestamp=timestamp, body=body)
    head = (
        f"POST {PATH} HTTP/1.1",
        f"Host: {asked.address}",
        "User-Agent: Slackbot 1.0 (+https://api.slack.com/robots)",
        "Accept-Encoding: gzip,deflate",
        "Accept: application/json,*/*",
        f"X-Slack-Signature: {signature}",
        f"X-Slack-Request-Timestamp: {timestamp}",
        f"Content-Length: {len(body)}",
        "Content-Type: application/x-www-form-urlencoded",
    )
    return "\r\n".join(head).encode() + _ENDS + body.encode()
