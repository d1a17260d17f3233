"""From what somebody asked to what they are shown, whether by slash command, mention or button. No Bolt here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from slack_sdk.web import WebClient

from bot.clock import Clock
from bot.config.editors import EditorList
from bot.errors import LikewatchError
from bot.platforms.contract import Profile, Reference
from bot.slack.audit import audit
from bot.slack.client import CALL_ERRORS, failure_of, spoken
from bot.slack.commands import find_command, query
from bot.slack.contract import Call, Card, Command, Line, Mention, Reply
from bot.slack.permissions import Permission
from bot.slack.render import block_kit
from storage.errors import StoreError
from storage.store import Store

_MOST_QUOTED = 200

INVITE = (
    "I am not in this channel, so I could not post alerts here, and nothing was saved. Type /invite @Likewatch in it, "
    "then subscribe again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is shown: only ``text`` where ``blocks`` is empty; ``notice`` is what the channel is told of a change.

    ``public``: everybody in the channel sees it, not only who asked.
    """

    text: str
    blocks: tuple[block_kit.Block, ...] = ()
    notice: Line | None = None
    public: bool = False


def sentence(words: str) -> Answer:
    """Plain words, and nothing else."""
    return Answer(text=block_kit.escape(words))


class Answers:
    """Finds the command that was called, asks outside what it needs, runs it, and lays out its reply."""

    def __init__(
        self,
        *,
        client: WebClient,
        store: Store,
        clock: Clock,
        look_up: Callable[[Reference], Profile],
        poll_every: timedelta,
        editors: EditorList,
        wake: Callable[[], None],
    ) -> None:
        self._client = client
        self._permission = Permission(client=client, editors=editors, clock=clock)
        self._wake = wake
        self._store = store
        self._clock = clock
        self._look_up = look_up
        self._poll_every = poll_every

    def takes_long(self, call: Call) -> bool:
        """Whether the answer needs the network (a platform, Slack itself) or much thought. ``call.text``: all typed."""
        command, _ = find_command(call.slash, call.text)
        if command.lookup is not None or command.speaks or command.slow:
            return True
        return self._permission.takes_long(command, call)

    def answer(self, call: Call, *, share: bool = False) -> Answer:
        """The answer to what was typed; what went wrong for the person is a sentence.

        ``share``: everybody sees it, and by whom it is shown, if it is an answer that may be shared.
        """
        asked = call.text
        command, text = find_command(call.slash, asked)
        call = replace(call, text=text, poll_every=self._poll_every)
        try:
            if refusal := self._permission.refusal(command, call):
                self._note_refusal(command, call)
                return sentence(refusal)
            reply = self._run(command, call)
        except (LikewatchError, StoreError) as error:
            return sentence(str(error))
        call = replace(call, text=asked)
        return _shared(reply.card, call) if share and reply.shareable else _shown(reply, call)

    def _run(self, command: Command, call: Call) -> Reply:
        if command.speaks:
            self._require_membership(call)
        if command.lookup is not None:
            call = replace(call, found=self._look_up(command.lookup(call)))
        reply = command.run(call, self._store, self._clock.now())
        if command.speaks:  # what waited in a paused channel may go on
            self._wake()
        return reply

    def _note_refusal(self, command: Command, call: Call) -> None:
        named = f"{command.slash} {command.verbs[0]}".rstrip()
        audit(
            self._store, call, self._clock.now(), "refused", named, detail=block_kit.shortened(call.text, _MOST_QUOTED)
        )

    def _require_membership(self, call: Call) -> None:
        """LikewatchError unless the bot may post in the channel (https://docs.slack.dev/reference/methods/conversations.info)."""
        try:
            channel = self._client.conversations_info(channel=call.channel_id)["channel"]
        except CALL_ERRORS as error:
            if failure_of(error).code == "channel_not_found":  # a private channel that the bot is not in
                raise LikewatchError(INVITE) from error
            raise spoken(error) from error
        if not (channel.get("is_member") or channel.get("is_im")):
            raise LikewatchError(INVITE)


def _shown(reply: Reply, call: Call) -> Answer:
    blocks = block_kit.reply_blocks(reply, query(call.slash, call.text))
    return Answer(text=block_kit.fallback_text(reply.card), blocks=tuple(blocks), notice=reply.notice)


def _shared(card: Card, call: Call) -> Answer:
    named = replace(card, context=(*card.context, ("Shared by ", Mention(call.user_id))), buttons=())
    return Answer(text=block_kit.fallback_text(named), blocks=tuple(block_kit.blocks(named)), public=True)
