"""Read Slack's payloads: who sent a request, from where, what it asks. All kinds of payload are read here only.

Slash commands: https://docs.slack.dev/interactivity/implementing-slash-commands, buttons, forms and shortcuts:
https://docs.slack.dev/reference/interaction-payloads, events: https://docs.slack.dev/apis/events-api.
"""

from __future__ import annotations

import html
from dataclasses import fields
from typing import Any

from slack_bolt import BoltContext

from bot.slack.contract import Call, RequestOrigin, SlackRequest, Slash
from bot.slack.discovery import parse_query
from bot.slack.listeners.contract import Json


def read_request(body: Json, context: BoltContext) -> SlackRequest:
    """Return who sent the payload, from where, and how to answer. ``context`` is Bolt's own reading of ``body``.

    Bolt finds the ids in most payloads, also in shared channels, where ``body["team_id"]`` may be another newsroom's.
    Three cases are left for us:

    * App Home and forms: Slack sends no channel, except the one that a form's own channel menu names.
    * Organization-wide installs: ``team`` is null in interactions and in an event's authorization.
    * Threads: a message that others replied to names itself as its thread; only ``container`` says where it is shown.
    """
    event: Json = body.get("event") or {}
    view: Json = body.get("view") or {}
    place: Json = body.get("container") or event or body.get("message") or {}
    thread_ts = place.get("thread_ts") or ""
    in_home = view.get("type") == "home" or event.get("tab") == "home"
    channel_id = "" if in_home else context.channel_id or ""
    for chosen in body.get("response_urls") or ():
        channel_id = chosen.get("channel_id") or ""
    if in_home:
        origin = RequestOrigin.APP_HOME
    elif view:
        origin = RequestOrigin.MODAL
    elif not channel_id:
        origin = RequestOrigin.ELSEWHERE
    elif thread_ts:
        origin = RequestOrigin.THREAD
    else:
        origin = RequestOrigin.DIRECT_MESSAGE if channel_id.startswith("D") else RequestOrigin.CHANNEL
    return SlackRequest(
        team_id=context.team_id or body.get("team_id") or event.get("team") or context.enterprise_id or "",
        user_id=context.user_id or "",
        channel_id=channel_id,
        origin=origin,
        thread_ts=thread_ts,
        response_url=context.response_url or "",
        trigger_id=body.get("trigger_id") or "",
        request_id=body.get("event_id") or body.get("trigger_id") or "",
        bot_user_id=context.bot_user_id or "",
    )


def call(request: SlackRequest, slash: Slash, text: str) -> Call:
    """Return the request as a call: ``text`` is what a person types after the slash command."""
    known: dict[str, Any] = {field.name: getattr(request, field.name) for field in fields(SlackRequest)}
    return Call(slash=slash, text=text, **known)


def typed_text(body: Json) -> str:
    """Return what a person typed after a slash command, without Slack's escapes."""
    return html.unescape(body.get("text", ""))


def pressed_query(body: Json) -> tuple[Slash, str]:
    """Return the slash command, and the text after it, that a pressed button or a chosen menu entry asks."""
    action = body["actions"][0]
    return parse_query((action.get("selected_option") or action)["value"])


def form_values(body: Json) -> dict[str, str]:
    """Return what a person filled into a form's fields, by field name; an empty field is ""."""
    values: dict[str, str] = {}
    for name, elements in body["view"]["state"]["values"].items():
        (element,) = elements.values()
        values[name] = (element.get("selected_option") or element).get("value") or ""
    return values
