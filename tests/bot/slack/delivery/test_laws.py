"""Every alert is in its channel once and in order, whatever happens between us and Slack."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.slack.delivery.deliverer import Deliverer
from bot.workspace.model import Channel
from tests.labs.standins.desk import Desk, desk, numbered
from tests.labs.standins.slack_faults import DROP_AFTER, DROP_BEFORE, SERVER_ERROR, PlannedFault, refuse, throttle

__all__ = ["desk"]

FAULTS = st.sampled_from(
    [
        DROP_AFTER,
        DROP_BEFORE,
        SERVER_ERROR,
        throttle(3),
        refuse("fatal_error"),
        refuse("rate_limited"),
        refuse("not_in_channel"),
    ]
)
NUMBER = count(1)


@dataclass(frozen=True, slots=True)
class Raise:
    """So many alerts happen."""

    alerts: int


@dataclass(frozen=True, slots=True)
class Stumble:
    """The next call of a method meets a fault."""

    method: str
    fault: PlannedFault


@dataclass(frozen=True, slots=True)
class Pass:
    """Seconds go by."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Die:
    """The bot is killed, with something claimed and not posted, and started again."""


STEPS = st.lists(
    st.one_of(
        st.builds(Raise, st.integers(1, 9)),
        st.builds(Stumble, st.sampled_from(["chat.postMessage"]), FAULTS),
        st.builds(Stumble, st.just("conversations.history"), st.sampled_from([DROP_BEFORE, SERVER_ERROR, throttle(3)])),
        st.builds(Pass, st.sampled_from([1, 2, 25])),
        st.builds(Die),
    ),
    min_size=4,
    max_size=14,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_every_alert_is_there_once_and_in_its_order(desk: Desk, steps: list[object]) -> None:
    channels = [new_channel(desk) for _ in range(2)]
    deliverer, raised = desk.restarted(), []
    clear(desk)  # of what an earlier example did not come to
    for step in steps:
        match step:
            case Raise(alerts):
                for alert in [numbered(next(NUMBER)) for _ in range(alerts)]:
                    wishes = [desk.store.subscriptions.for_channel("T0NEWSROOM", one)[0] for one in channels]
                    desk.store.outbox.put(alert, wishes, at=desk.clock.now())
                    raised.append(alert.key)
            case Stumble(method, fault):
                desk.workspace.faults.next(method, fault)
            case Die():
                desk.store.outbox.claim(desk.clock.now())
                deliverer = desk.restarted()
            case Pass(seconds):
                pass_time(desk, deliverer, seconds)
    settle(desk, deliverer, channels)
    for channel in channels:
        assert desk.keys(channel) == raised


def clear(desk: Desk) -> None:
    for method in ("chat.postMessage", "conversations.history"):
        while desk.workspace.faults.take(method):
            pass


def new_channel(desk: Desk) -> str:
    channel = Channel(id=f"C0LAW{next(NUMBER):07}", name=f"law-{next(NUMBER)}")
    desk.workspace.channels[channel.id] = channel
    desk.workspace.set_membership(channel, member=True)
    desk.subscribe(channel.id)
    return channel.id


def pass_time(desk: Desk, deliverer: Deliverer, seconds: int) -> None:
    for _ in range(seconds):
        desk.clock.move(timedelta(seconds=1))
        deliverer.deliver_due()


def settle(desk: Desk, deliverer: Deliverer, channels: list[str]) -> None:
    """Use up the faults, invite the bot to the channels that removed it, and let time pass."""
    for _ in range(600):
        for channel in channels:
            desk.store.subscriptions.resume("T0NEWSROOM", channel)
        pass_time(desk, deliverer, 1)
        depth = desk.store.outbox.counts_by_state()
        if not (depth["pending"] or depth["sending"] or depth["paused"]):
            return
    raise AssertionError(f"It does not come to rest: {depth}")
