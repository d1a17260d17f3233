"""Reconciliation: search a channel's history for posts whose outcome is unknown, by the keys that messages carry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web import WebClient

from bot.slack.client import failure_of
from storage.values import Delivery

EVENT_TYPE = "likewatch_alert"
"""The type of the metadata. Its payload holds the keys of the alerts, by which a message is recognised."""

CLOCK_MARGIN = timedelta(hours=2)
"""The search begins this much earlier: this machine's clock may be ahead of Slack's, or may have been set back."""

_PAGE_SIZE = 200
"""Messages requested in one call. An app that is sold outside Slack's marketplace gets 15, and one call a minute:
https://docs.slack.dev/apis/web-api/rate-limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundMessage:
    """One message in Slack's history.

    ``ts`` is its timestamp, and ``thread_ts`` that of the card above it (None outside a thread). ``keys`` are the
    alerts' keys. ``listed`` says that the message lists several alerts.
    """

    ts: str
    thread_ts: str | None
    keys: frozenset[str]
    listed: bool


def metadata(deliveries: Sequence[Delivery]) -> dict[str, Any]:
    """Return the hidden metadata of a message. Slack accepts scalars, and lists of objects of scalars."""
    keys = [delivery.alert.key for delivery in deliveries]
    payload: dict[str, Any] = {"key": keys[0]} if len(keys) == 1 else {"alerts": [{"key": key} for key in keys]}
    return {"event_type": EVENT_TYPE, "event_payload": payload}


class Reconciliation:
    """The search in one channel. After an error, the next call continues where the search stopped.

    Usually one post is searched for; after a restore, every alert that waited in the backup. ``began`` is the start
    of the search, in monotonic seconds.
    """

    def __init__(self, client: WebClient, deliveries: Sequence[Delivery], *, began: float) -> None:
        first = deliveries[0]
        assert first.claimed_at is not None  # noqa: S101 (a delivery that is being sent was claimed)
        self.began = began
        self._client = client
        self._channel_id = first.channel_id
        self._oldest = f"{(first.claimed_at - CLOCK_MARGIN).timestamp():.6f}"
        self._missing = {delivery.alert.key for delivery in deliveries}
        self._found: list[FoundMessage] = []
        cards = (delivery.card_ts for delivery in deliveries if delivery.card_ts is not None)
        self._places: list[str | None] = [*dict.fromkeys(cards), None]  # threads, and then the channel itself
        self._cursor: str | None = None

    def search(self) -> list[FoundMessage]:
        """Return the messages that are there, oldest first. Raise what the client raises; call again later then."""
        while self._places and self._missing:
            thread_ts = self._places[0]
            page = self._page(thread_ts)
            for message in page.get("messages", ()):
                self._check(message, thread_ts)
            self._cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
            if self._cursor is None:
                del self._places[0]
        return sorted(self._found, key=lambda found: found.ts)

    def _check(self, message: Mapping[str, Any], thread_ts: str | None) -> None:
        carried = frozenset(_keys(message))
        if self._missing & carried:
            self._missing -= carried
            ts = str(message["ts"])
            self._found.append(FoundMessage(ts=ts, thread_ts=thread_ts, keys=carried, listed=len(carried) > 1))
            if thread_ts is None and message.get("reply_count"):
                self._places.append(ts)  # later alerts of its story may be in its thread

    def _page(self, thread_ts: str | None) -> Mapping[str, Any]:
        """Return a page of the thread, or of the channel. The page is empty if the thread is gone."""
        options: dict[str, Any] = {"channel": self._channel_id, "oldest": self._oldest, "cursor": self._cursor}
        options |= {"include_all_metadata": True, "limit": _PAGE_SIZE}
        try:
            if thread_ts is None:
                answer = self._client.conversations_history(**options)
            else:
                answer = self._client.conversations_replies(ts=thread_ts, **options)
        except SlackApiError as error:
            if thread_ts is None or failure_of(error).code != "thread_not_found":
                raise
            return {}
        return answer.data  # type: ignore[return-value]  # always an object: the client has checked "ok" in it


def _keys(message: Mapping[str, Any]) -> Iterator[str]:
    """Yield the alerts' keys that a message carries. Metadata of other apps may have any form."""
    carried = message.get("metadata") or {}
    if carried.get("event_type") != EVENT_TYPE:
        return
    payload = carried.get("event_payload") or {}
    for one in (payload, *payload.get("alerts", ())):
        if isinstance(one, dict) and isinstance(one.get("key"), str):
            yield one["key"]
