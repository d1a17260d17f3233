"""From the outbox to Slack: whose turn it is. Each channel's turn is a thread's, so that none holds up another."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from datetime import datetime
from functools import partial

from slack_sdk.web import WebClient

from bot.clock import Clock
from bot.slack.delivery.notices import NoticeSender
from bot.slack.delivery.sender import SETTLE, Channel, Sender
from storage.store import Store
from storage.values import Delivery

log = logging.getLogger(__name__)

AT_ONCE = 8
"""Channels whose turn it is at the same time. Slack takes several hundred messages a minute in a workspace."""

IDLE = 60.0
"""Seconds after which an idle deliverer looks again, should the machine's clock have been set."""

STOP_WITHIN = 5.0
"""Seconds that turns under way are given at the end; what they leave unknown is looked for at the next start."""

_TELLING: Channel = ("", "")
"""Direct messages are told one at a time: together they are one more channel."""


class Deliverer:
    """The one that delivers. ``run`` it in a thread of its own; ``wake`` it when something was put into the outbox."""

    def __init__(self, *, client: WebClient, store: Store, clock: Clock, chance: random.Random) -> None:
        self._store = store
        self._clock = clock
        self._sender = Sender(client=client, store=store, clock=clock, chance=chance)
        self._teller = NoticeSender(client=client, store=store, clock=clock, refuse=self._sender.refuse)
        self._woken = threading.Event()
        self._turns = threading.Condition()
        self._begun = 0
        self._under_way: set[Channel] = set()
        self._look_at: dict[Channel, float] = {}  # when a post of unknown outcome is looked for, in monotonic seconds
        self._stumbled = False
        self._ending = False

    def wake(self) -> None:
        """Look into the outbox now. Called after a commit, and after setting the event that stops ``run``."""
        self._woken.set()

    def run(self, stop: threading.Event) -> None:
        """Deliver until ``stop`` is set. Whatever goes wrong, it goes on."""
        while not stop.is_set():
            self._woken.clear()
            try:
                wait = self._begin_due()
            except Exception:  # one of the two loops that must survive (ARCHITECTURE, rule 6)
                if self._stumbles():
                    log.exception("Delivering stumbled; it goes on")
                wait = IDLE / 10
            self._clock.wait(self._woken, min(wait, IDLE))
        self._ending = True
        with self._turns:
            self._turns.wait_for(lambda: not self._under_way, STOP_WITHIN)

    def deliver_due(self) -> float:
        """Post all that may be posted now, and wait for it; returns the seconds until there may be more."""
        while True:
            begun = self._begun
            wait = self._begin_due()
            with self._turns:
                if begun == self._begun and not self._under_way:
                    return wait
                self._turns.wait_for(lambda: not self._under_way)

    def _begin_due(self) -> float:
        """Begin every turn that may be taken now; the seconds until there may be one more, if nothing wakes us."""
        if self._sender.refused:
            return IDLE
        waits = [IDLE * 60]
        for channel, deliveries in self._unknown().items():
            if not self._may_begin():
                break
            if (wait := self._settles_in(channel)) > 0:
                waits.append(wait)
            else:
                self._begin(channel, partial(self._look, channel, deliveries))
        while self._may_begin() and (claimed := self._sender.claim()):
            self._begin((claimed[0].team_id, claimed[0].channel_id), partial(self._sender.deliver, claimed))
        if not self._may_begin():
            return IDLE  # the next turn that ends wakes us
        now = self._clock.now()
        waits += [(at - now).total_seconds() for at in (self._store.outbox.next_at(now), self._next_told(now)) if at]
        return max(0.0, min(waits))

    def _next_told(self, now: datetime) -> datetime | None:
        """When somebody is to be told next; begun at once if that is now."""
        with self._turns:
            if _TELLING in self._under_way:
                return None
        telling = self._store.notices.due(now)
        if telling is None:
            return self._store.notices.next_at()
        self._begin(_TELLING, partial(self._teller.tell, telling))
        return None

    def _unknown(self) -> dict[Channel, tuple[Delivery, ...]]:
        """The posts of unknown outcome, each channel's together, that nobody is at."""
        with self._turns:
            under_way = set(self._under_way)  # before looking: a turn that ends meanwhile is looked at next time
        found: dict[Channel, tuple[Delivery, ...]] = {}
        for one in self._store.outbox.unsettled():
            channel = one.team_id, one.channel_id
            if channel not in under_way:
                found[channel] = (*found.get(channel, ()), one)
        return found

    def _settles_in(self, channel: Channel) -> float:
        """Seconds until a post of unknown outcome may be looked for; not counted by a clock that can be set."""
        now = self._clock.monotonic()
        with self._turns:
            return self._look_at.setdefault(channel, now + SETTLE.total_seconds()) - now

    def _look(self, channel: Channel, deliveries: tuple[Delivery, ...]) -> None:
        wait = self._sender.reconcile(deliveries)
        if wait is not None:
            with self._turns:
                self._look_at[channel] = self._clock.monotonic() + wait.total_seconds()

    def _may_begin(self) -> bool:
        with self._turns:
            return len(self._under_way) < AT_ONCE and not self._sender.refused

    def _begin(self, channel: Channel, turn: Callable[[], None]) -> None:
        """Take a channel's turn in a thread; a daemon, so that a call that hangs keeps no process from ending."""
        with self._turns:
            self._begun += 1
            self._under_way.add(channel)
            self._look_at.pop(channel, None)
        try:
            threading.Thread(target=self._take, args=(channel, turn), name="deliver", daemon=True).start()
        except RuntimeError:  # no thread to be had: what was claimed is looked for later, as after a crash
            self._ended(channel)
            raise

    def _take(self, channel: Channel, turn: Callable[[], None]) -> None:
        try:
            turn()
            self._stumbled = False
        except Exception:  # the same loop's: a turn that stumbles must not end the others
            if self._stumbles():
                log.exception("A turn at delivering stumbled; the others go on")
        finally:
            self._ended(channel)
            self._woken.set()

    def _ended(self, channel: Channel) -> None:
        with self._turns:
            self._under_way.discard(channel)
            self._turns.notify_all()

    def _stumbles(self) -> bool:
        """Whether to say so: once until it goes well again, and not of a store that is closed under us at the end."""
        said, self._stumbled = self._stumbled, True
        return not said and not self._ending
