"""The people's side: say something, press a button, and what the bot answers to it."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.workspace import payloads
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
)
from bot.workspace.posting import Content, checked
from bot.workspace.responses import Response, ResponseUrls
from bot.workspace.state import WorkspaceState
from bot.workspace.typed import Typed, escape

_CONTENT_FIELDS = frozenset({"text", "blocks", "thread_ts", "unfurl_links", "unfurl_media"})
RESPONSE_FIELDS = _CONTENT_FIELDS | {"response_type", "replace_original", "delete_original"}
_INVITE = re.compile(rf"/invite\s+@?{BOT_NAME}\s*", re.IGNORECASE)


class Acting:
    """What a person at the page may do. Every method raises ``Refused`` with a sentence for them."""

    def __init__(self, state: WorkspaceState) -> None:
        self._state = state
        self._typed = Typed(state.people, state.channels)
        self._urls = ResponseUrls()
        self.base_url = "http://127.0.0.1/"

    def say(self, person: Member, channel: Channel, text: str, *, thread_ts: str = "") -> None:
        """Type ``text`` and send it: a message, a mention of the bot, or a slash command."""
        text = text.strip()
        if not text:
            raise Refused("no_text", "Type something first.")
        if channel.person_id not in {"", person.id}:
            raise Refused("channel_not_found", "These are somebody else's direct messages.")
        if channel.id in self._state.archived:
            raise Refused("is_archived", f"#{channel.name} is archived. Nobody can write here.")
        if text.startswith("/"):
            self._command(person, channel, text, thread_ts)
        else:
            self._message(person, channel, text, thread_ts)

    def press(
        self, person: Member, channel: Channel, ts: str, *, action_id: str, block_id: str = "", value: str = ""
    ) -> None:
        """Press the button with ``action_id``, or choose the option with ``value`` of that select or overflow menu."""
        message = self._state.ledger.find(channel.id, ts)
        if message is None or not message.visible_to(person.id):
            raise Refused("message_not_found", "This message is no longer there.")
        found_block, element = _find_element(message, block_id, action_id)
        option = None if element["type"] == "button" else _find_option(element, value)
        now = self._state.clock.now()
        response = Response(channel_id=channel.id, person_id=person.id, issued_at=now, original=message)
        envelope = payloads.block_action(
            message=message,
            block_id=found_block,
            element=element,
            option=option,
            person=person,
            channel=channel,
            response_url=self._response_url(response),
            action_ts=self._state.ledger.new_ts(now),
            now=now,
        )

        def settled(outcome: Outcome) -> None:
            if outcome.failure:
                said = f"{BOT_NAME} did not answer the button ({outcome.failure}). Try again."
                self._state.note(person, channel, said, thread_ts=message.thread_ts if message.in_thread else "")

        self._state.send(envelope, settled)

    def dismiss(self, person: Member, channel: Channel, ts: str) -> None:
        """Put away a message that only this person sees."""
        message = self._state.ledger.find(channel.id, ts)
        if message is not None and message.ephemeral_to == person.id:
            self._state.remove(message)

    def admit(self, channel: Channel, *, inviter: Member | None) -> None:
        """The bot becomes a member, and hears of it."""
        now = self._state.clock.now()
        self._state.set_membership(channel, member=True)
        event_ts = self._state.ledger.new_ts(now)
        self._state.send(payloads.bot_joined(channel, inviter=inviter, event_ts=event_ts, now=now), _unanswered)

    def unarchive(self, person: Member, channel: Channel) -> None:
        """A channel may be written in again, and the bot hears of it."""
        now = self._state.clock.now()
        self._state.archived.discard(channel.id)
        event_ts = self._state.ledger.new_ts(now)
        self._state.send(payloads.channel_unarchived(channel, person=person, event_ts=event_ts, now=now), _unanswered)

    def respond(self, secret: str, body: Json) -> None:
        """A post to a response URL; raises ``Refused`` with Slack's error code."""
        with self._state.changed:
            self._answer(self._urls.use(secret, self._state.clock.now()), body)

    def _message(self, person: Member, channel: Channel, text: str, thread_ts: str) -> None:
        message = self._state.new_message(
            Message(
                channel_id=channel.id,
                ts="",
                user_id=person.id,
                text=self._typed.as_mrkdwn(text),
                thread_ts=thread_ts,
            )
        )
        # Slack sends no app_mention from direct messages, nor from channels that the bot is not in.
        if f"<@{BOT_USER_ID}>" not in message.text or channel.person_id:
            return
        if not self._state.bot_is_in(channel.id):
            said = f"<@{BOT_USER_ID}> is not in this channel. Type `/invite @{BOT_NAME}` to add it."
            self._state.note(person, channel, said, thread_ts=thread_ts)
            return
        self._state.send(payloads.app_mention(message, now=self._state.clock.now()), _unanswered)

    def _command(self, person: Member, channel: Channel, line: str, thread_ts: str) -> None:
        name, _, text = line.partition(" ")
        command = self._state.commands.get(name)
        if thread_ts:
            self._state.note(
                person, channel, f"{escape(name)} is not supported in threads. Sorry!", thread_ts=thread_ts
            )
        elif _INVITE.fullmatch(line):
            self._invite(person, channel)
        elif command is None:
            said = (
                f"`{escape(name)}` is not a valid command. "
                'In Slack, all messages that start with the "/" character are interpreted as commands.'
            )
            self._state.note(person, channel, said)
        else:
            now = self._state.clock.now()
            response = Response(channel_id=channel.id, person_id=person.id, issued_at=now, command_line=line)
            envelope = payloads.slash_command(
                command=name,
                text=self._typed.as_command_text(text.strip(), should_escape=command.should_escape),
                person=person,
                channel=channel,
                response_url=self._response_url(response),
                now=now,
            )
            self._state.send(envelope, lambda outcome: self._acknowledged(name, response, outcome))

    def _acknowledged(self, name: str, response: Response, outcome: Outcome) -> None:
        failure = outcome.failure
        said = outcome.body or {}
        if not failure and (said.get("text") or said.get("blocks")):
            try:
                with self._state.changed:
                    self._answer(response, said)
            except Refused:
                failure = "invalid_command_response"
        if failure:
            person, channel = self._state.people[response.person_id], self._state.channels[response.channel_id]
            self._state.note(person, channel, f'{name} failed with the error "{failure}"')

    def _invite(self, person: Member, channel: Channel) -> None:
        if self._state.bot_is_in(channel.id):
            self._state.note(person, channel, f"<@{BOT_USER_ID}> is already in this channel.")
            return
        self.admit(channel, inviter=person)
        said = f"<@{BOT_USER_ID}> was added to #{channel.name} by <@{person.id}>."
        self._state.new_message(Message(channel_id=channel.id, ts="", user_id=SLACKBOT, text=said))

    def _response_url(self, response: Response) -> str:
        return f"{self.base_url}response/{self._urls.issue(response)}"

    def _answer(self, response: Response, body: Json) -> None:
        """Carry out an answer: by response URL, or in the acknowledgement of a slash command."""
        if unknown := sorted(set(body) - RESPONSE_FIELDS):
            # Slack ignores what it does not know. We refuse, so that a misspelt field cannot pass unnoticed.
            raise Refused("invalid_arguments", *(f"[ERROR] unknown argument: {name}" for name in unknown))
        if body.get("response_type", "ephemeral") not in {"ephemeral", "in_channel"}:
            raise Refused("invalid_arguments", "[ERROR] response_type must be ephemeral or in_channel")
        content = checked(text=body.get("text"), blocks=body.get("blocks"))
        original = response.original and self._state.ledger.find(response.channel_id, response.original.ts)
        if body.get("delete_original"):
            if original is not None:
                self._state.remove(original)
            if content.empty:
                return
        elif body.get("replace_original") and original is not None:
            if content.empty:
                raise Refused("no_text")
            self._replace(original, content)
            return
        if content.empty:
            raise Refused("no_text")
        self._new_answer(response, content, body)

    def _replace(self, original: Message, content: Content) -> None:
        edited_ts = "" if original.ephemeral_to else self._state.ledger.new_ts(self._state.clock.now())
        blocks = content.blocks or ()
        self._state.put(replace(original, text=content.text or "", blocks=blocks, edited_ts=edited_ts))

    def _new_answer(self, response: Response, content: Content, body: Json) -> None:
        if response.channel_id in self._state.archived:
            raise Refused("is_archived", status=404)
        in_channel = body.get("response_type") == "in_channel"
        if in_channel and response.command_line:  # the channel sees what was asked, once
            asked = self._typed.as_mrkdwn(response.command_line)
            self._state.new_message(
                Message(channel_id=response.channel_id, ts="", user_id=response.person_id, text=asked)
            )
            response.command_line = ""
        answer = self._state.new_message(
            Message(
                channel_id=response.channel_id,
                ts="",
                user_id=BOT_USER_ID,
                text=content.text or "",
                blocks=content.blocks or (),
                thread_ts=body.get("thread_ts", ""),
                ephemeral_to="" if in_channel else response.person_id,
            )
        )
        response.original = response.original or answer  # a command's later answer may replace its first


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


def _unanswered(outcome: Outcome) -> None:
    """Slack tells nobody when an app misses an event."""
