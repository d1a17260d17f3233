"""A strict stand-in for the two calls of Bluesky's public API that are used, with the answers of a real AppView.

By hand:

    python -m tests.labs.standins.bluesky --port 9002
    curl -d '{"did": "did:web:news.test", "handle": "news.test", "followersCount": 3}' 127.0.0.1:9002/_control
"""

from __future__ import annotations

import argparse
import json
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs

from tests.labs.standins.loopback import (
    Message,
    Receive,
    Recorded,
    Response,
    Send,
    in_json,
    read_body,
    send_response,
    serve,
)

MOST_ACTORS = 25
_ACTOR = re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]+|([A-Za-z0-9-]{1,63}\.)+[A-Za-z][A-Za-z0-9-]{0,62}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """An account. ``error`` is "AccountDeactivated" or "AccountTakedown" where it is not shown."""

    did: str
    handle: str
    followersCount: object = 0  # noqa: N815 - the API's own name
    displayName: str = ""  # noqa: N815
    error: str = ""


class Bluesky:
    """The stand-in, an ASGI application. ``faults`` are answered to the next requests, one each."""

    def __init__(self) -> None:
        self.faults: deque[Response] = deque()
        self.requests: deque[Recorded] = deque(maxlen=1000)
        self._actors: dict[str, Actor] = {}

    def put(self, actor: Actor) -> None:
        self._actors[actor.did] = actor

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        body = await read_body(receive)
        if scope["path"] == "/_control":
            if body:
                self.put(Actor(**json.loads(body)))
            await send_response(send, in_json([_profile(actor) for actor in self._actors.values()]))
            return
        query = scope["query_string"].decode()
        request = Recorded(
            method=scope["method"],
            path=scope["path"],
            query=query,
            headers={name.decode(): value.decode() for name, value in scope["headers"]},
            params=parse_qs(query, keep_blank_values=True),
        )
        self.requests.append(request)
        await send_response(send, self.faults.popleft() if self.faults else self._answer(request))

    def _answer(self, request: Recorded) -> Response:
        match request.method, request.path:
            case "GET", "/xrpc/app.bsky.actor.getProfiles":
                return self._profiles(request.params.get("actors", []))
            case "GET", "/xrpc/app.bsky.actor.getProfile":
                return self._one(request.params.get("actor", [""])[0])
        return _refused("XRPCNotSupported", "XRPCNotSupported", 404)

    def _profiles(self, actors: Sequence[str]) -> Response:
        if len(actors) > MOST_ACTORS:
            return _refused("InvalidRequest", f"array too big (maximum {MOST_ACTORS}, got {len(actors)})")
        for position, actor in enumerate(actors):
            if not _ACTOR.fullmatch(actor):
                return _refused("InvalidRequest", f"Error: actors/{position} must be a valid did or a handle")
        found = (self._found(actor) for actor in actors)
        return in_json({"profiles": [_profile(actor) for actor in found if actor and not actor.error]})

    def _one(self, name: str) -> Response:
        if not _ACTOR.fullmatch(name):
            return _refused("InvalidRequest", "Error: actor must be a valid did or a handle")
        actor = self._found(name)
        if actor is None:
            return _refused("InvalidRequest", "Profile not found")
        if actor.error:
            return _refused(
                actor.error,
                {"AccountDeactivated": "Account is deactivated"}.get(actor.error, "Account has been suspended"),
            )
        return in_json(_profile(actor))

    def _found(self, name: str) -> Actor | None:
        name = name.lower()
        return self._actors.get(name) or next((a for a in self._actors.values() if a.handle.lower() == name), None)


def _profile(actor: Actor) -> dict[str, object]:
    return {
        "did": actor.did,
        "handle": actor.handle,
        "displayName": actor.displayName,
        "followersCount": actor.followersCount,
        "followsCount": 1,
        "postsCount": 1,
        "labels": [],
    }


def _refused(error: str, message: str, status: int = 400) -> Response:
    return in_json({"error": error, "message": message}, status)


def main() -> None:
    parser = argparse.ArgumentParser(description="A stand-in for Bluesky's public API on this machine.")
    parser.add_argument("--port", type=int, default=9002)
    serve(Bluesky(), parser.parse_args().port)


if __name__ == "__main__":
    main()
