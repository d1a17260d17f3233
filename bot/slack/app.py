"""The Bolt app: what arrives from Slack is acknowledged, answered once, and never met with silence."""

from __future__ import annotations

import html
import logging
import os
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeAlias

from slack_bolt import Ack, App, BoltContext, BoltResponse
from slack_bolt.error import BoltError, BoltUnhandledRequestError
from slack_sdk.web import WebClient

from bot.clock import Clock
from bot.config.editors import EditorList
from bot.platforms.contract import Profile, Reference
from bot.slack.client import CALL_ERRORS, ErrorKind, at, at_worst_in_plain_words, failure_of, respond, spoken
from bot.slack.commands import parse_query
from bot.slack.contract import Call, Line, Slash
from bot.slack.delivery.pausing import OURSELVES, resume
from bot.slack.dispatch import Answer, Answers, sentence
from bot.slack.listeners.deduplication import Deduplication
from bot.slack.render import block_kit
from storage.errors import AlreadyDone, StoreError
from storage.store import Store

log = logging.getLogger(__name__)

Json: TypeAlias = dict[str, Any]

WORKERS = 16
"""Threads for what needs the network: platforms are slow, and nobody else waits for them."""

PATIENCE = 1.0
"""Seconds that somebody waits for an answer from outside before they are told that it takes a moment."""

# Bolt's own lines hold whole requests (a wrong signature, say); what matters of them is raised to us.
_bolt_log = logging.getLogger("bot.slack.bolt")
_bolt_log.setLevel(logging.ERROR)

_BOLT_READS = (
    "SLACK_BOT_TOKEN",
    "SLACK_SIGNING_SECRET",
    "SLACK_VERIFICATION_TOKEN",
    "SLACK_CLIENT_ID",
    "SLACK_CLIENT_SECRET",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where an answer goes: ``url`` is Slack's response URL; without one it is posted to the person."""

    call: Call
    url: str = ""
    thread_ts: str | None = None
    share: bool = False
    replace: bool = False


class BotApp:
    """Likewatch as Slack sees it. ``bolt`` is what Socket Mode or the HTTP server hands requests to."""

    def __init__(
        self,
        *,
        client: WebClient,
        store: Store,
        clock: Clock,
        look_up: Callable[[Reference], Profile],
        poll_every: timedelta,
        editors: EditorList,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        """Connect to Slack; ``AuthRefused`` or ``Unreachable`` say what is wrong with the token or the address.

        ``look_up`` asks a platform for a profile and raises a ``LikewatchError``; it may take long. ``poll_every`` is
        how often newly tracked pages are read. ``editors`` may change what all channels share. ``wake`` is called when
        something may be posted that waited.
        """
        self._client = client
        self._store = store
        self._clock = clock
        self._wake = wake
        self._answers = Answers(
            client=client,
            store=store,
            clock=clock,
            look_up=look_up,
            poll_every=poll_every,
            editors=editors,
            wake=wake,
        )
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="answer")
        self._asked: Deduplication[Answer] = Deduplication()
        self._begun: Deduplication[None] = Deduplication()
        self.bolt = _connect(client)
        for slash in Slash:
            self.bolt.command(slash)(self._on_command)
        self.bolt.event("app_mention")(self._on_mention)
        self.bolt.event("member_joined_channel")(self._on_joined)
        for unarchived in ("channel_unarchive", "group_unarchive"):
            self.bolt.event(unarchived)(self._on_unarchived)
        self.bolt.action(block_kit.ACTION_ID)(self._on_action)
        self.bolt.error(self._on_error)

    def close(self) -> None:
        """Finish the answers under way."""
        self._workers.shutdown(cancel_futures=True)

    def _on_command(self, ack: Ack, body: Json) -> None:
        call = Call(
            slash=Slash(body["command"]),
            text=html.unescape(body.get("text", "")),
            team_id=body["team_id"],
            channel_id=body["channel_id"],
            user_id=body["user_id"],
            request=body.get("trigger_id", ""),
        )
        request = call.request
        if self._answers.takes_long(call):  # never in this thread: nobody waits for somebody else's platform
            self._begun(request, lambda: self._look_outside(_Place(call=call, url=body["response_url"])))
            ack()
            return
        answer = self._asked(request, lambda: self._announced(call, self._answers.answer(call)))
        ack(text=answer.text, blocks=list(answer.blocks), response_type="ephemeral")

    def _on_mention(self, event: Json, body: Json, context: BoltContext) -> None:
        if "bot_id" in event or "user" not in event:
            return
        slash, text = parse_query(event.get("text", ""))
        call = Call(
            slash=slash,
            text=text,
            team_id=context.team_id or "",
            channel_id=event["channel"],
            user_id=event["user"],
            request=body["event_id"],
        )
        place = _Place(call=call, thread_ts=event.get("thread_ts"))
        self._begun(body["event_id"], lambda: self._answer_later(place))

    def _on_action(self, ack: Ack, body: Json, action: Json) -> None:
        ack()
        press, _, _ = action["action_id"].partition(".")
        slash, text = parse_query((action.get("selected_option") or action)["value"])
        call = Call(
            slash=slash,
            text=text,
            team_id=body["team"]["id"],
            channel_id=body["channel"]["id"],
            user_id=body["user"]["id"],
            request=body["trigger_id"],
        )
        place = _Place(
            call=call,
            url=body["response_url"],
            thread_ts=body["container"].get("thread_ts"),
            share=press == block_kit.Press.SHARE,
        )
        self._begun(body["trigger_id"], lambda: self._answer_later(place))

    def _on_joined(self, event: Json, body: Json, context: BoltContext) -> None:
        """Somebody was invited: us? https://docs.slack.dev/reference/events/member_joined_channel."""
        if event.get("user") == context.bot_user_id:
            self._begun(body["event_id"], lambda: self._go_on(event, body, by=event.get("inviter", OURSELVES)))

    def _on_unarchived(self, event: Json, body: Json) -> None:
        """A channel may be written in again: https://docs.slack.dev/reference/events/channel_unarchive."""
        self._begun(body["event_id"], lambda: self._go_on(event, body, by=event.get("user", OURSELVES)))

    def _go_on(self, event: Json, body: Json, *, by: str) -> None:
        self._workers.submit(self._resume, body["team_id"], event["channel"], by, body["event_id"])

    def _resume(self, team_id: str, channel_id: str, by: str, request: str) -> None:
        """What was paused because nothing could be posted here goes on, and the channel hears what waited."""
        try:
            said = resume(self._store, team_id, channel_id, self._clock.now(), by=by, request=request)
        except AlreadyDone:
            return
        except StoreError as error:
            log.error("A channel could not be taken up again: %s", error)  # noqa: TRY400 (a sentence)
            return
        if said:
            self._announce(team_id, channel_id, said)
            self._wake()

    def _look_outside(self, place: _Place) -> None:
        asked = self._workers.submit(self._answers.answer, place.call)
        self._workers.submit(self._follow, place, asked)

    def _follow(self, place: _Place, asked: Future[Answer]) -> None:
        """Show the answer once it is there; if that takes long, first say so, where the answer will then stand."""
        done, _ = wait([asked], timeout=PATIENCE)
        if not done:
            self._try_to_send(place, sentence("Looking it up; the answer follows here …"))
            place = replace(place, replace=True)
        asked.add_done_callback(lambda there: self._show(place, there))

    def _answer_later(self, place: _Place) -> None:
        asked = self._workers.submit(self._answers.answer, place.call, share=place.share)
        asked.add_done_callback(lambda done: self._show(place, done))

    def _show(self, place: _Place, asked: Future[Answer]) -> None:
        """Show an answer that came after the acknowledgement, in the thread it was asked for in."""
        if asked.cancelled():
            return
        answer = _outcome(asked)
        self._try_to_send(place, answer)
        if answer.notice is not None:
            self._announce(place.call.team_id, place.call.channel_id, answer.notice)

    def _try_to_send(self, place: _Place, answer: Answer) -> None:
        try:
            at_worst_in_plain_words(lambda blocks: self._send(place, answer, blocks), list(answer.blocks))
        except CALL_ERRORS as error:
            log.warning("An answer could not be shown: %s", failure_of(error).code)

    def _send(self, place: _Place, answer: Answer, blocks: list[block_kit.Block]) -> None:
        if not place.url:
            self._client.chat_postEphemeral(
                channel=place.call.channel_id,
                user=place.call.user_id,
                thread_ts=place.thread_ts,
                text=answer.text,
                blocks=blocks,
            )
            return
        shown: Json = {
            "response_type": "in_channel" if answer.public else "ephemeral",
            "replace_original": place.replace,
            "text": answer.text,
            "blocks": blocks,
        }
        if place.thread_ts:
            shown["thread_ts"] = place.thread_ts
        respond(place.url, shown, proxy=self._client.proxy)

    def _announced(self, call: Call, answer: Answer) -> Answer:
        """The answer, while a worker tells the channel who changed what."""
        if answer.notice is not None:
            self._workers.submit(self._announce, call.team_id, call.channel_id, answer.notice)
        return answer

    def _announce(self, team_id: str, channel_id: str, notice: Line) -> None:
        """Tell the channel; later, where Slack surely did not take it now."""
        text = block_kit.mrkdwn(notice)
        try:
            self._client.chat_postMessage(
                channel=channel_id,
                text=text,
                blocks=block_kit.notice_blocks(notice),
                unfurl_links=False,
                unfurl_media=False,
            )
        except CALL_ERRORS as error:
            failure = failure_of(error)
            if failure.fault in {ErrorKind.THROTTLED, ErrorKind.UNSENT}:
                self._store.notices.put(team_id, channel_id, text, at=self._clock.now() + failure.wait)
                self._wake()
            elif failure.fault is not ErrorKind.CHANNEL:  # where the bot is no member, nobody expects it to speak
                log.warning("A channel was not told of a change: %s", failure.code)

    def _on_error(self, error: Exception, body: Json) -> BoltResponse:
        """What no listener knows is acknowledged all the same, or Slack tells the person that the app failed."""
        command = body.get("command")
        if isinstance(error, BoltUnhandledRequestError):
            answer = sentence(f"I do not know {command}. Try /likes help or /trends help.") if command else None
        else:
            answer = _puzzled(error)
        shown = {"response_type": "ephemeral", "text": answer.text} if command and answer else ""
        return BoltResponse(status=200, body=shown)


def _outcome(asked: Future[Answer]) -> Answer:
    error = asked.exception()
    return asked.result() if error is None else _puzzled(error)


def _puzzled(error: BaseException) -> Answer:
    """What nobody foresaw: all of it for the log, a reference to it for the person."""
    reference = secrets.token_hex(3)
    log.error("Something unexpected while answering (reference %s)", reference, exc_info=error)
    return sentence(
        f"I stumbled over this, and it is written down in my log under the reference {reference}. "
        "Trying again does no harm; if it stays so, pass the reference to whoever runs Likewatch."
    )


def _connect(client: WebClient) -> App:
    try:
        with _nothing_from_the_environment():
            return App(
                name="likewatch",
                logger=_bolt_log,
                client=client,
                request_verification_enabled=False,  # server.py checks the signature, before anything is parsed
                process_before_response=True,  # our listeners acknowledge by returning: no poll for it every 10 ms
                raise_error_for_unhandled_request=True,  # so that _on_error acknowledges it
            )
    except BoltError as error:
        raise spoken(error.__context__ or error) from error
    except CALL_ERRORS as error:
        raise at(client.base_url, spoken(error)) from error


@contextmanager
def _nothing_from_the_environment() -> Iterator[None]:
    """Settings alone say what we use; Bolt would turn to OAuth and forget our token over a stray SLACK_CLIENT_ID."""
    hidden = {name: os.environ.pop(name) for name in _BOLT_READS if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)
