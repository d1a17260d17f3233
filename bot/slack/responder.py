"""Show answers where a person can see them, and notify channels of changes. Slow work runs in worker threads."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any

from bot.slack.client import CALL_ERRORS, ErrorKind, failure_of, post_message, send_response, with_plain_text_fallback
from bot.slack.contract import Call, Line, ReplyFile, SlackRequest
from bot.slack.delivery.unreachable_channels import resume
from bot.slack.dispatch import Dispatcher, RenderedReply, plain_reply, unexpected_reply
from bot.slack.render import block_kit
from storage.errors import AlreadyDone, StoreError

log = logging.getLogger(__name__)

WORKERS = 16
"""Threads for what needs the network. Platforms are slow, and nobody else should wait for them."""

PATIENCE = 1.0
"""Seconds before a person who waits for a slow answer reads that it takes a moment."""


class Responder:
    """Answers calls, from Slack's thread or from a worker's."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._client = dispatcher.client
        self._store = dispatcher.store
        self._clock = dispatcher.clock
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="answer")

    def close(self) -> None:
        """Finish the answers under way."""
        self._workers.shutdown(cancel_futures=True)

    def answer_at_once(self, call: Call) -> dict[str, Any] | None:
        """Return the answer as a slash command's acknowledgement. If the answer takes long, return None and follow up.

        No network call happens in the caller's thread: one thread serves everybody.
        """
        if self._dispatcher.takes_long(call):
            reply = self._workers.submit(self._dispatcher.reply, call)
            self._workers.submit(self._follow_up, call, reply)
            return None
        answer = self._dispatcher.reply(call)
        if not answer.is_message:
            self._workers.submit(self._show, call, answer)
            return None
        if answer.notice is not None:
            self._workers.submit(self._post_notice, call, answer.notice)
        return {"text": answer.text, "blocks": list(answer.blocks), "response_type": "ephemeral"}

    def answer_later(self, call: Call, *, share: bool = False) -> None:
        """Answer from a worker thread. ``share``: for everybody in the channel, if the command allows that."""
        reply = self._workers.submit(self._dispatcher.reply, call, share=share)
        reply.add_done_callback(partial(self._show_outcome, call))

    def resume_channel(self, request: SlackRequest, *, by: str) -> None:
        """Post alerts in the request's channel again if they were paused. ``by`` is the person's id, for the audit."""
        self._workers.submit(self._resume, request, by)

    def _resume(self, request: SlackRequest, by: str) -> None:
        now = self._clock.now()
        try:
            notice = resume(self._store, request.team_id, request.channel_id, now, by=by, request=request.request_id)
        except AlreadyDone:
            return
        except StoreError as error:
            log.error("The alerts of a channel could not be resumed: %s", error)  # noqa: TRY400 (a sentence)
            return
        if notice:
            self._post_notice(request, notice)
            self._dispatcher.wake()

    def _follow_up(self, call: Call, reply: Future[RenderedReply]) -> None:
        """Show the reply once it is there. If that takes long, first show a line that the reply then replaces."""
        done, _ = wait([reply], timeout=PATIENCE)
        if not done:
            self._send_or_log(call, plain_reply("Looking it up; the answer follows here …"))
        reply.add_done_callback(partial(self._show_outcome, call, replace=not done))

    def _show_outcome(self, call: Call, reply: Future[RenderedReply], *, replace: bool = False) -> None:
        if reply.cancelled():
            return
        error = reply.exception()
        self._show(call, reply.result() if error is None else unexpected_reply(error), replace=replace)

    def _show(self, call: Call, answer: RenderedReply, *, replace: bool = False) -> None:
        if answer.home is not None:
            self._try(partial(self._client.views_publish, user_id=call.user_id, view=answer.home))
        elif not self._open_modal(call, answer):
            if answer.file is not None and not self._try(partial(self._upload, call, answer, answer.file)):
                answer = plain_reply("Slack did not take the file, so it was not sent. Try again in a moment.")
            self._send_or_log(call, answer, replace=replace)
        if answer.notice is not None:
            self._post_notice(call, answer.notice)

    def _open_modal(self, call: Call, answer: RenderedReply) -> bool:
        """Return whether the answer is a modal and it was opened. A trigger is valid for 3 seconds, and only once."""
        if answer.modal is None or not call.trigger_id:
            return False
        return self._try(partial(self._client.views_open, trigger_id=call.trigger_id, view=answer.modal))

    def _upload(self, call: Call, answer: RenderedReply, file: ReplyFile) -> None:
        """Upload to the person's direct messages, or to the channel if everybody may see it: no file is ephemeral."""
        shown_here = call.channel_id and (answer.public or call.channel_id.startswith("D"))
        channel = call.channel_id
        if not shown_here:
            channel = self._client.conversations_open(users=call.user_id)["channel"]["id"]
        self._client.files_upload_v2(
            channel=channel,
            thread_ts=(call.thread_ts or None) if shown_here else None,
            filename=file.name,
            title=file.title,
            content=file.content,
        )

    def _send_or_log(self, call: Call, answer: RenderedReply, *, replace: bool = False) -> None:
        def send(blocks: list[block_kit.Block]) -> None:
            self._send(call, answer, blocks, replace=replace)

        self._try(partial(with_plain_text_fallback, send, list(answer.blocks)))

    def _send(self, call: Call, answer: RenderedReply, blocks: list[block_kit.Block], *, replace: bool) -> None:
        """Send by response URL; else in the channel or thread; else as a direct message."""
        message: dict[str, Any] = {"text": answer.text, "blocks": blocks}
        if call.thread_ts:
            message["thread_ts"] = call.thread_ts
        if call.response_url:
            response_type = "in_channel" if answer.public else "ephemeral"
            message |= {"response_type": response_type, "replace_original": replace}
            send_response(call.response_url, message, proxy=self._client.proxy)
        elif call.channel_id and not answer.public:
            self._client.chat_postEphemeral(channel=call.channel_id, user=call.user_id, **message)
        else:
            post_message(self._client, channel=call.channel_id or call.user_id, **message)

    def _post_notice(self, request: SlackRequest, notice: Line) -> None:
        """Notify the channel of a change. If Slack certainly did not take the message, it is sent later."""
        if not request.channel_id:
            return
        text = block_kit.mrkdwn(notice)
        try:
            blocks = block_kit.notice_blocks(notice)
            post_message(self._client, channel=request.channel_id, text=text, blocks=blocks)
        except CALL_ERRORS as error:
            failure = failure_of(error)
            if failure.kind in {ErrorKind.THROTTLED, ErrorKind.UNSENT}:
                due = self._clock.now() + failure.wait
                self._store.notices.put(request.team_id, request.channel_id, text, at=due)
                self._dispatcher.wake()
            elif failure.kind is not ErrorKind.CHANNEL:  # nobody expects the bot to post where it is no member
                log.warning("The notice of a change could not be posted in its channel: %s", failure.code)

    def _try(self, send: Callable[[], object]) -> bool:
        """Return whether Slack took the call; the log has its reason if not."""
        try:
            send()
        except CALL_ERRORS as error:
            log.warning("An answer could not be shown: %s", failure_of(error).code)
            return False
        return True
