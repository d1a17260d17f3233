"""The people's side: write a message or a command, press a button, invite the bot.

Every function takes people and channels by name or id, and raises ``Refused`` with a sentence for the person.
"""

from __future__ import annotations

import re

from bot.workspace import payloads, response_urls
from bot.workspace.block_kit import interactive_elements
from bot.workspace.model import (
    BOT_NAME,
    BOT_USER_ID,
    SLACKBOT,
    Channel,
    Json,
    Member,
    Message,
    Outcome,
    Refused,
    ResponseUrl,
    ignore_outcome,
)
from bot.workspace.workspace import Workspace

_INVITE = re.compile(rf"/invite\s+@?{BOT_NAME}\s*", re.IGNORECASE)
_TO_MARK_UP = re.compile(
    r"(?P<url>https?://[^\s<>]+)|(?<![\w.])@(?P<user>\w+)|(?<!\w)#(?P<channel>[\w-]+)|(?P<control>[&<>])"
)
_AFTER_AN_ADDRESS = ".,;:!?)'\""
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def say(workspace: Workspace, person: str, channel: str, text: str, *, thread_ts: str = "") -> None:
    """Send what a person typed: a message, a mention of the bot, or a slash command.

    >>> workspace = Workspace()
    >>> say(workspace, "ana", "newsroom", "Good morning")
    >>> [message.text for message in workspace.seen_by("U0DARA0002")]
    ['Good morning']
    """
    speaker, place, text = workspace.person(person), workspace.channel(channel), text.strip()
    if not text:
        raise Refused("no_text", "Type something first.")
    if place.person_id not in {"", speaker.id}:
        raise Refused("channel_not_found", "These are somebody else's direct messages.")
    if place.id in workspace.archived:
        raise Refused("is_archived", f"#{place.name} is archived. Nobody can write here.")
    if text.startswith("/"):
        _command(workspace, speaker, place, text, thread_ts)
    else:
        _message(workspace, speaker, place, text, thread_ts)


def press(
    workspace: Workspace, person: str, channel: str, ts: str, *, action_id: str, block_id: str = "", value: str = ""
) -> None:
    """Press the button with ``action_id``, or choose the option with ``value`` of that select or overflow menu."""
    presser, place = workspace.person(person), workspace.channel(channel)
    message = workspace.store.find(place.id, ts)
    if message is None or not message.visible_to(presser.id):
        raise Refused("message_not_found", "This message is no longer there.")
    block_id, element = _find_element(message, block_id, action_id)
    option = None if element["type"] == "button" else _find_option(element, value)
    response = ResponseUrl(channel_id=place.id, person_id=presser.id, issued_at=workspace.clock.now(), original=message)
    envelope = payloads.block_action(
        message=message,
        block_id=block_id,
        element=element,
        option=option,
        person=presser,
        channel=place,
        response_url=response_urls.issue(workspace, response),
        action_ts=workspace.new_ts(),
    )

    def on_outcome(outcome: Outcome) -> None:
        if outcome.failure:
            sentence = f"{BOT_NAME} did not answer the button ({outcome.failure}). Try again."
            workspace.notify(presser, place, sentence, thread_ts=message.thread_ts if message.in_thread else "")

    workspace.send(envelope, on_outcome)


def dismiss(workspace: Workspace, person: str, channel: str, ts: str) -> None:
    """Remove a message that only this person sees."""
    message = workspace.store.find(workspace.channel(channel).id, ts)
    if message is not None and message.ephemeral_to == workspace.person(person).id:
        workspace.delete(message)


def add_bot(workspace: Workspace, channel: Channel, *, inviter: Member | None) -> None:
    """Make the bot a member of a channel, and send it the event."""
    workspace.set_membership(channel, member=True)
    workspace.send(payloads.bot_joined(channel, inviter=inviter, event_ts=workspace.new_ts()), ignore_outcome)


def _message(workspace: Workspace, person: Member, channel: Channel, text: str, thread_ts: str) -> None:
    message = workspace.post(
        Message(channel_id=channel.id, user_id=person.id, text=_as_mrkdwn(workspace, text), thread_ts=thread_ts)
    )
    # Slack sends no app_mention from direct messages, nor from channels that the bot is not in.
    if f"<@{BOT_USER_ID}>" not in message.text or channel.person_id:
        return
    if workspace.bot_is_in(channel.id):
        workspace.send(payloads.app_mention(message), ignore_outcome)
    else:
        sentence = f"<@{BOT_USER_ID}> is not in this channel. Type `/invite @{BOT_NAME}` to add it."
        workspace.notify(person, channel, sentence, thread_ts=thread_ts)


def _command(workspace: Workspace, person: Member, channel: Channel, line: str, thread_ts: str) -> None:
    name, _, text = line.partition(" ")
    command = workspace.commands.get(name)
    if thread_ts:
        sentence = f"{_escape(name)} is not supported in threads. Sorry!"
        workspace.notify(person, channel, sentence, thread_ts=thread_ts)
    elif _INVITE.fullmatch(line):
        _invite(workspace, person, channel)
    elif command is None:
        sentence = (
            f"`{_escape(name)}` is not a valid command. "
            'In Slack, all messages that start with the "/" character are interpreted as commands.'
        )
        workspace.notify(person, channel, sentence)
    else:
        text = text.strip()
        response = ResponseUrl(
            channel_id=channel.id,
            person_id=person.id,
            issued_at=workspace.clock.now(),
            command_line=_as_mrkdwn(workspace, line),
        )
        envelope = payloads.slash_command(
            command=name,
            text=_as_mrkdwn(workspace, text, with_names=True) if command.should_escape else _escape(text),
            person=person,
            channel=channel,
            response_url=response_urls.issue(workspace, response),
        )
        workspace.send(envelope, lambda outcome: _acknowledged(workspace, name, response, outcome))


def _acknowledged(workspace: Workspace, command: str, response: ResponseUrl, outcome: Outcome) -> None:
    failure, body = outcome.failure, outcome.body or {}
    if not failure and (body.get("text") or body.get("blocks")):
        try:
            with workspace.lock:
                response_urls.answer(workspace, response, body)
        except Refused:
            failure = "invalid_command_response"
    if failure:
        person, channel = workspace.people[response.person_id], workspace.channels[response.channel_id]
        workspace.notify(person, channel, f'{command} failed with the error "{failure}"')


def _invite(workspace: Workspace, person: Member, channel: Channel) -> None:
    if workspace.bot_is_in(channel.id):
        workspace.notify(person, channel, f"<@{BOT_USER_ID}> is already in this channel.")
        return
    add_bot(workspace, channel, inviter=person)
    sentence = f"<@{BOT_USER_ID}> was added to #{channel.name} by <@{person.id}>."
    workspace.post(Message(channel_id=channel.id, user_id=SLACKBOT, text=sentence))


def _find_element(message: Message, block_id: str, action_id: str) -> tuple[str, Json]:
    for block in message.blocks:
        for element in interactive_elements(block):
            if element["action_id"] == action_id and block_id in {"", block["block_id"]}:
                return block["block_id"], element
    raise Refused("action_not_found", "This button is no longer there: the message has changed.")


def _find_option(element: Json, value: str) -> Json:
    for option in element["options"]:
        if option["value"] == value:
            found: Json = option
            return found
    raise Refused("option_not_found", "This choice is no longer there: the message has changed.")


def _escape(text: str) -> str:
    return "".join(_ESCAPES.get(character, character) for character in text)


def _as_mrkdwn(workspace: Workspace, text: str, *, with_names: bool = False) -> str:
    """Return typed text as Slack sends it: escaped, with names and addresses marked up.

    A command whose manifest says ``should_escape`` gets people ``with_names``: ``<@U0ANA00001|ana>``.

    - https://docs.slack.dev/messaging/formatting-message-text
    - https://docs.slack.dev/interactivity/implementing-slash-commands
    """
    users = {person.name: person.id for person in workspace.people.values()} | {BOT_NAME.lower(): BOT_USER_ID}
    channels = {channel.name: channel.id for channel in workspace.channels.values() if not channel.person_id}

    def marked_up(match: re.Match[str]) -> str:
        if address := match["url"]:
            url = address.rstrip(_AFTER_AN_ADDRESS)
            return f"<{_escape(url)}>{_escape(address[len(url) :])}"
        if user := users.get((match["user"] or "").lower()):
            return f"<@{user}|{match['user'].lower()}>" if with_names else f"<@{user}>"
        if channel := channels.get((match["channel"] or "").lower()):
            return f"<#{channel}|{match['channel'].lower()}>"
        return _escape(match[0])

    return _TO_MARK_UP.sub(marked_up, text)
