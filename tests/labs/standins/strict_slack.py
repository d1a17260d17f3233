"""A Slack API that knows the documented arguments of each method, and refuses every other argument and method.

For methods that the local workspace does not have. Arguments: https://docs.slack.dev/reference/methods.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

Json = dict[str, Any]

# method -> (required, optional)
_DOCUMENTED: dict[str, tuple[set[str], set[str]]] = {
    "auth.test": (set(), set()),
    "chat.postEphemeral": ({"channel", "user"}, {"text", "blocks", "thread_ts", "attachments", "icon_url", "username"}),
    "chat.postMessage": (
        {"channel"},
        {"text", "blocks", "thread_ts", "reply_broadcast", "unfurl_links", "unfurl_media", "metadata", "mrkdwn"},
    ),
    "conversations.open": (set(), {"users", "channel", "return_im", "prevent_creation"}),
    "files.getUploadURLExternal": ({"filename", "length"}, {"alt_txt", "snippet_type"}),
    "files.completeUploadExternal": ({"files"}, {"channel_id", "channels", "initial_comment", "thread_ts", "blocks"}),
    "views.open": ({"view"}, {"trigger_id", "interactivity_pointer"}),
    "views.publish": ({"user_id", "view"}, {"hash"}),
}
_ANSWERS: dict[str, Json] = {
    "auth.test": {"user_id": "UBOT", "bot_id": "BBOT", "team_id": "T1"},
    "conversations.open": {"channel": {"id": "D0OPENED"}},
    "files.getUploadURLExternal": {"file_id": "F1"},
    "files.completeUploadExternal": {"files": [{"id": "F1", "title": "x"}]},
}
_IN_JSON = {"view", "blocks", "files", "metadata"}


class StrictSlack:
    """Keeps the method calls in order and the bytes of files; refuses with ``errors``, by method."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Json]] = []
        self.uploads: list[bytes] = []
        self.errors: dict[str, str] = {}
        self.url = ""

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    def arguments(self, method: str) -> Json:
        """The arguments of the one call of this method."""
        (arguments,) = [arguments for name, arguments in self.calls if name == method]
        return arguments

    def methods(self) -> list[str]:
        return [method for method, _ in self.calls if method != "auth.test"]

    def answer(self, method: str, arguments: Json) -> Json:
        self.calls.append((method, arguments))
        if method not in _DOCUMENTED:
            return {"ok": False, "error": "unknown_method"}
        required, optional = _DOCUMENTED[method]
        if not required <= set(arguments) <= required | optional:
            return {"ok": False, "error": f"invalid_arguments_{'_'.join(sorted(set(arguments) - optional))}"}
        if method in self.errors:
            return {"ok": False, "error": self.errors[method]}
        return {"ok": True, "upload_url": f"{self.url}/upload", **_ANSWERS.get(method, {})}


@contextmanager
def strict_slack() -> Iterator[StrictSlack]:
    slack = StrictSlack()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            if self.path == "/upload":
                slack.uploads.append(body)
                answer: Json = {"ok": True}
            else:
                answer = slack.answer(self.path.rpartition("/")[2], _arguments(body, self.headers["content-type"]))
            shown = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(shown)))
            self.end_headers()
            self.wfile.write(shown)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    slack.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield slack
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _arguments(body: bytes, content_type: str | None) -> Json:
    if content_type and content_type.startswith("application/json"):
        return dict(json.loads(body or b"{}"))
    said = dict(parse_qsl(body.decode(), keep_blank_values=True))
    return {name: json.loads(value) if name in _IN_JSON else value for name, value in said.items() if name != "token"}
