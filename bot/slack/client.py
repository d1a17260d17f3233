"""Slack's Web API as we call it: a client that never repeats a call by itself, and what a failed call means."""

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
from http.client import HTTPException
from typing import Any, TypeVar
from urllib.error import URLError
from urllib.parse import urlsplit

from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import WebClient
from slack_sdk.webhook import WebhookClient

from bot.errors import AuthRefused, ConfigError, LikewatchError, Throttled, Unreachable
from bot.slack.render.block_kit import Block, without_charts

T = TypeVar("T")

TIMEOUT = 10
"""Seconds that one call may take to connect, and then between two bytes of its answer."""

CALL_ERRORS = (SlackClientError, OSError, HTTPException)
"""All that a call of the client raises when it fails."""

log = logging.getLogger(__name__)

# What they would print at lower levels are whole requests: message texts, response URLs. Failures are raised to us.
wire_log = logging.getLogger("bot.slack.wire")
wire_log.setLevel(logging.CRITICAL)


class ErrorKind(StrEnum):
    """What a failed call to Slack means for who made it."""

    THROTTLED = "throttled"  # not accepted; Slack said when to come back
    UNSENT = "unsent"  # not accepted, and it may be later: it never reached Slack, or the workspace is being moved
    AMBIGUOUS = "ambiguous"  # it is not known whether Slack took it
    TOKEN = "token"  # noqa: S105 (not accepted, and no call with this token will be: the operator acts)
    PERMISSION = "permission"  # not accepted: the token is good, but not for this method; the operator acts
    CHANNEL = "channel"  # not accepted, nor will anything else be in this channel
    REFUSED = "refused"  # not accepted because of what the call said


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackFailure:
    """A failed call. ``code`` is Slack's own word for it ("not_in_channel"), or ours; it never holds a secret.

    ``wait`` and ``everywhere`` are for what is throttled: for how long, and whether Slack said that it is no channel's
    own limit but the workspace's.
    """

    kind: ErrorKind
    code: str
    wait: timedelta = timedelta(0)
    everywhere: bool = False
    needs: str = ""


# Slack's own words for failures: https://docs.slack.dev/reference/methods/chat.postMessage#errors
_CODES = {
    ErrorKind.THROTTLED: {"message_limit_exceeded", "rate_limited", "ratelimited"},
    ErrorKind.UNSENT: {"org_login_required", "team_added_to_org"},
    ErrorKind.AMBIGUOUS: {"fatal_error", "internal_error", "request_timeout", "service_unavailable"},
    ErrorKind.TOKEN: {
        "account_inactive",
        "invalid_auth",
        "not_authed",
        "token_expired",
        "token_revoked",
    },
    ErrorKind.PERMISSION: {
        "missing_scope",
        "not_allowed_token_type",
        "team_access_not_granted",
    },
    ErrorKind.CHANNEL: {  # what may be one channel's own trouble must not stop the others
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
_UNFIT = {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"}
_WORKSPACE_FULL = {"message_limit_exceeded", "rate_limited"}
_KIND_OF = {code: kind for kind, codes in _CODES.items() for code in codes}
_CODE = re.compile(r"[a-z][a-z0-9_]{1,60}")
_RESPONSE_CODE = re.compile(r'^(?:\{.*"error":\s*")?([a-z][a-z0-9_]{1,60})(?:".*\})?$', re.DOTALL)  # text or JSON
_RETRY_AFTER = 30  # seconds, where a 429 does not say
_SECONDS = re.compile(r"[0-9]{1,5}")
_OK = 200
_SERVER_ERROR = 500
_TOO_MANY = 429

# Raised before a byte of the request was sent: the name is unknown, nobody listens, no way there, no trust.
_BEFORE_SENDING = (ConnectionRefusedError, socket.gaierror)


class ResponseRefused(SlackClientError):
    """A response URL did not take the answer: used up, expired, or the answer is not well-formed."""

    def __init__(self, code: str) -> None:
        super().__init__(f"the response URL answered {code}")
        self.code = code


def slack_client(*, token: str, api_url: str) -> WebClient:
    """A client for ``api_url`` ("https://slack.com/api/") that makes every call exactly once.

    The SDK's own retry handler posts twice when a connection breaks after Slack has read the post, so there is none.
    An address of this machine is reached directly, whatever proxy the environment names.
    """
    if is_loopback(api_url):
        _bypass_proxies(urlsplit(api_url).hostname or "")
    client = WebClient(token=token, base_url=api_url, timeout=TIMEOUT, retry_handlers=[], logger=wire_log)
    if is_loopback(api_url):
        client.proxy = None
    return client


def is_loopback(url: str) -> bool:
    """True for an address of this very machine: ``localhost``, ``127.0.0.1``, ``[::1]``."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bypass_proxies(host: str) -> None:
    """urllib, which the SDK sends with, knows no other way to be told so."""
    known = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    if host not in known.split(","):
        os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(filter(None, [known, host]))


def failure_of(error: BaseException) -> SlackFailure:
    """What a failed call (one of ``CALL_ERRORS``) means."""
    if isinstance(error, SlackApiError):
        return _api_failure(error)
    if isinstance(error, ResponseRefused):
        return SlackFailure(kind=ErrorKind.REFUSED, code=error.code)
    cause = error.reason if isinstance(error, URLError) else error
    kind = ErrorKind.UNSENT if isinstance(cause, _BEFORE_SENDING) else ErrorKind.AMBIGUOUS
    return SlackFailure(kind=kind, code=type(cause).__name__)


def _api_failure(error: SlackApiError) -> SlackFailure:
    response = error.response
    answer = response.data if isinstance(response.data, dict) else {}  # a proxy's JSON need not be an object
    status, said = response.status_code, str(answer.get("error", ""))
    code = said if _CODE.fullmatch(said) else f"HTTP {status}"
    if status == _TOO_MANY or code in _CODES[ErrorKind.THROTTLED]:
        wait = _retry_after(response.headers)
        return SlackFailure(kind=ErrorKind.THROTTLED, code="ratelimited", wait=wait, everywhere=code in _WORKSPACE_FULL)
    if status >= _SERVER_ERROR or code != said:
        return SlackFailure(kind=ErrorKind.AMBIGUOUS, code=code)
    needed = str(answer.get("needed", ""))
    return SlackFailure(
        kind=_KIND_OF.get(code, ErrorKind.REFUSED), code=code, needs=needed if _SCOPES.fullmatch(needed) else ""
    )


_SCOPES = re.compile(r"[a-z:._,\- ]{0,200}")


def _retry_after(headers: dict[str, str]) -> timedelta:
    said = {name.casefold(): value for name, value in headers.items()}.get("retry-after", "")
    return timedelta(seconds=int(said) if _SECONDS.fullmatch(said) else _RETRY_AFTER)


def error_sentence(error: BaseException, *, setting: str = "SLACK_BOT_TOKEN") -> LikewatchError:
    """A failed call as a sentence for who must act; ``setting`` is the token that it was made with."""
    failure = failure_of(error)
    match failure.kind:
        case ErrorKind.THROTTLED:
            seconds = int(failure.wait.total_seconds())
            return Throttled(f"Slack asks us to wait {seconds} s before the next call.", wait=failure.wait)
        case ErrorKind.UNSENT if failure.code in _CODES[ErrorKind.UNSENT]:
            return Throttled(
                f"This workspace is being moved into a Slack organization ({failure.code}), and Slack takes no calls "
                "until that is done. Try again later.",
                wait=timedelta(seconds=_RETRY_AFTER),
            )
        case ErrorKind.UNSENT | ErrorKind.AMBIGUOUS:
            return Unreachable(f"Slack did not answer ({failure.code}). Try again in a moment.")
        case ErrorKind.PERMISSION if failure.code == "missing_scope":
            scope = f" ({failure.needs})" if failure.needs else ""
            return ConfigError(
                f"The Slack app lacks a permission{scope}. Paste the output of “likewatch manifest” at "
                "api.slack.com/apps → your app → App Manifest, reinstall the app to the workspace, and start again."
            )
        case ErrorKind.TOKEN | ErrorKind.PERMISSION:
            return AuthRefused(f"Slack refused {setting} ({failure.code}). {_WHERE_TO_GET[setting]}")
        case ErrorKind.CHANNEL | ErrorKind.REFUSED:
            return ConfigError(f"Slack refused the call: {failure.code}.")


_WHERE_TO_GET = {
    "SLACK_BOT_TOKEN": "Copy the Bot User OAuth Token (xoxb-…) from api.slack.com/apps → your app → OAuth & "
    "Permissions into the setting, and start again.",
    "SLACK_APP_TOKEN": "Make an app-level token (xapp-…) with the scope connections:write at api.slack.com/apps → "
    "your app → Basic Information → App-Level Tokens, put it into the setting, and start again.",
}


def check_tokens(*, api_url: str, bot_token: str, app_token: str = "") -> str:
    """Ask Slack whether it knows the tokens, and return who we are to it, for ``doctor`` and for the log.

    ``app_token`` is for Socket Mode; empty over HTTP. Raises ``AuthRefused`` naming the setting and where to get it,
    ``Unreachable`` when nobody answers at ``api_url``, ``ConfigError`` or ``Throttled``.
    """
    client = slack_client(token=bot_token, api_url=api_url)
    try:
        who = client.auth_test()
    except CALL_ERRORS as error:
        raise with_address(api_url, error_sentence(error)) from error
    if app_token:
        try:
            client.apps_connections_open(app_token=app_token)
        except CALL_ERRORS as error:
            raise with_address(api_url, error_sentence(error, setting="SLACK_APP_TOKEN")) from error
    return f"connected to {who.get('team', 'the workspace')} as @{who.get('user', 'likewatch')}"


def with_address(api_url: str, error: LikewatchError) -> LikewatchError:
    """The same for the operator: who did not answer is named by its address and its setting."""
    if not isinstance(error, Unreachable):
        return error
    return Unreachable(
        f"Slack could not be reached at {api_url}. Check the network, the proxy if there is one, and SLACK_API_URL."
    )


def send_response(url: str, message: dict[str, Any], *, proxy: str | None) -> None:
    """Answer at a response URL, once; raises ``ResponseRefused`` or what the client raises.

    https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
    """
    webhook = WebhookClient(url, timeout=TIMEOUT, retry_handlers=[], logger=wire_log)
    webhook.proxy = proxy
    answer = webhook.send_dict(message)
    said = _RESPONSE_CODE.search(answer.body)
    if answer.status_code != _OK or (said and said[1] != "ok"):
        raise ResponseRefused(said[1] if said else f"HTTP {answer.status_code}")


def with_chart_fallback(send: Callable[[list[Block]], T], blocks: list[Block]) -> T:
    """``send(blocks)``; once more with tables in words for the charts, if Slack refuses the blocks.

    ``send`` raises what the client raises. Charts are young, and not every workspace shows them.
    """
    try:
        return send(blocks)
    except (SlackApiError, ResponseRefused) as error:
        plainer = without_charts(blocks)
        if plainer == blocks or failure_of(error).code not in {"invalid_blocks", "invalid_blocks_format"}:
            raise
        return send(plainer)


def with_plain_text_fallback(send: Callable[[list[Block]], T], blocks: list[Block]) -> T:
    """``send(blocks)``; where Slack refuses them even without charts, ``send([])``: the message's text alone."""
    try:
        return with_chart_fallback(send, blocks)
    except (SlackApiError, ResponseRefused) as error:  # refused, so not taken: rather plain words than nothing
        code = failure_of(error).code
        if not blocks or code not in _UNFIT:
            raise
        log.warning("Slack refused the blocks of a message (%s); it is sent in plain words", code)
        return send([])
