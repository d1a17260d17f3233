"""Call Slack's Web API: each call is made once, and a failed call gets a meaning."""

from __future__ import annotations

import ipaddress
import logging
import os
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, TypeVar
from urllib.error import URLError
from urllib.parse import urlsplit

from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse, WebClient
from slack_sdk.webhook import WebhookClient

from bot.errors import AuthRefused, ConfigError, LikewatchError, Throttled, Unreachable
from bot.slack.render.block_kit import Block, without_charts

T = TypeVar("T")

TIMEOUT = 10
"""Seconds that a call may take to connect, and then between two bytes of its answer."""

CALL_ERRORS = (SlackClientError, OSError, HTTPException)
"""All that a call of the client raises when it fails."""

log = logging.getLogger(__name__)

# At lower levels the SDK prints whole requests, with message texts and response URLs. Failures are raised to us.
wire_log = logging.getLogger("bot.slack.wire")
wire_log.setLevel(logging.CRITICAL)


class ErrorKind(StrEnum):
    """The meaning of a failed call to Slack for its caller."""

    THROTTLED = "throttled"  # not accepted; Slack said how long to wait
    UNSENT = "unsent"  # not accepted, and it may be later: it never reached Slack, or the workspace is being moved
    AMBIGUOUS = "ambiguous"  # nobody knows whether Slack accepted it
    TOKEN = "token"  # noqa: S105 (not accepted, and no call with this token will be: the operator acts)
    PERMISSION = "permission"  # not accepted: the token is good, but not for this method; the operator acts
    CHANNEL = "channel"  # not accepted, nor will anything else be in this channel
    REFUSED = "refused"  # not accepted because of the call's content


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackFailure:
    """A failed call.

    ``code`` is Slack's own name for the failure ("not_in_channel"), or ours. It never holds a secret. ``wait`` is how
    long Slack asked to wait, and ``workspace_wide`` says that the limit is the workspace's, not a channel's.
    ``scope`` is the permission that the app lacks.
    """

    kind: ErrorKind
    code: str
    wait: timedelta = timedelta(0)
    workspace_wide: bool = False
    scope: str = ""


# Slack's names for failures: https://docs.slack.dev/reference/methods/chat.postMessage#errors
_MOVED = {"org_login_required", "team_added_to_org"}
_WORKSPACE_LIMITS = {"message_limit_exceeded", "rate_limited"}
_LIMITS = {*_WORKSPACE_LIMITS, "ratelimited"}
_BAD_BLOCKS = {"invalid_blocks", "invalid_blocks_format"}
_UNFIT = {*_BAD_BLOCKS, "msg_blocks_too_long", "msg_too_long"}
_CODES = {
    ErrorKind.UNSENT: _MOVED,
    ErrorKind.AMBIGUOUS: {"fatal_error", "internal_error", "request_timeout", "service_unavailable"},
    ErrorKind.TOKEN: {"account_inactive", "invalid_auth", "not_authed", "token_expired", "token_revoked"},
    ErrorKind.PERMISSION: {"missing_scope", "not_allowed_token_type", "team_access_not_granted"},
    ErrorKind.CHANNEL: {  # a failure that may be one channel's own must not stop the others
        "access_denied",
        "channel_not_found",
        "ekm_access_denied",
        "is_archived",
        "no_permission",
        "not_in_channel",
        "restricted_action",
        "restricted_action_non_threadable_channel",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "user_is_restricted",
    },
}
_KIND_OF = {code: kind for kind, codes in _CODES.items() for code in codes}
_CODE = re.compile(r"[a-z][a-z0-9_]{1,60}")
_RESPONSE_CODE = re.compile(r'^(?:\{.*"error":\s*")?([a-z][a-z0-9_]{1,60})(?:".*\})?$', re.DOTALL)  # text or JSON
_SCOPES = re.compile(r"[a-z:._,\- ]{0,200}")
_SECONDS = re.compile(r"[0-9]{1,5}")
_RETRY_AFTER = 30  # seconds, where a 429 does not say

# Raised before a byte of the request was sent: the host is unknown, or refuses the connection.
_BEFORE_SENDING = (ConnectionRefusedError, socket.gaierror)


class ResponseRefused(SlackClientError):
    """A response URL refused the answer: the URL is used up or expired, or the answer is malformed."""

    def __init__(self, code: str) -> None:
        super().__init__(f"the response URL answered {code}")
        self.code = code


def slack_client(*, token: str, api_url: str) -> WebClient:
    """Return a client for ``api_url`` ("https://slack.com/api/") that makes every call exactly once.

    The client has no retry handler: the SDK's own one posts twice when a connection breaks after Slack has read the
    post. An address of this machine is reached directly, whatever proxy the environment names.
    """
    if is_loopback(api_url):
        _bypass_proxies(urlsplit(api_url).hostname or "")
    client = WebClient(token=token, base_url=api_url, timeout=TIMEOUT, retry_handlers=[], logger=wire_log)
    if is_loopback(api_url):
        client.proxy = None
    return client


def is_loopback(url: str) -> bool:
    """Return whether the address is of this very machine: ``localhost``, ``127.0.0.1``, ``[::1]``."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bypass_proxies(host: str) -> None:
    """Exempt the host from proxies. The SDK sends with urllib, which reads this from the environment alone."""
    exempt = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    if host not in exempt.split(","):
        os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(filter(None, [exempt, host]))


def post_message(client: WebClient, **message: Any) -> SlackResponse:
    """Post a message, without previews of its links. Raises one of ``CALL_ERRORS``."""
    return client.chat_postMessage(unfurl_links=False, unfurl_media=False, **message)


def failure_of(error: BaseException) -> SlackFailure:
    """Return the meaning of a failed call, which raised one of ``CALL_ERRORS``."""
    if isinstance(error, SlackApiError):
        return _api_failure(error)
    if isinstance(error, ResponseRefused):
        return SlackFailure(kind=ErrorKind.REFUSED, code=error.code)
    cause = error.reason if isinstance(error, URLError) else error
    kind = ErrorKind.UNSENT if isinstance(cause, _BEFORE_SENDING) else ErrorKind.AMBIGUOUS
    return SlackFailure(kind=kind, code=type(cause).__name__)


def _api_failure(error: SlackApiError) -> SlackFailure:
    status, data = error.response.status_code, error.response.data
    answer = data if isinstance(data, dict) else {}  # a proxy's JSON need not be an object
    named = str(answer.get("error", ""))
    code = named if _CODE.fullmatch(named) else f"HTTP {status}"
    if status == HTTPStatus.TOO_MANY_REQUESTS or code in _LIMITS:
        headers = {name.casefold(): value for name, value in error.response.headers.items()}
        seconds = headers.get("retry-after", "")
        wait = timedelta(seconds=int(seconds) if _SECONDS.fullmatch(seconds) else _RETRY_AFTER)
        workspace_wide = code in _WORKSPACE_LIMITS
        return SlackFailure(kind=ErrorKind.THROTTLED, code="ratelimited", wait=wait, workspace_wide=workspace_wide)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or code != named:
        return SlackFailure(kind=ErrorKind.AMBIGUOUS, code=code)
    needed = str(answer.get("needed", ""))
    scope = needed if _SCOPES.fullmatch(needed) else ""
    return SlackFailure(kind=_KIND_OF.get(code, ErrorKind.REFUSED), code=code, scope=scope)


_WHERE_TO_GET = {
    "SLACK_BOT_TOKEN": "Copy the Bot User OAuth Token (xoxb-…) from api.slack.com/apps → your app → OAuth & "
    "Permissions into the setting, and start again.",
    "SLACK_APP_TOKEN": "Make an app-level token (xapp-…) with the scope connections:write. The place is "
    "api.slack.com/apps → your app → Basic Information → App-Level Tokens. Put the token into the setting, and start "
    "again.",
}


def error_sentence(error: BaseException, *, setting: str = "SLACK_BOT_TOKEN") -> LikewatchError:
    """Return an error whose sentence says what to do. ``setting`` is the token of the failed call."""
    failure = failure_of(error)
    match failure.kind:
        case ErrorKind.THROTTLED:
            seconds = int(failure.wait.total_seconds())
            return Throttled(f"Slack asks us to wait {seconds} s before the next call.", wait=failure.wait)
        case ErrorKind.UNSENT if failure.code in _MOVED:
            return Throttled(
                f"This workspace is being moved into a Slack organization ({failure.code}), and Slack takes no calls "
                "until that is done. Try again later.",
                wait=timedelta(seconds=_RETRY_AFTER),
            )
        case ErrorKind.UNSENT | ErrorKind.AMBIGUOUS:
            return Unreachable(f"Slack did not answer ({failure.code}). Try again in a moment.")
        case ErrorKind.PERMISSION if failure.code == "missing_scope":
            scope = f" ({failure.scope})" if failure.scope else ""
            return ConfigError(
                f"The Slack app lacks a permission{scope}. Paste the output of “likewatch manifest” at "
                "api.slack.com/apps → your app → App Manifest, reinstall the app to the workspace, and start again."
            )
        case ErrorKind.TOKEN | ErrorKind.PERMISSION:
            return AuthRefused(f"Slack refused {setting} ({failure.code}). {_WHERE_TO_GET[setting]}")
        case ErrorKind.CHANNEL | ErrorKind.REFUSED:
            return ConfigError(f"Slack refused the call: {failure.code}.")


def check_tokens(*, api_url: str, bot_token: str, app_token: str = "") -> str:
    """Check the tokens with Slack, and return a line for ``doctor`` and the log: workspace and bot name.

    ``app_token`` is for Socket Mode; "" over HTTP. Raises ``AuthRefused`` with the setting's name and source,
    ``Unreachable`` if nobody answers at ``api_url``, ``ConfigError`` or ``Throttled``.
    """
    client = slack_client(token=bot_token, api_url=api_url)
    setting = "SLACK_BOT_TOKEN"
    try:
        bot = client.auth_test()
        if app_token:
            setting = "SLACK_APP_TOKEN"
            client.apps_connections_open(app_token=app_token)
    except CALL_ERRORS as error:
        raise with_address(api_url, error_sentence(error, setting=setting)) from error
    return f"connected to {bot.get('team', 'the workspace')} as @{bot.get('user', 'likewatch')}"


def with_address(api_url: str, error: LikewatchError) -> LikewatchError:
    """Return the error for the operator: if Slack did not answer, with the address and its setting."""
    if not isinstance(error, Unreachable):
        return error
    return Unreachable(
        f"Slack could not be reached at {api_url}. Check the network, the proxy if there is one, and SLACK_API_URL."
    )


def send_response(url: str, message: dict[str, Any], *, proxy: str | None) -> None:
    """Send an answer to a response URL, once. Raises ``ResponseRefused`` or what the client raises.

    https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
    """
    webhook = WebhookClient(url, timeout=TIMEOUT, retry_handlers=[], logger=wire_log)
    webhook.proxy = proxy
    answer = webhook.send_dict(message)
    code = _RESPONSE_CODE.search(answer.body)
    if answer.status_code != HTTPStatus.OK or (code and code[1] != "ok"):
        raise ResponseRefused(code[1] if code else f"HTTP {answer.status_code}")


def with_chart_fallback(send: Callable[[list[Block]], T], blocks: list[Block]) -> T:
    """Call ``send(blocks)``. If Slack refuses them, call it again with tables in words instead of charts.

    Raises what ``send`` raises. Charts are young, and not every workspace shows them.
    """
    try:
        return send(blocks)
    except (SlackApiError, ResponseRefused) as error:
        plainer = without_charts(blocks)
        if plainer == blocks or failure_of(error).code not in _BAD_BLOCKS:
            raise
        return send(plainer)


def with_plain_text_fallback(send: Callable[[list[Block]], T], blocks: list[Block]) -> T:
    """Call ``send(blocks)``. If Slack refuses them even without charts, call ``send([])``: the text alone."""
    try:
        return with_chart_fallback(send, blocks)
    except (SlackApiError, ResponseRefused) as error:  # refused, so not taken: rather plain words than nothing
        code = failure_of(error).code
        if not blocks or code not in _UNFIT:
            raise
        log.warning("Slack refused the blocks of a message (%s); it is sent in plain words", code)
        return send([])
