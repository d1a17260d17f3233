"""A deliverer on a workspace over the wire, both by one clock that stands still until a test moves it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.slack.client import slack_client
from bot.slack.delivery.deliverer import Deliverer
from bot.workspace import Message
from handlers.model import Alert, Page
from storage.store import Store
from storage.values import Subscription, Target
from tests.labs.standins.clock import HandClock
from tests.labs.standins.histories import scene
from tests.labs.standins.instrumented_workspace import InstrumentedServer, InstrumentedWorkspace
from tests.labs.standins.slack_faults import ApiCall
from tests.labs.standins.slacked import served

TEAM, NEWSROOM, POLITICS, ANA = "T0NEWSROOM", "C0NEWSROOM", "C0POLITICS", "U0ANA00001"
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A deliverer on a workspace, both by one clock that stands still."""

    folder: Path
    clock: HandClock
    workspace: InstrumentedWorkspace
    server: InstrumentedServer
    store: Store
    deliverer: Deliverer

    def restarted(self) -> Deliverer:
        """A new deliverer, as after a restart of the bot."""
        return deliverer(self.server, self.store, self.clock)

    def later(self, seconds: float) -> None:
        self.clock.move(timedelta(seconds=seconds))
        self.deliverer.deliver_due()

    def subscribe(self, channel: str, page: str = "a") -> None:
        subscription = Subscription(
            team_id=TEAM,
            channel_id=channel,
            target=Target.PAGE,
            slug=page,
            features=("overtake", "foreign"),
            by=ANA,
            at=NOW,
        )
        self.store.subscriptions.put(subscription)

    def raise_(self, *alerts: Alert) -> None:
        """The alerts happen, and go where they are wanted."""
        with self.store.write():
            for alert in alerts:
                self.store.outbox.put(alert, self.store.subscriptions.matching(alert), at=self.clock.now())

    def posted(self, channel: str = NEWSROOM) -> list[Message]:
        return self.workspace.messages(channel)

    def keys(self, channel: str = NEWSROOM) -> list[str]:
        """The keys of all alerts posted in a channel, in their order."""
        payloads = [message.metadata["event_payload"] for message in self.posted(channel) if message.metadata]
        return [one["key"] for payload in payloads for one in payload.get("alerts", [payload])]

    def posts(self) -> list[ApiCall]:
        """The calls that posted something, or tried to."""
        return [call for call in self.workspace.calls if call.method == "chat.postMessage"]

    def told(self) -> list[str]:
        """What Ana was told in direct messages."""
        return [message.text for message in self.workspace.messages(f"D{ANA[1:]}")]


def deliverer(server: InstrumentedServer, store: Store, clock: HandClock) -> Deliverer:
    client = slack_client(token=server.bot_token, api_url=server.api_url)
    return Deliverer(client=client, store=store, clock=clock, chance=random.Random(1))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    clock = HandClock(NOW)
    workspace = InstrumentedWorkspace(clock=clock)
    store = Store.open(tmp_path / "likewatch.db")
    for slug in ("a", "b"):
        page = Page(slug=slug, name=slug.title(), platform="facebook", home="KH", groups=("g",))
        store.pages.add(page, None, at=NOW)
    with served(workspace) as server:
        desk = Desk(
            folder=tmp_path,
            clock=clock,
            workspace=workspace,
            server=server,
            store=store,
            deliverer=deliverer(server, store, clock),
        )
        desk.subscribe(NEWSROOM)
        yield desk
    store.close()


AHEAD = scene("ahead")


def numbered(number: int) -> Alert:
    """Alerts that tell apart by nothing but their keys, each a story of its own."""
    return replace(AHEAD, key=f"key-{number}", story=f"story-{number}")


def many(number: int) -> list[Alert]:
    """So many of them."""
    return [numbered(one) for one in range(1, number + 1)]
