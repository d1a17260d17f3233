"""From a call to its answer: find the command, check the permission, run it, and render its reply. No Bolt here."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property

from slack_sdk.web import WebClient

from bot.clock import Clock
from bot.config.editors import EditorList
from bot.errors import LikewatchError
from bot.platforms.contract import Profile, Reference
from bot.slack.audit import audit
from bot.slack.client import CALL_ERRORS, error_sentence, failure_of
from bot.slack.contract import Call, Command, HomeView, Line, Mention, Modal, Reply, ReplyFile
from bot.slack.discovery import find_command, query
from bot.slack.names import UnknownName
from bot.slack.permissions import PermissionChecker
from bot.slack.render import block_kit
from storage.errors import StoreError
from storage.store import Store

log = logging.getLogger(__name__)

INVITE = (
    "I am not in this channel, so I could not post alerts here, and nothing was saved. Type /invite @Likewatch in it, "
    "then subscribe again."
)
_MAX_QUOTED = 200  # characters of a refused call, in the audit


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedReply:
    """A reply as Slack takes it. Without ``blocks``, ``text`` is all of the message.

    ``notice`` is one line for the channel about a change. ``public``: everybody in the channel sees the message.
    ``modal`` and ``home`` are views that replace the message.
    """

    text: str
    blocks: tuple[block_kit.Block, ...] = ()
    notice: Line | None = None
    public: bool = False
    file: ReplyFile | None = None
    modal: block_kit.Block | None = None
    home: block_kit.Block | None = None

    @property
    def is_message(self) -> bool:
        """True if the text and the blocks are the whole reply."""
        return not (self.file or self.modal or self.home)


def plain_reply(sentence: str) -> RenderedReply:
    """Return a reply of plain words."""
    return RenderedReply(text=block_kit.escape(sentence))


def unexpected_reply(error: BaseException) -> RenderedReply:
    """Log an error that no code foresaw, and return a sentence with the log entry's reference."""
    reference = secrets.token_hex(3)
    log.error("Something unexpected while answering (reference %s)", reference, exc_info=error)
    return plain_reply(
        f"Something went wrong on my side. My log has the details under the reference {reference}. "
        "You may try again. If it happens again, give the reference to whoever runs Likewatch."
    )


@dataclass(frozen=True, kw_only=True)
class Dispatcher:
    """Runs commands for the people who may run them."""

    client: WebClient
    store: Store
    clock: Clock
    look_up: Callable[[Reference], Profile]  # asks a platform. It may take long, and raises a LikewatchError
    poll_every: timedelta  # the time between two reads of a newly tracked page
    editors: EditorList  # the people who may change what all channels share
    wake: Callable[[], None] = lambda: None  # called when an alert or notice that waited may be posted

    @cached_property
    def _permissions(self) -> PermissionChecker:
        return PermissionChecker(client=self.client, editors=self.editors, clock=self.clock)

    def takes_long(self, call: Call) -> bool:
        """Return whether the answer needs the network (a platform, Slack itself) or a long computation."""
        command, _ = find_command(call.slash, call.text)
        if command.lookup is not None or command.posts_here or command.runs_long:
            return True
        return self._permissions.must_ask_slack(command, call)

    def reply(self, call: Call, *, share: bool = False) -> RenderedReply:
        """Return the answer to what a person typed. An error that concerns the person is a sentence.

        Args:
            call: ``text`` is all that was typed after the slash command, with the verb.
            share: Show the answer to everybody, with the name of the person, if the command allows that.

        """
        command, text = find_command(call.slash, call.text)
        try:
            reply = self._run(command, replace(call, text=text, poll_every=self.poll_every))
        except UnknownName as error:
            return _rendered(error.reply, call)
        except (LikewatchError, StoreError) as error:
            return plain_reply(str(error))
        return _shared(reply, call) if share and reply.shareable else _rendered(reply, call)

    def _run(self, command: Command, call: Call) -> Reply:
        if refusal := self._permissions.refusal(command, call):
            quoted = block_kit.shortened(call.text, _MAX_QUOTED)
            audit(self.store, call, self.clock.now(), "refused", command.name, detail=quoted)
            raise LikewatchError(refusal)
        if command.posts_here:
            call.require_channel()
            self._require_membership(call)
        if command.lookup is not None:
            call = replace(call, profile=self.look_up(command.lookup(call)))
        reply = command.run(call, self.store, self.clock.now())
        if command.posts_here:
            self.wake()  # alerts that waited in a paused channel can go out now
        return reply

    def _require_membership(self, call: Call) -> None:
        """Raise LikewatchError unless the bot may post in the channel.

        https://docs.slack.dev/reference/methods/conversations.info
        """
        try:
            channel = self.client.conversations_info(channel=call.channel_id)["channel"]
        except CALL_ERRORS as error:
            if failure_of(error).code == "channel_not_found":  # a private channel that the bot is not in
                raise LikewatchError(INVITE) from error
            raise error_sentence(error) from error
        if not (channel.get("is_member") or channel.get("is_im")):
            raise LikewatchError(INVITE)


def _rendered(reply: Reply, call: Call) -> RenderedReply:
    form = reply.shown_as
    return RenderedReply(
        text=block_kit.fallback_text(reply.card),
        blocks=tuple(block_kit.reply_blocks(reply, query(call.slash, call.text))),
        notice=reply.notice,
        file=form if isinstance(form, ReplyFile) else None,
        modal=block_kit.modal_view(reply.card, form) if isinstance(form, Modal) else None,
        home=block_kit.home_view(reply.card, form) if isinstance(form, HomeView) else None,
    )


def _shared(reply: Reply, call: Call) -> RenderedReply:
    card = replace(reply.card, context=(*reply.card.context, ("Shared by ", Mention(call.user_id))), buttons=())
    return replace(_rendered(Reply(card=card, shown_as=reply.shown_as), call), public=True)
