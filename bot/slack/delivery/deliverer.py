"""Deliver: take from the outbox what is due, each channel in its own thread, so that no channel delays another."""

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
from bot.slack.delivery.pace import MOST_TURNS
from bot.slack.delivery.sender import SEARCH_AFTER, Channel, Sender
from storage.store import Store
from storage.values import Delivery

log = logging.getLogger(__name__)

IDLE = 60.0
"""Seconds after which an idle deliverer checks again, in case somebody set the machine's clock."""

STOP_WITHIN = 5.0
"""Seconds that running turns get at the end. Posts that they leave unknown are searched for at the next start."""

_NOTICES: Channel = ("", "")
"""Notices are sent one at a time: together they count as one more channel."""


class Deliverer:
    """Delivers alerts and notices. ``run`` it in its own thread; ``wake`` it after a change of the outbox."""

    def __init__(self, *, client: WebClient, store: Store, clock: Clock, chance: random.Random) -> None:
        self._store = store
        self._clock = clock
        self._sender = Sender(client=client, store=store, clock=clock, chance=chance)
        self._notice_sender = NoticeSender(client=client, store=store, clock=clock, refuse=self._sender.refuse)
        self._woken = threading.Event()
        self._turns = threading.Condition()
        self._started = 0
        self._busy: set[Channel] = set()
        self._search_at: dict[Channel, float] = {}  # when to search for a post of unknown outcome, in monotonic seconds
        self._failing = False
        self._ending = False

    def wake(self) -> None:
        """Check the outbox now. Call this after a commit, and after setting the event that stops ``run``."""
        self._woken.set()

    def run(self, stop: threading.Event) -> None:
        """Deliver until ``stop`` is set, whatever goes wrong."""
        while not stop.is_set():
            self._woken.clear()
            try:
                wait = self._start_due()
            except Exception:  # one of the two loops that must survive (ARCHITECTURE, rule 6)
                if self._is_news():
                    log.exception("Delivering failed; it continues")
                wait = IDLE / 10
            self._clock.wait(self._woken, min(wait, IDLE))
        self._ending = True
        with self._turns:
            self._turns.wait_for(lambda: not self._busy, STOP_WITHIN)

    def deliver_due(self) -> float:
        """Post everything that is due, and wait for it. Return the seconds until more may be due."""
        while True:
            started = self._started
            wait = self._start_due()
            with self._turns:
                if started == self._started and not self._busy:
                    return wait
                self._turns.wait_for(lambda: not self._busy)

    def _start_due(self) -> float:
        """Start every turn that is due. Return the seconds until the next one, unless ``wake`` is called."""
        if self._sender.refused:
            return IDLE
        waits = [IDLE * 60]
        for channel, deliveries in self._unknown().items():
            if not self._may_start():
                break
            if (wait := self._search_in(channel)) > 0:
                waits.append(wait)
            else:
                self._start(channel, partial(self._search, channel, deliveries))
        while self._may_start() and (claimed := self._sender.claim()):
            self._start((claimed[0].team_id, claimed[0].channel_id), partial(self._sender.deliver, claimed))
        if not self._may_start():
            return IDLE  # the end of a running turn wakes the loop
        now = self._clock.now()
        waits += [(at - now).total_seconds() for at in (self._store.outbox.next_at(now), self._next_notice(now)) if at]
        return max(0.0, min(waits))

    def _next_notice(self, now: datetime) -> datetime | None:
        """Start the notice that is due. Return when the next notice is due."""
        with self._turns:
            if _NOTICES in self._busy:
                return None
        notice = self._store.notices.due(now)
        if notice is None:
            return self._store.notices.next_at()
        self._start(_NOTICES, partial(self._notice_sender.send, notice))
        return None

    def _unknown(self) -> dict[Channel, tuple[Delivery, ...]]:
        """Return the posts of unknown outcome by channel, without channels whose turn is running."""
        with self._turns:
            busy = set(self._busy)  # first: a turn that ends meanwhile is found at the next check
        found: dict[Channel, tuple[Delivery, ...]] = {}
        for one in self._store.outbox.unsettled():
            channel = one.team_id, one.channel_id
            if channel not in busy:
                found[channel] = (*found.get(channel, ()), one)
        return found

    def _search_in(self, channel: Channel) -> float:
        """Return the seconds until the search for a post of unknown outcome, by a clock that nobody can set."""
        now = self._clock.monotonic()
        with self._turns:
            return self._search_at.setdefault(channel, now + SEARCH_AFTER.total_seconds()) - now

    def _search(self, channel: Channel, deliveries: tuple[Delivery, ...]) -> None:
        wait = self._sender.reconcile(deliveries)
        if wait is not None:
            with self._turns:
                self._search_at[channel] = self._clock.monotonic() + wait.total_seconds()

    def _may_start(self) -> bool:
        with self._turns:
            return len(self._busy) < MOST_TURNS and not self._sender.refused

    def _start(self, channel: Channel, turn: Callable[[], None]) -> None:
        """Run a turn in a thread. The thread is a daemon, so that a call that hangs does not keep the process alive."""
        with self._turns:
            self._started += 1
            self._busy.add(channel)
            self._search_at.pop(channel, None)
        try:
            threading.Thread(target=self._run, args=(channel, turn), name="deliver", daemon=True).start()
        except RuntimeError:  # no thread is available: the claimed posts are searched for later, as after a crash
            self._ended(channel)
            raise

    def _run(self, channel: Channel, turn: Callable[[], None]) -> None:
        try:
            turn()
            self._failing = False
        except Exception:  # rule 6 again: a turn that fails must not end the others
            if self._is_news():
                log.exception("Delivering to one channel failed; the others continue")
        finally:
            self._ended(channel)
            self._woken.set()

    def _ended(self, channel: Channel) -> None:
        with self._turns:
            self._busy.discard(channel)
            self._turns.notify_all()

    def _is_news(self) -> bool:
        """Return whether a failure is worth a log line: the first of a row, and not while the process ends."""
        was_failing, self._failing = self._failing, True
        return not was_failing and not self._ending
