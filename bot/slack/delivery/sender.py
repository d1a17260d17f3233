"""One channel's turn: check again, post, mark. What may have been posted is looked for before it is posted again."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TypeAlias

from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse, WebClient

from bot.clock import Clock
from bot.pages.alert_names import alert_sentence
from bot.slack.client import (
    CALL_ERRORS,
    TIMEOUT,
    ErrorKind,
    SlackFailure,
    at_worst_in_plain_words,
    failure_of,
    spoken,
    with_or_without_charts,
)
from bot.slack.contract import Card
from bot.slack.delivery.filters import drop_reason
from bot.slack.delivery.pausing import pause
from bot.slack.delivery.reconciliation import Reconciliation, metadata
from bot.slack.render import block_kit
from bot.slack.render.alert_card import alert_card
from bot.slack.render.list_card import MORE_THAN, MOST, list_card
from handlers.model import Alert
from storage.delivery.outbox import ALONE
from storage.errors import StoreError
from storage.store import Store
from storage.values import Delivery, StoredAlert

log = logging.getLogger(__name__)

Channel: TypeAlias = tuple[str, str]
"""A team's id and a channel's."""

SETTLE = timedelta(seconds=2 * TIMEOUT)
"""A post of unknown outcome is looked for this long after its call ended, or after a restart: what is still on its
way then arrives within the time that its answer was waited for, and as long again."""

LONGEST_SEARCH = timedelta(minutes=10)
"""Where Slack lets us read a channel's history so slowly, the alert is posted again with a word about it."""

LONGEST_BACKOFF = 300
"""Seconds."""

MANY_THROTTLED = 3
"""Where so many channels are told to wait at once, it is the workspace's own limit: none of its channels is tried."""

MAY_REPEAT = "Slack did not say whether it took this alert the first time: it may be here twice."

_NO_REPLIES = {
    "cannot_reply_to_message",
    "restricted_action_non_threadable_channel",
    "restricted_action_thread_locked",
    "thread_not_found",
}


class Sender:
    """Takes one channel's turn at a time; several threads may each take another channel's.

    ``refused`` is set once Slack does not know our token any more: nothing is tried then, and everything waits.
    """

    def __init__(self, *, client: WebClient, store: Store, clock: Clock, chance: random.Random) -> None:
        self.refused = False
        self._client = client
        self._store = store
        self._clock = clock
        self._chance = chance
        self._noting = threading.Lock()
        self._down = ""
        self._throttled: dict[Channel, float] = {}
        self._searches: dict[Channel, Reconciliation] = {}

    def claim(self) -> tuple[Delivery, ...]:
        """What is to be posted next in one message; nothing if nothing may be posted now."""
        with self._store.write():
            first = self._store.outbox.claim(self._clock.now())
            if first is None:
                return ()
            return (first, *self._store.outbox.claim_behind(first, more_than=MORE_THAN, most=MOST))

    def deliver(self, claimed: Sequence[Delivery]) -> None:
        """Post what was claimed, if it is still wanted. Its outcome may stay unknown: it is then still being sent."""
        if self.refused:
            self._again(claimed, "Slack refused the token")
            return
        wanted = [delivery for delivery in claimed if self._wanted(delivery)]
        deliveries, card = self._laid_out(wanted)
        if card is None:
            return
        if any(delivery.trouble == MAY_REPEAT for delivery in deliveries):
            card = replace(card, context=(*card.context, MAY_REPEAT))
        try:
            ts, card_ts = self._send(deliveries, card)
        except CALL_ERRORS as error:
            self._failed(deliveries, error)
            return
        self._sent(deliveries, ts, card_ts, listed=len(deliveries) > 1)

    def reconcile(self, deliveries: Sequence[Delivery]) -> timedelta | None:
        """Find out whether a post of unknown outcome is in the channel; only what is not becomes pending again.

        Returns after how long to look again, where Slack could not be asked.
        """
        channel = deliveries[0].team_id, deliveries[0].channel_id
        now = self._clock.monotonic()
        search = self._searches.setdefault(channel, Reconciliation(self._client, deliveries, began=now))
        try:
            found = search.go_on()
        except CALL_ERRORS as error:
            if (wait := self._look_again(deliveries, search, error)) is None:
                del self._searches[channel]
            return wait
        del self._searches[channel]
        self._up()
        for message in found:
            there = [delivery for delivery in deliveries if delivery.alert.key in message.keys]
            self._sent(there, message.ts, message.thread_ts, listed=message.listed)
        seen = {key for message in found for key in message.keys}
        missing = [delivery for delivery in deliveries if delivery.alert.key not in seen]
        self._again(missing, "Slack did not take it", after=self._backoff)
        return None

    def refuse(self, error: BaseException) -> None:
        """Slack does not know us any more: nothing is tried with this token again, and nothing is lost meanwhile."""
        with self._noting:
            said, self.refused = self.refused, True
        if not said:
            log.error("Alerts wait in the outbox, and nothing more is tried: %s", spoken(error))

    def _wanted(self, delivery: Delivery) -> bool:
        """Whether it still is; what is not is dropped."""
        if (why := drop_reason(self._store, delivery, self._clock.now())) is None:
            return True
        self._store.outbox.drop(delivery.id, why.value)
        return False

    def _laid_out(self, wanted: Sequence[Delivery]) -> tuple[list[Delivery], Card | None]:
        """The card of one alert, or the list of several; without those that no words can be found for."""
        if len(wanted) == 1:
            card = self._card(wanted[0])
            return list(wanted), card
        sayable: list[Delivery] = []
        lines: list[tuple[Alert, str]] = []
        for delivery in wanted:
            if (sentence := self._sentence(delivery)) is not None:
                sayable.append(delivery)
                lines.append((delivery.alert, sentence))
        if len(sayable) == 1:
            return self._laid_out(sayable)
        return sayable, list_card(lines) if lines else None

    def _card(self, delivery: Delivery) -> Card | None:
        try:
            return alert_card(self._kept(delivery), self._store)
        except StoreError:
            raise
        except Exception as error:  # one alert must not hold up the others
            log.exception("The card of %s could not be made; it is not posted", delivery.alert.key)
            self._unsayable(delivery, error)
            return None

    def _sentence(self, delivery: Delivery) -> str | None:
        try:
            return alert_sentence(delivery.alert, self._store)
        except StoreError:
            raise
        except Exception as error:  # as above
            log.exception("No words could be found for %s; it is not posted", delivery.alert.key)
            self._unsayable(delivery, error)
            return None

    def _unsayable(self, delivery: Delivery, error: Exception) -> None:
        self._store.outbox.fail(delivery.id, f"its card could not be made: {type(error).__name__}")

    def _kept(self, delivery: Delivery) -> StoredAlert:
        kept = self._store.alerts.get(delivery.alert.key)
        assert kept is not None  # noqa: S101 (alerts are never deleted)
        return kept

    def _send(self, deliveries: Sequence[Delivery], card: Card) -> tuple[str, str | None]:
        """The timestamps of what was posted and, for a thread, of the card it belongs to."""
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
        """Bring the story's card up to date; False if Slack does not let us: it is gone, or too old to be edited."""
        text = block_kit.fallback_text(card)

        def update(blocks: list[block_kit.Block]) -> SlackResponse:
            return self._client.chat_update(channel=delivery.channel_id, ts=card_ts, text=text, blocks=blocks)

        try:
            at_worst_in_plain_words(update, block_kit.blocks(card))
        except SlackApiError as error:
            if failure_of(error).fault is not ErrorKind.REFUSED:
                raise
            return False
        return True

    def _post(self, deliveries: Sequence[Delivery], card: Card, *, thread_ts: str | None = None) -> str:
        def post(blocks: list[block_kit.Block]) -> SlackResponse:
            return self._client.chat_postMessage(
                channel=deliveries[0].channel_id,
                thread_ts=thread_ts,
                text=block_kit.fallback_text(card),
                blocks=blocks,
                metadata=metadata(deliveries),
                unfurl_links=False,
                unfurl_media=False,
            )

        send = at_worst_in_plain_words if len(deliveries) == 1 else with_or_without_charts
        return str(send(post, block_kit.blocks(card))["ts"])

    def _sent(self, deliveries: Sequence[Delivery], ts: str, card_ts: str | None, *, listed: bool) -> None:
        now = self._clock.now()
        if listed:
            self._store.outbox.mark_sent_together([delivery.id for delivery in deliveries], ts, at=now)
        else:
            self._store.outbox.mark_sent(deliveries[0].id, ts, at=now, card_ts=card_ts)
        self._up()

    def _failed(self, deliveries: Sequence[Delivery], error: BaseException) -> None:
        failure = failure_of(error)
        match failure.fault:
            case ErrorKind.THROTTLED:
                self._throttle(deliveries, failure)
            case ErrorKind.UNSENT:
                self._again(deliveries, failure.code, after=self._backoff)
                self._is_down(failure)
            case ErrorKind.AMBIGUOUS:
                self._is_down(failure)  # it stays "sending" until it has settled and was looked for
            case ErrorKind.TOKEN | ErrorKind.PERMISSION:
                self.refuse(error)  # first, or they would be claimed again at once
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
        """The channel waits as long as Slack asked; all of the team's do where it is the workspace that is full."""
        now, clock = self._clock.now(), self._clock.monotonic()
        team_id, channel_id = deliveries[0].team_id, deliveries[0].channel_id
        with self._noting:
            self._throttled[team_id, channel_id] = clock + failure.wait.total_seconds()
            waiting = {one: until for one, until in self._throttled.items() if until > clock}
            self._throttled = waiting
            throttled = sum(team == team_id for team, _ in waiting)
        with self._store.write():
            self._again(deliveries, failure.code, after=lambda _: failure.wait)
            if failure.everywhere or throttled >= MANY_THROTTLED:
                self._store.outbox.hold_team(team_id, at=now, until=now + failure.wait)

    def _again(
        self,
        deliveries: Sequence[Delivery],
        why: str,
        *,
        after: Callable[[Delivery], timedelta] = lambda _: timedelta(0),
    ) -> None:
        """Back to pending, all together. A word that it may repeat stays with an alert until it is sent."""
        now = self._clock.now()
        with self._store.write():
            for delivery in deliveries:
                kept = delivery.trouble if delivery.trouble in {MAY_REPEAT, ALONE} else None
                said = why if why in {MAY_REPEAT, ALONE} else kept or why
                self._store.outbox.retry(delivery.id, at=now, not_before=now + after(delivery), why=said)

    def _backoff(self, delivery: Delivery) -> timedelta:
        """1, 2, 4 … seconds, at most five minutes, less up to a half by chance."""
        longest = min(LONGEST_BACKOFF, 2 ** min(delivery.attempts, 16))
        return timedelta(seconds=longest * self._chance.uniform(0.5, 1))

    def _look_again(
        self, deliveries: Sequence[Delivery], search: Reconciliation, error: BaseException
    ) -> timedelta | None:
        """After how long to ask Slack again; None where it has been decided without."""
        failure = failure_of(error)
        searched = timedelta(seconds=self._clock.monotonic() - search.began)
        match failure.fault:
            case ErrorKind.THROTTLED if searched + failure.wait <= LONGEST_SEARCH:
                return failure.wait
            case ErrorKind.UNSENT | ErrorKind.AMBIGUOUS:
                self._is_down(failure)
                return max(SETTLE, self._backoff(deliveries[0]))
            case ErrorKind.TOKEN:
                self.refuse(error)
                return SETTLE
            case _:  # the channel's history is not for us to read
                log.warning(
                    "Whether an alert arrived in %s cannot be looked up (%s); it is posted again, and says so",
                    deliveries[0].channel_id,
                    failure.code,
                )
                self._again(deliveries, MAY_REPEAT, after=self._backoff)
                return None

    def _is_down(self, failure: SlackFailure) -> None:
        with self._noting:
            was, self._down = self._down, failure.code
        if not was:
            log.warning("Slack does not take alerts (%s); it is tried again", failure.code)

    def _up(self) -> None:
        with self._noting:
            was, self._down = self._down, ""
        if was:
            log.info("Slack takes alerts again (it was %s)", was)
