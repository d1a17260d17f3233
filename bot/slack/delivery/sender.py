"""Send what waits for one channel: check the delivery filters, post, mark as sent.

A post whose outcome is unknown is searched for (reconciliation) before it is posted again.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TypeAlias, TypeVar

from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse, WebClient

from bot.clock import Clock
from bot.pages.alert_names import alert_sentence
from bot.slack.client import (
    CALL_ERRORS,
    TIMEOUT,
    ErrorKind,
    SlackFailure,
    error_sentence,
    failure_of,
    post_message,
    with_chart_fallback,
    with_plain_text_fallback,
)
from bot.slack.contract import Card
from bot.slack.delivery.filters import drop_reason
from bot.slack.delivery.pace import BETWEEN_MESSAGES, MANY_THROTTLED, backoff
from bot.slack.delivery.reconciliation import Reconciliation, metadata
from bot.slack.delivery.unreachable_channels import pause
from bot.slack.render import block_kit
from bot.slack.render.alert_card import MAX_CARDS, MAX_LISTED, alert_card, list_card
from handlers.model import Alert
from storage.delivery.outbox import ALONE
from storage.errors import StoreError
from storage.store import Store
from storage.values import Delivery

log = logging.getLogger(__name__)

T = TypeVar("T")
Channel: TypeAlias = tuple[str, str]
"""The ids of a team and of a channel."""

SEARCH_AFTER = timedelta(seconds=2 * TIMEOUT)
"""How long to wait before the search for a post of unknown outcome, after its call ended or after a restart.

A message that is still under way then arrives within twice the time that the client waits for an answer."""

LONGEST_SEARCH = timedelta(minutes=10)
"""A search that takes longer is given up. The alert is then posted again, and says that it may be there twice."""

MAY_BE_TWICE = "Slack did not say whether it took this alert the first time: it may be here twice."

_NO_REPLIES = {
    "cannot_reply_to_message",
    "restricted_action_non_threadable_channel",
    "restricted_action_thread_locked",
    "thread_not_found",
}


class Sender:
    """Sends the deliveries of one channel at a time. Several threads may each send to another channel.

    ``refused`` is true after Slack refused the token. Nothing is tried then, and everything waits.
    """

    def __init__(self, *, client: WebClient, store: Store, clock: Clock, chance: random.Random) -> None:
        self.refused = False
        self._client = client
        self._store = store
        self._clock = clock
        self._chance = chance
        self._lock = threading.Lock()
        self._down = ""
        self._throttled: dict[Channel, float] = {}
        self._searches: dict[Channel, Reconciliation] = {}

    def claim(self) -> tuple[Delivery, ...]:
        """Claim the deliveries of the next message; none if nothing may be posted now."""
        with self._store.write():
            first = self._store.outbox.claim(self._clock.now())
            if first is None:
                return ()
            return (first, *self._store.outbox.claim_behind(first, more_than=MAX_CARDS, most=MAX_LISTED))

    def deliver(self, claimed: Sequence[Delivery]) -> None:
        """Post the claimed deliveries that pass the filters. If the outcome stays unknown, they stay “sending”."""
        if self.refused:
            self._again(claimed, "Slack refused the token")
            return
        deliveries, card = self._card_of([delivery for delivery in claimed if self._passes(delivery)])
        if card is None:
            return
        if any(delivery.trouble == MAY_BE_TWICE for delivery in deliveries):
            card = replace(card, context=(*card.context, MAY_BE_TWICE))
        try:
            ts, card_ts = self._send(deliveries, card)
        except CALL_ERRORS as error:
            self._failed(deliveries, error)
            return
        self._sent(deliveries, ts, card_ts, listed=len(deliveries) > 1)

    def reconcile(self, deliveries: Sequence[Delivery]) -> timedelta | None:
        """Search the channel for posts of unknown outcome. Posts that are not there become pending again.

        Return the time until the next try if Slack could not be asked, or None if the search has ended.
        """
        channel = deliveries[0].team_id, deliveries[0].channel_id
        now = self._clock.monotonic()
        search = self._searches.setdefault(channel, Reconciliation(self._client, deliveries, began=now))
        try:
            found = search.search()
        except CALL_ERRORS as error:
            if (wait := self._search_again(deliveries, search, error)) is None:
                del self._searches[channel]
            return wait
        del self._searches[channel]
        self._note_up()
        for message in found:
            there = [delivery for delivery in deliveries if delivery.alert.key in message.keys]
            self._sent(there, message.ts, message.thread_ts, listed=message.listed)
        seen = {key for message in found for key in message.keys}
        missing = [delivery for delivery in deliveries if delivery.alert.key not in seen]
        self._again(missing, "Slack did not take it", after=self._backoff)
        return None

    def refuse(self, error: BaseException) -> None:
        """Note that Slack refused the token: nothing is tried with it again, and nothing is lost."""
        with self._lock:
            was_refused, self.refused = self.refused, True
        if not was_refused:
            log.error("Alerts wait in the outbox, and nothing is sent until a restart: %s", error_sentence(error))

    def _passes(self, delivery: Delivery) -> bool:
        """Return whether the delivery passes the filters; drop it if not."""
        if (why := drop_reason(self._store, delivery, self._clock.now())) is None:
            return True
        self._store.outbox.drop(delivery.id, why.value)
        return False

    def _card_of(self, deliveries: Sequence[Delivery]) -> tuple[list[Delivery], Card | None]:
        """Return the card of one alert, or the list of several, without alerts whose text cannot be made."""
        if len(deliveries) == 1:
            return list(deliveries), self._made(deliveries[0], lambda: self._alert_card(deliveries[0]))
        worded: list[Delivery] = []
        lines: list[tuple[Alert, str]] = []
        for delivery in deliveries:
            if (sentence := self._made(delivery, partial(alert_sentence, delivery.alert, self._store))) is not None:
                worded.append(delivery)
                lines.append((delivery.alert, sentence))
        if len(worded) == 1:
            return self._card_of(worded)
        return worded, list_card(lines) if lines else None

    def _alert_card(self, delivery: Delivery) -> Card:
        stored = self._store.alerts.get(delivery.alert.key)
        assert stored is not None  # noqa: S101 (alerts are never deleted)
        return alert_card(stored, self._store)

    def _made(self, delivery: Delivery, make: Callable[[], T]) -> T | None:
        """Return what ``make`` makes. If it fails, give the delivery up, so that it does not delay the others."""
        try:
            return make()
        except StoreError:
            raise
        except Exception as error:
            log.exception("The card of %s could not be made, so it is not posted", delivery.alert.key)
            self._store.outbox.fail(delivery.id, f"its card could not be made: {type(error).__name__}")
            return None

    def _send(self, deliveries: Sequence[Delivery], card: Card) -> tuple[str, str | None]:
        """Post, and return the timestamps of the message and, in a thread, of its card."""
        card_ts = deliveries[0].card_ts
        if card_ts is not None and self._updated(deliveries[0], card_ts, card):
            follow_up = replace(card, lines=(), plot=None, buttons=())
            try:
                return self._post(deliveries, follow_up, thread_ts=card_ts), card_ts
            except SlackApiError as error:
                if failure_of(error).code not in _NO_REPLIES:
                    raise
        return self._post(deliveries, card), None

    def _updated(self, delivery: Delivery, card_ts: str, card: Card) -> bool:
        """Update the card of the story. Return False if Slack refuses: the card is gone, or too old to be edited."""
        text = block_kit.fallback_text(card)

        def update(blocks: list[block_kit.Block]) -> SlackResponse:
            return self._client.chat_update(channel=delivery.channel_id, ts=card_ts, text=text, blocks=blocks)

        try:
            with_plain_text_fallback(update, block_kit.blocks(card))
        except SlackApiError as error:
            if failure_of(error).kind is not ErrorKind.REFUSED:
                raise
            return False
        return True

    def _post(self, deliveries: Sequence[Delivery], card: Card, *, thread_ts: str | None = None) -> str:
        def post(blocks: list[block_kit.Block]) -> SlackResponse:
            return post_message(
                self._client,
                channel=deliveries[0].channel_id,
                thread_ts=thread_ts,
                text=block_kit.fallback_text(card),
                blocks=blocks,
                metadata=metadata(deliveries),
            )

        send = with_plain_text_fallback if len(deliveries) == 1 else with_chart_fallback
        return str(send(post, block_kit.blocks(card))["ts"])

    def _sent(self, deliveries: Sequence[Delivery], ts: str, card_ts: str | None, *, listed: bool) -> None:
        now = self._clock.now()
        if listed:
            self._store.outbox.mark_sent_together(
                [delivery.id for delivery in deliveries], ts, at=now, pace=BETWEEN_MESSAGES
            )
        else:
            self._store.outbox.mark_sent(deliveries[0].id, ts, at=now, pace=BETWEEN_MESSAGES, card_ts=card_ts)
        self._note_up()

    def _failed(self, deliveries: Sequence[Delivery], error: BaseException) -> None:
        failure = failure_of(error)
        match failure.kind:
            case ErrorKind.THROTTLED:
                self._throttle(deliveries, failure)
            case ErrorKind.UNSENT:
                self._again(deliveries, failure.code, after=self._backoff)
                self._note_down(failure)
            case ErrorKind.AMBIGUOUS:
                self._note_down(failure)  # it stays "sending" until the search decides
            case ErrorKind.TOKEN | ErrorKind.PERMISSION:
                self.refuse(error)  # first, or another thread would claim them at once
                self._again(deliveries, failure.code)
            case ErrorKind.CHANNEL:
                with self._store.write():
                    self._again(deliveries, failure.code)
                    pause(self._store, deliveries[0], failure.code, self._clock.now())
            case ErrorKind.REFUSED if len(deliveries) > 1:
                log.warning("Slack refused a list of alerts (%s); they are posted one by one", failure.code)
                self._again(deliveries, ALONE)
            case ErrorKind.REFUSED:
                self._store.outbox.fail(deliveries[0].id, failure.code)
                log.error("Slack refused the card of %s: %s", deliveries[0].alert.key, failure.code)

    def _throttle(self, deliveries: Sequence[Delivery], failure: SlackFailure) -> None:
        """Let the channel wait as long as Slack asked, or all channels of the team if the workspace is at its limit."""
        now, clock = self._clock.now(), self._clock.monotonic()
        team_id, channel_id = deliveries[0].team_id, deliveries[0].channel_id
        with self._lock:
            self._throttled[team_id, channel_id] = clock + failure.wait.total_seconds()
            waiting = {one: until for one, until in self._throttled.items() if until > clock}
            self._throttled = waiting
            throttled = sum(team == team_id for team, _ in waiting)
        with self._store.write():
            self._again(deliveries, failure.code, after=lambda _: failure.wait)
            if failure.workspace_wide or throttled >= MANY_THROTTLED:
                self._store.outbox.hold_team(team_id, at=now, until=now + failure.wait)

    def _again(
        self,
        deliveries: Sequence[Delivery],
        why: str,
        *,
        after: Callable[[Delivery], timedelta] = lambda _: timedelta(0),
    ) -> None:
        """Make the deliveries pending again, in one write. The remark “may be twice” stays until one is sent."""
        now = self._clock.now()
        with self._store.write():
            for delivery in deliveries:
                lasting = [one for one in (why, delivery.trouble) if one in {MAY_BE_TWICE, ALONE}]
                reason = lasting[0] if lasting else why
                self._store.outbox.retry(delivery.id, at=now, not_before=now + after(delivery), why=reason)

    def _backoff(self, delivery: Delivery) -> timedelta:
        """Return the time until the next attempt, reduced by up to a half at random."""
        return backoff(delivery.attempts) * self._chance.uniform(0.5, 1)

    def _search_again(
        self, deliveries: Sequence[Delivery], search: Reconciliation, error: BaseException
    ) -> timedelta | None:
        """Return the time until the next search, or None if the search was given up."""
        failure = failure_of(error)
        searched = timedelta(seconds=self._clock.monotonic() - search.began)
        match failure.kind:
            case ErrorKind.THROTTLED if searched + failure.wait <= LONGEST_SEARCH:
                return failure.wait
            case ErrorKind.UNSENT | ErrorKind.AMBIGUOUS:
                self._note_down(failure)
                return max(SEARCH_AFTER, self._backoff(deliveries[0]))
            case ErrorKind.TOKEN:
                self.refuse(error)
                return SEARCH_AFTER
            case _:  # the app may not read this channel's history
                log.warning(
                    "The history of %s cannot be searched for an alert (%s); the alert is posted again, and says so",
                    deliveries[0].channel_id,
                    failure.code,
                )
                self._again(deliveries, MAY_BE_TWICE, after=self._backoff)
                return None

    def _note_down(self, failure: SlackFailure) -> None:
        with self._lock:
            before, self._down = self._down, failure.code
        if not before:
            log.warning("Slack does not accept alerts (%s); sending is tried again", failure.code)

    def _note_up(self) -> None:
        with self._lock:
            before, self._down = self._down, ""
        if before:
            log.info("Slack accepts alerts again (the trouble was %s)", before)
