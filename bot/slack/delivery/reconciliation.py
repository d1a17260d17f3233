"""Whether a post of unknown outcome is in its channel: its keys are looked for in what Slack shows of the channel."""

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
"""Metadata's type; its payload holds the keys of the alerts, by which a posted message is recognised."""

MARGIN = timedelta(hours=2)
"""How far this machine's clock may be ahead of Slack's, or have been set back since."""

_PAGE = 200
"""Messages asked for in one call; an app that is sold outside Slack's marketplace gets 15, and one call a minute:
https://docs.slack.dev/apis/web-api/rate-limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundMessages:
    """The message: its timestamp, that of the card it stands under (None: under none), and the keys it carries.

    ``listed``: it is a list of several alerts.
    """

    ts: str
    thread_ts: str | None
    keys: frozenset[str]
    listed: bool


def metadata(deliveries: Sequence[Delivery]) -> dict[str, Any]:
    """What a message carries, unseen: Slack takes scalars, and lists of objects of scalars."""
    keys = [delivery.alert.key for delivery in deliveries]
    payload: dict[str, Any] = {"key": keys[0]} if len(keys) == 1 else {"alerts": [{"key": key} for key in keys]}
    return {"event_type": EVENT_TYPE, "event_payload": payload}


class Reconciliation:
    """Looks for the posts of unknown outcome in one channel. Stopped by an error, it goes on where it was.

    Mostly it is one post; after a restore, all that waited in the backup. ``began`` is when it was first asked to, in
    monotonic seconds.
    """

    def __init__(self, client: WebClient, deliveries: Sequence[Delivery], *, began: float) -> None:
        first = deliveries[0]
        assert first.claimed_at is not None  # noqa: S101 (whatever is being sent was claimed)
        self.began = began
        self._client = client
        self._channel_id = first.channel_id
        self._oldest = f"{(first.claimed_at - MARGIN).timestamp():.6f}"
        self._missing = {delivery.alert.key for delivery in deliveries}
        self._found: list[FoundMessages] = []
        cards = (delivery.card_ts for delivery in deliveries if delivery.card_ts is not None)
        self._places: list[str | None] = [*dict.fromkeys(cards), None]  # threads, and then the channel itself
        self._cursor: str | None = None

    def go_on(self) -> list[FoundMessages]:
        """The messages that are there, oldest first. Raises what the client raises; ask again later then."""
        while self._places and self._missing:
            thread_ts = self._places[0]
            page = self._history() if thread_ts is None else self._replies(thread_ts)
            for message in page.get("messages", ()):
                self._look_at(message, thread_ts)
            self._cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
            if self._cursor is None:
                del self._places[0]
        return sorted(self._found, key=lambda found: found.ts)

    def _look_at(self, message: Mapping[str, Any], thread_ts: str | None) -> None:
        carried = frozenset(_keys(message))
        if self._missing & carried:
            self._missing -= carried
            ts = str(message["ts"])
            self._found.append(FoundMessages(ts=ts, thread_ts=thread_ts, keys=carried, listed=len(carried) > 1))
            if thread_ts is None and message.get("reply_count"):
                self._places.append(ts)  # what followed in its story may stand under it

    def _replies(self, thread_ts: str) -> Mapping[str, Any]:
        """A page of the thread; an empty one where there is no such thread any more."""
        try:
            return self._client.conversations_replies(
                channel=self._channel_id,
                ts=thread_ts,
                oldest=self._oldest,
                include_all_metadata=True,
                limit=_PAGE,
                cursor=self._cursor,
            ).data  # type: ignore[return-value]  # always an object: the client has checked "ok" in it
        except SlackApiError as error:
            if failure_of(error).code != "thread_not_found":
                raise
        return {}

    def _history(self) -> Mapping[str, Any]:
        return self._client.conversations_history(
            channel=self._channel_id,
            oldest=self._oldest,
            include_all_metadata=True,
            limit=_PAGE,
            cursor=self._cursor,
        ).data  # type: ignore[return-value]  # as above


def _keys(message: Mapping[str, Any]) -> Iterator[str]:
    """The alerts' keys that a message carries; other apps' metadata may look like anything."""
    carried = message.get("metadata") or {}
    if carried.get("event_type") != EVENT_TYPE:
        return
    payload = carried.get("event_payload") or {}
    for one in (payload, *payload.get("alerts", ())):
        if isinstance(one, dict) and isinstance(one.get("key"), str):
            yield one["key"]
