"""Response URLs: five answers within thirty minutes of a slash command or a pressed button.

https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta

from bot.workspace.chat import Content, by_bot, checked
from bot.workspace.model import Json, Message, Refused, ResponseUrl
from bot.workspace.workspace import Workspace

VALID_FOR = timedelta(minutes=30)
MOST_STORED = 10_000
RESPONSE_FIELDS = frozenset(
    {
        "text",
        "blocks",
        "thread_ts",
        "unfurl_links",
        "unfurl_media",
        "response_type",
        "replace_original",
        "delete_original",
    }
)


def issue(workspace: Workspace, response: ResponseUrl) -> str:
    """Return the address of a new response URL."""
    secret = secrets.token_urlsafe(18)
    workspace.response_urls[secret] = response
    while len(workspace.response_urls) > MOST_STORED:
        del workspace.response_urls[next(iter(workspace.response_urls))]
    return f"{workspace.base_url}response/{secret}"


def respond(workspace: Workspace, secret: str, body: Json) -> None:
    """Carry out a post to the response URL with this ``secret``. Raises ``Refused`` as Slack answers: 404 and why."""
    with workspace.lock:
        response = workspace.response_urls.get(secret)
        if response is None:
            raise Refused("invalid_url", status=404)
        if workspace.clock.now() - response.issued_at > VALID_FOR:
            raise Refused("expired_url", status=404)
        if response.uses_left == 0:
            raise Refused("used_url", status=404)
        response.uses_left -= 1
        answer(workspace, response, body)


def answer(workspace: Workspace, response: ResponseUrl, body: Json) -> None:
    """Carry out an answer: by response URL, or in the acknowledgement of a slash command."""
    if unknown := sorted(set(body) - RESPONSE_FIELDS):
        # Slack ignores an unknown field. We refuse it, so that a misspelt name is noticed.
        raise Refused("invalid_arguments", *(f"[ERROR] unknown argument: {name}" for name in unknown))
    if body.get("response_type", "ephemeral") not in {"ephemeral", "in_channel"}:
        raise Refused("invalid_arguments", "[ERROR] response_type must be ephemeral or in_channel")
    content = checked(text=body.get("text"), blocks=body.get("blocks"))
    original = response.original and workspace.store.find(response.channel_id, response.original.ts)
    if body.get("delete_original"):
        if original is not None:
            workspace.delete(original)
        if content.empty:
            return
    elif content.empty:
        raise Refused("no_text")
    elif body.get("replace_original") and original is not None:
        edited_ts = "" if original.ephemeral_to else workspace.new_ts()
        workspace.put(replace(original, text=content.text or "", blocks=content.blocks or (), edited_ts=edited_ts))
        return
    _answer_anew(workspace, response, content, body)


def _answer_anew(workspace: Workspace, response: ResponseUrl, content: Content, body: Json) -> None:
    if response.channel_id in workspace.archived:
        raise Refused("is_archived", status=404)
    in_channel = body.get("response_type") == "in_channel"
    if in_channel and response.command_line:  # the channel sees the command itself, once
        workspace.post(Message(channel_id=response.channel_id, user_id=response.person_id, text=response.command_line))
        response.command_line = ""
    posted = workspace.post(
        by_bot(
            response.channel_id,
            content,
            thread_ts=body.get("thread_ts", ""),
            ephemeral_to="" if in_channel else response.person_id,
        )
    )
    response.original = response.original or posted  # a command's later answer may replace its first
