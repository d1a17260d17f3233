"""A strict stand-in for the parts of Facebook's Graph API that are used, with the errors that Graph gives.

In tests: ``with serving(graph := Graph(token="T")) as url``. By hand, or for a benchmark:

    python -m tests.labs.standins.graph --port 9001 --token TOKEN --app-secret S --pages 10000 --latency 0.15
    curl -d '{"id": "1", "username": "hunsen", "name": "Hun Sen", "fan_count": 2094801}' 127.0.0.1:9001/_control
    curl 127.0.0.1:9001/_control
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import json
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, unquote

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

FIELDS = (
    "id",
    "name",
    "username",
    "link",
    "fan_count",
    "followers_count",
    "has_transitioned_to_new_page_experience",
)
MOST_IN_A_BATCH = 50


class GraphError(Exception):
    """An error that Graph answers with."""

    def __init__(
        self,
        message: str,
        code: int,
        *,
        subcode: int | None = None,
        status: int = 400,
        kind: str = "OAuthException",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"message": message, "type": kind, "code": code, "fbtrace_id": "AbCdEfGhIjK"}}
        if subcode is not None:
            self.body["error"]["error_subcode"] = subcode


def gone(key: str) -> GraphError:
    return GraphError(
        f"Unsupported get request. Object with ID '{key}' does not exist, cannot be loaded due to missing permissions, "
        "or does not support this operation. Please read the Graph API documentation at "
        "https://developers.facebook.com/docs/graph-api",
        100,
        subcode=33,
        kind="GraphMethodException",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphPage:
    """A page, or a person's profile (``node`` "User"). ``error`` is answered instead of its fields.

    ``followers_count`` is ``fan_count`` unless given, as on every page that moved to the New Page Experience.
    """

    id: str
    username: str | None = None
    name: str = ""
    fan_count: object = 0
    followers_count: object = None
    has_transitioned_to_new_page_experience: bool = True
    node: str = "Page"
    error: GraphError | None = None
    items: dict[tuple[str, bool], str] = field(default_factory=dict, repr=False)

    def fields(self, names: tuple[str, ...]) -> dict[str, object]:
        values: dict[str, object] = {
            "id": self.id,
            "name": self.name,
            "username": self.username,
            "link": f"https://www.facebook.com/{self.username or self.id}",
            "fan_count": self.fan_count,
            "followers_count": self.fan_count if self.followers_count is None else self.followers_count,
            "has_transitioned_to_new_page_experience": self.has_transitioned_to_new_page_experience,
        }
        if self.node != "Page":
            values = {"id": self.id, "name": self.name}
        for name in names:
            if name not in values:
                raise GraphError(f"(#100) Tried accessing nonexisting field ({name}) on node type ({self.node})", 100)
        return {name: values[name] for name in dict.fromkeys((*names, "id")) if values[name] is not None}


class Graph:
    """The stand-in, an ASGI application.

    ``headers`` go with every answer (usage). ``latency`` is seconds. ``faults`` are answered to the next requests, one
    each, before anything else. ``left_out`` are ids whose batch items come back as null; ``spoilers`` refuse a whole
    batch.
    """

    def __init__(self, token: str = "TOKEN", app_secret: str = "", latency: float = 0.0) -> None:  # noqa: S107
        self.token = token
        self.proof = hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest() if app_secret else ""
        self.latency = latency
        self.headers: dict[str, str] = {}
        self.faults: deque[Response] = deque()
        self.requests: deque[Recorded] = deque(maxlen=1000)
        self.left_out: set[str] = set()
        self.spoilers: dict[str, GraphError] = {}
        self._pages: dict[str, GraphPage] = {}
        self._names: dict[str, str] = {}

    def put(self, page: GraphPage) -> None:
        self._pages[page.id] = page
        if page.username:
            self._names[page.username.lower()] = page.id

    def remove(self, number: str) -> None:
        del self._pages[number]

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        body = await read_body(receive)
        if scope["path"] == "/_control":
            await send_response(send, self._control(body))
            return
        if self.latency:
            await asyncio.sleep(self.latency)
        request = _recorded(scope, body)
        self.requests.append(request)
        await send_response(send, self.faults.popleft() if self.faults else self._answer(request))

    def _control(self, body: bytes) -> Response:
        if body:
            asked = json.loads(body)
            self.latency = asked.pop("latency", self.latency)
            if asked:
                self.put(GraphPage(**asked))
        pages = (asdict(page) for page in self._pages.values())
        return in_json([{name: page[name] for name in FIELDS if name in page} for page in pages])

    def _answer(self, request: Recorded) -> Response:
        try:
            return Response(body=self._body(request).encode(), headers=self.headers)
        except GraphError as error:
            return in_json(error.body, error.status, self.headers)

    def _body(self, request: Recorded) -> str:
        found = re.fullmatch(r"/v[0-9]+\.[0-9]+/(.*?)/?", request.path)
        if not found:
            raise GraphError(f"Unknown path components: {request.path}", 2500)
        params = {name: values[-1] for name, values in request.params.items()}
        self._check_token(params)
        node = unquote(found[1])
        if request.method == "POST" and not node and "batch" in params:
            return self._batch(params["batch"], with_headers=params.get("include_headers", "true") != "false")
        if request.method != "GET":
            raise GraphError("Unsupported post request.", 100, subcode=33, kind="GraphMethodException")
        names = _names(params.get("fields", ""))
        if node:
            return json.dumps(self._page(node).fields(names))
        if ids := params.get("ids"):
            return json.dumps({key: self._page(key).fields(names) for key in ids.split(",")})
        raise GraphError("Unsupported get request.", 100, kind="GraphMethodException")

    def _check_token(self, params: Mapping[str, str]) -> None:
        token = params.get("access_token")
        if not token:
            raise GraphError("An access token is required to request this resource.", 104)
        if token != self.token:
            raise GraphError(f"Malformed access token {token}", 190)
        proof = params.get("appsecret_proof")
        if proof is None and self.proof:
            raise GraphError(
                "API calls from the server require an appsecret_proof argument", 100, kind="GraphMethodException"
            )
        if proof is not None and not hmac.compare_digest(proof, self.proof):
            raise GraphError("Invalid appsecret_proof provided in the API argument", 100, kind="GraphMethodException")

    def _batch(self, text: str, *, with_headers: bool) -> str:
        try:
            requests = json.loads(text)
        except ValueError:
            raise GraphError("(#100) param batch must be an array.", 100) from None
        if len(requests) > MOST_IN_A_BATCH:
            raise GraphError(
                f"Too many requests in batch message. Maximum batch size is {MOST_IN_A_BATCH}",
                -3,
                kind="GraphBatchException",
            )
        for request in requests:
            if error := self.spoilers.get(_split(request["relative_url"])[0]):
                raise error
        return f"[{','.join(self._item(request, with_headers) for request in requests)}]"

    def _item(self, request: Mapping[str, Any], with_headers: bool) -> str:
        if request.get("method") != "GET":
            return _item(
                {"error": {"message": "Unsupported request", "type": "OAuthException", "code": 100}}, 400, with_headers
            )
        key, query = _split(request["relative_url"])
        if key in self.left_out:
            return "null"
        try:
            page = self._page(key)
            item = page.items.get((query, with_headers))
            if item is None:
                names = _names(parse_qs(query).get("fields", [""])[-1])
                item = page.items[query, with_headers] = _item(page.fields(names), 200, with_headers)
        except GraphError as error:
            return _item(error.body, error.status, with_headers)
        return item

    def _page(self, key: str) -> GraphPage:
        page = self._pages.get(key) or self._pages.get(self._names.get(key.lower(), ""))
        if page is None:
            if key.isdigit():
                raise gone(key)
            raise GraphError(f"(#803) Some of the aliases you requested do not exist: {key}", 803, status=404)
        if page.error:
            raise page.error
        if page.node == "User" and not key.isdigit():
            raise GraphError(f"(#803) Cannot query users by their username ({key})", 803, status=404)
        return page


def _recorded(scope: Message, body: bytes) -> Recorded:
    query = scope["query_string"].decode()
    return Recorded(
        method=scope["method"],
        path=scope["path"],
        query=query,
        headers={name.decode(): value.decode() for name, value in scope["headers"]},
        params=parse_qs(query, keep_blank_values=True) | parse_qs(body.decode(), keep_blank_values=True),
    )


@lru_cache(maxsize=50_000)
def _split(relative_url: str) -> tuple[str, str]:
    path, _, query = relative_url.partition("?")
    return unquote(re.sub(r"^/?(v[0-9]+\.[0-9]+/)?", "", path)).rstrip("/"), query


@lru_cache
def _names(fields: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in fields.split(",")) if fields else ("id", "name")


def _item(body: object, code: int, with_headers: bool) -> str:
    headers: dict[str, object] = (
        {"headers": [{"name": "Facebook-API-Version", "value": "v26.0"}]} if with_headers else {}
    )
    return json.dumps({"code": code, **headers, "body": json.dumps(body, ensure_ascii=True)})


def many_pages(number: int) -> Iterator[GraphPage]:
    """``number`` pages with counts of seven digits, the same at every call."""
    for n in range(number):
        yield GraphPage(
            id=str(100_000_000_000 + n),
            username=f"politician.{n:05}",
            name=f"Politician {n}",
            fan_count=1_000_000 + 37 * n,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="A stand-in for Facebook's Graph API on this machine.")
    parser.add_argument("--port", type=int, default=9001)
    parser.add_argument("--token", default="TOKEN")
    parser.add_argument("--app-secret", default="")
    parser.add_argument("--pages", type=int, default=0, help="how many pages there are from the start")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    options = parser.parse_args()
    graph = Graph(token=options.token, app_secret=options.app_secret, latency=options.latency)
    for page in many_pages(options.pages):
        graph.put(page)
    serve(graph, options.port)


if __name__ == "__main__":
    main()
