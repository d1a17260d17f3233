"""From the outbox to Slack: claim, check again, post, mark. What may have been posted is looked for before a repeat."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse, WebClient

from bot.clock import Clock
from bot.slack import cards
from bot.slack.alert_card import alert_card
from bot.slack.client import CALL_ERRORS, TIMEOUT, Failure, Fault, failure_of, spoken, with_or_without_charts
from bot.slack.contract import Card
from storage.errors import StoreError
from storage.store import Store
from storage.values import Delivery, Subscription

log = logging.getLogger(__name__)

EVENT_TYPE = "likewatch_alert"
"""Metadata's type; its payload holds the alert's key, by which a posted alert is recognised."""

SETTLE = timedelta(seconds=2 * TIMEOUT)
"""A post of unknown outcome is looked for this long after it was begun: as long again as its answer was waited for."""

MARGIN = timedelta(minutes=1)
"""How far this machine's clock may be ahead of Slack's."""

LONGEST_BACKOFF = 300
"""Seconds."""

IDLE = 60.0
"""Seconds after which an idle sender looks again, should the machine's clock have been set."""

MAY_REPEAT = "Slack did not say whether it took this alert the first time: it may be here twice."

_CARD_GONE = {"message_not_found", "cant_update_message", "edit_window_closed"}
_WHY_PAUSED = {
    "not_in_channel": "Likewatch is not in this channel any more. Type /invite @Likewatch in it, then subscribe again.",
    "is_archived": "This channel is archived. Once it is not, subscribe again.",
    "channel_not_found": (
        "Slack shows Likewatch no such channel: it was deleted, or it is private and Likewatch is not in it. "
        "Type /invite @Likewatch in it, then subscribe again."
    ),
}
_NOT_ALLOWED = (
    "This workspace does not let Likewatch post in this channel ({code}). Ask who administers the workspace to allow "
    "it, then subscribe again."
)


class Dropped(StrEnum):
    """Why an alert that waited in the outbox is not posted after all."""

    UNSUBSCRIBED = "the channel is no longer subscribed to it"
    PAUSED = "nothing can be posted in the channel"
    MUTED = "its page is muted in the channel"


class Deliverer:
    """The one sender. ``run`` it in a thread of its own; ``wake`` it when something was put into the outbox."""

    def __init__(self, *, client: WebClient, store: Store, clock: Clock, chance: random.Random) -> None:
        self._client = client
        self._store = store
        self._clock = clock
        self._chance = chance
        self._woken = threading.Event()
        self._look_again: dict[int, datetime] = {}
        self._refused = False
        self._down = ""

    def wake(self) -> None:
        """Look into the outbox now. Called after a commit, and after setting the event that stops ``run``."""
        self._woken.set()

    def run(self, stop: threading.Event) -> None:
        """Deliver until ``stop`` is set. Whatever goes wrong, it goes on."""
        stumbled = False
        while not stop.is_set():
            self._woken.clear()
            try:
                wait = self.deliver_due(stop)
                stumbled = False
            except Exception:  # one of the two loops that must survive (ARCHITECTURE, rule 6)
                if not stumbled:
                    log.exception("Delivering stumbled; it goes on")
                stumbled, wait = True, IDLE / 10
            self._clock.wait(self._woken, min(wait, IDLE))

    def deliver_due(self, stop: threading.Event | None = None) -> float:
        """Post all that may be posted now, one at a time; returns the seconds until there may be more (or an hour)."""
        for delivery in self._store.outbox.unsettled():
            if self._settled_at(delivery) <= self._clock.now() and not self._refused:
                self._reconcile(delivery)
        while not self._refused and not (stop and stop.is_set()):
            claimed = self._store.outbox.claim(self._clock.now())
            if claimed is None:
                break
            self._deliver(claimed)
        return self._until_next()

    def _until_next(self) -> float:
        if self._refused:
            return IDLE
        now = self._clock.now()
        dues = [self._settled_at(delivery) for delivery in self._store.outbox.unsettled()]
        next_at = self._store.outbox.next_at(now)
        if next_at is not None:
            dues.append(next_at)
        return max(0.0, (min(dues) - now).total_seconds()) if dues else IDLE

    def _settled_at(self, delivery: Delivery) -> datetime:
        assert delivery.claimed_at is not None  # noqa: S101 (whatever is being sent was claimed)
        return self._look_again.get(delivery.id, delivery.claimed_at + SETTLE)

    def _deliver(self, delivery: Delivery) -> None:
        reason = self._unwanted(delivery)
        if reason is not None:
            self._store.outbox.drop(delivery.id, reason.value)
            return
        card = self._card(delivery)
        if card is None:
            return
        try:
            ts, card_ts = self._send(delivery, card)
        except CALL_ERRORS as error:
            self._failed(delivery, error)
            return
        self._store.outbox.sent(delivery.id, ts, at=self._clock.now(), card_ts=card_ts)
        self._up()

    def _unwanted(self, delivery: Delivery) -> Dropped | None:
        """What was wanted when the alert was raised may not be now."""
        subscriptions, alert = self._store.subscriptions, delivery.alert
        here = (delivery.team_id, delivery.channel_id)
        if not any((one.team_id, one.channel_id) == here for one in subscriptions.wanting(alert)):
            paused = any(one.paused for one in subscriptions.of_channel(*here))
            return Dropped.PAUSED if paused else Dropped.UNSUBSCRIBED
        now = self._clock.now()
        about = [page for page in (alert.page, alert.rival) if page is not None and not alert.others]
        if any(subscriptions.muted(*here, page, now) for page in about):
            return Dropped.MUTED
        return None

    def _card(self, delivery: Delivery) -> Card | None:
        """The alert's card; None where it cannot be made, which must not hold up the others."""
        kept = self._store.alerts.get(delivery.alert.key)
        assert kept is not None  # noqa: S101 (alerts are never deleted)
        try:
            card = alert_card(kept, self._store)
        except StoreError:
            raise
        except Exception as error:  # the sender's loop survives this too
            log.exception("The card of %s could not be made; it is not posted", delivery.alert.key)
            self._store.outbox.fail(delivery.id, f"its card could not be made: {type(error).__name__}")
            return None
        if delivery.trouble == MAY_REPEAT:
            return replace(card, context=(*card.context, MAY_REPEAT))
        return card

    def _send(self, delivery: Delivery, card: Card) -> tuple[str, str | None]:
        """The timestamps of what was posted and, for a thread, of the card it belongs to."""
        if delivery.card_ts is not None and self._updated(delivery, delivery.card_ts, card):
            follow_up = replace(card, lines=(), plot=None, buttons=())
            return self._post(delivery, follow_up, thread_ts=delivery.card_ts), delivery.card_ts
        return self._post(delivery, card), None

    def _updated(self, delivery: Delivery, card_ts: str, card: Card) -> bool:
        """Bring the story's card up to date; False if it is gone."""
        text = cards.fallback_text(card)

        def update(blocks: list[cards.Block]) -> SlackResponse:
            return self._client.chat_update(channel=delivery.channel_id, ts=card_ts, text=text, blocks=blocks)

        try:
            with_or_without_charts(update, cards.blocks(card))
        except SlackApiError as error:
            if failure_of(error).code in _CARD_GONE:
                return False
            raise
        return True

    def _post(self, delivery: Delivery, card: Card, *, thread_ts: str | None = None) -> str:
        def post(blocks: list[cards.Block]) -> SlackResponse:
            return self._client.chat_postMessage(
                channel=delivery.channel_id,
                thread_ts=thread_ts,
                text=cards.fallback_text(card),
                blocks=blocks,
                metadata={"event_type": EVENT_TYPE, "event_payload": {"key": delivery.alert.key}},
                unfurl_links=False,
                unfurl_media=False,
            )

        return str(with_or_without_charts(post, cards.blocks(card))["ts"])

    def _failed(self, delivery: Delivery, error: BaseException) -> None:
        failure, now = failure_of(error), self._clock.now()
        match failure.fault:
            case Fault.THROTTLED:
                self._again(delivery, now + failure.wait, failure)
            case Fault.UNSENT:
                self._again(delivery, now + self._backoff(delivery), failure)
                self._is_down(failure)
            case Fault.AMBIGUOUS:
                self._is_down(failure)  # it stays "sending" until it has settled and was looked for
            case Fault.TOKEN:
                self._again(delivery, now, failure)
                self._refuse(error)
            case Fault.CHANNEL:
                self._store.outbox.fail(delivery.id, failure.code)
                self._pause(delivery, failure)
            case Fault.REFUSED:
                self._store.outbox.fail(delivery.id, failure.code)
                log.error("Slack refused the card of %s: %s", delivery.alert.key, failure.code)

    def _again(self, delivery: Delivery, not_before: datetime, failure: Failure) -> None:
        why = MAY_REPEAT if delivery.trouble == MAY_REPEAT else failure.code
        self._store.outbox.again(delivery.id, not_before=not_before, why=why)

    def _backoff(self, delivery: Delivery) -> timedelta:
        """1, 2, 4 … seconds, at most five minutes, less up to a half by chance."""
        longest = min(LONGEST_BACKOFF, 2 ** min(delivery.attempts, 16))
        return timedelta(seconds=longest * self._chance.uniform(0.5, 1))

    def _reconcile(self, delivery: Delivery) -> None:
        """Find out whether a post of unknown outcome is in the channel, and only if it is not, post it again."""
        now = self._clock.now()
        self._look_again.pop(delivery.id, None)
        try:
            ts, card_ts = self._find(delivery)
        except CALL_ERRORS as error:
            failure = failure_of(error)
            match failure.fault:
                case Fault.THROTTLED:
                    self._look_again[delivery.id] = now + failure.wait
                case Fault.UNSENT | Fault.AMBIGUOUS:
                    self._look_again[delivery.id] = now + max(SETTLE, self._backoff(delivery))
                    self._is_down(failure)
                case Fault.TOKEN if failure.code != "missing_scope":
                    self._refuse(error)
                case _:  # the channel's history is not for us to read
                    self._store.outbox.again(delivery.id, not_before=now, why=MAY_REPEAT)
            return
        self._up()
        if ts:
            self._store.outbox.sent(delivery.id, ts, at=now, card_ts=card_ts)
        else:
            self._store.outbox.again(delivery.id, not_before=now + self._backoff(delivery), why="Slack did not take it")

    def _find(self, delivery: Delivery) -> tuple[str | None, str | None]:
        """The timestamps of the posted alert and of the card it stands under; None where it is not, or under none."""
        assert delivery.claimed_at is not None  # noqa: S101 (whatever is being sent was claimed)
        oldest = f"{(delivery.claimed_at - MARGIN).timestamp():.6f}"
        channel = delivery.channel_id
        if delivery.card_ts is not None:
            try:
                pages = self._client.conversations_replies(
                    channel=channel, ts=delivery.card_ts, oldest=oldest, include_all_metadata=True
                )
                if ts := _with_key(pages, delivery.alert.key):
                    return ts, delivery.card_ts
            except SlackApiError as error:
                if failure_of(error).code != "thread_not_found":
                    raise
        pages = self._client.conversations_history(channel=channel, oldest=oldest, include_all_metadata=True)
        return _with_key(pages, delivery.alert.key), None

    def _pause(self, delivery: Delivery, failure: Failure) -> None:
        """Nothing more is tried in this channel until somebody subscribes it again; who subscribed it is told, once."""
        why = _WHY_PAUSED.get(failure.code, _NOT_ALLOWED.format(code=failure.code))
        paused = self._store.subscriptions.pause(delivery.team_id, delivery.channel_id, why)
        log.warning("Alerts in channel %s are paused: %s", delivery.channel_id, failure.code)
        for person in sorted(_people(paused)):
            try:
                opened = self._client.conversations_open(users=person)
                self._client.chat_postMessage(
                    channel=opened["channel"]["id"],
                    text=f"I stopped posting alerts in <#{delivery.channel_id}>. {cards.escape(why)}",
                    unfurl_links=False,
                    unfurl_media=False,
                )
            except CALL_ERRORS as error:
                log.warning(
                    "Nobody could be told that channel %s is paused: %s", delivery.channel_id, failure_of(error).code
                )

    def _refuse(self, error: BaseException) -> None:
        """Slack does not know us any more: nothing is tried with this token again, and nothing is lost meanwhile."""
        self._refused = True
        log.error("Alerts wait in the outbox: %s", spoken(error))

    def _is_down(self, failure: Failure) -> None:
        if not self._down:
            log.warning("Slack does not take alerts (%s); it is tried again", failure.code)
        self._down = failure.code

    def _up(self) -> None:
        if self._down:
            log.info("Slack takes alerts again (it was %s)", self._down)
        self._down = ""


def _people(paused: Iterable[Subscription]) -> set[str]:
    """Those who subscribed, by Slack's id; the bot's own example is nobody's."""
    return {one.by for one in paused if one.by.startswith(("U", "W"))}


def _with_key(pages: Iterable[SlackResponse], key: str) -> str | None:
    """The timestamp of the message that carries this alert's key."""
    for page in pages:
        for message in page["messages"]:
            metadata = message.get("metadata", {})
            if metadata.get("event_type") == EVENT_TYPE and metadata.get("event_payload", {}).get("key") == key:
                return str(message["ts"])
    return None
