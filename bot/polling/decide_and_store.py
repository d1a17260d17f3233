"""The one way in for figures: decide on them, and store readings, alerts and outbox rows in one transaction.

Live polls, imports and replays all come through here. They pass the same validation and the same rules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.evidence.recorder import Recorder
from bot.polling.state_cache import StateCache, StoredState
from bot.rules.channel_rules import Rules, RulesInForce, rules_text
from handlers.contract import Comparison
from handlers.decide import Arrivals, Decision
from handlers.model import Alert, Standing
from storage.store import Store

FRESH = timedelta(days=7)
"""An event older than this when it is found (in imported history) is stored, and not posted as if it were news."""

_NO_FIGURES = Arrivals()
_STORED = frozenset({Standing.ACCEPTED, Standing.HELD, Standing.LATE, Standing.DOUBTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedFigures:
    """The outcome of adding figures."""

    standings: Mapping[Standing, int]  # the number of readings of each standing
    stored: int  # new readings
    audiences: int  # new audience readings
    alerts: tuple[Alert, ...]
    past: tuple[Alert, ...]  # alerts about the past, which are stored and not posted
    queued: int  # messages to be posted


NOTHING_ADDED = AddedFigures(standings={}, stored=0, audiences=0, alerts=(), past=(), queued=0)


def sum_added(added: Sequence[AddedFigures]) -> AddedFigures:
    """Return the sum of several outcomes."""
    return AddedFigures(
        standings=sum((Counter(one.standings) for one in added), Counter()),
        stored=sum(one.stored for one in added),
        audiences=sum(one.audiences for one in added),
        alerts=tuple(alert for one in added for alert in one.alerts),
        past=tuple(alert for one in added for alert in one.past),
        queued=sum(one.queued for one in added),
    )


class Intake:
    """Decides on figures by the rules in force, and stores the decisions. It calls ``wake`` when messages wait."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        recorder: Recorder,
        comparisons: Sequence[Comparison[object]],
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._recorder = recorder
        self._rules = RulesInForce(store, comparisons)
        self._described: tuple[Rules, str] = ((), "")
        self._state = StateCache(StoredState(store))
        self._wake = wake
        store.after_rollback(self._state.doubt)

    def add(
        self,
        batches: Iterable[tuple[datetime, Arrivals]],
        *,
        replayed: bool = False,
        together: Callable[[], None] = lambda: None,
    ) -> AddedFigures:
        """Decide on figures, and store readings, state, alerts and outbox rows in one transaction.

        Args:
            batches: figures, oldest first; each batch has the instant at which its figures became known.
            replayed: post the alerts however old they are. Otherwise only fresh alerts are posted.
            together: runs inside the same transaction.

        """
        batches = [(instant, figures) for instant, figures in batches if figures != _NO_FIGURES]
        with self._store.write():
            rules = self._rules.now()
            decisions = self._state.decide(batches, rules)
            if batches:
                if rules is not self._described[0]:
                    self._described = rules, rules_text(rules)
                self._store.journal.add(batches, pages=self._state.pages, rules=self._described[1])
            added = self._save(decisions, replayed=replayed)
            self._store.save_evidence_anchor()
            together()
            if added.queued:
                self._store.after_commit(self._wake)  # after the outermost transaction: else it would see nothing
        self._state.confirm()
        return added

    def _save(self, decisions: Sequence[Decision], *, replayed: bool) -> AddedFigures:
        store, now = self._store, self._clock.now()
        readings = [reading for decision in decisions for reading in decision.readings]
        stored = store.readings.add([reading for reading in readings if reading.standing in _STORED])
        for decision in decisions:
            for slug, runs in decision.confirmed.items():
                for first, last in runs:
                    store.readings.confirm(slug, first, last)
        changes = self._state.changes()
        store.series_states.put(list(changes.series_states.values()))
        store.history_summaries.put(changes.histories)
        for rule, version, texts in changes.rule_states:
            store.rule_states.put(rule, version, texts)
        audiences = [audience for decision in decisions for audience in decision.audiences]
        new_audiences = sum(store.audiences.add(audience) for audience in audiences)
        raised = [alert for decision in decisions for alert in decision.alerts if self._is_wanted(alert)]
        news = [alert for alert in raised if replayed or now - alert.at <= FRESH]
        past = [alert for alert in raised if not replayed and now - alert.at > FRESH]
        fresh = store.alerts.add(news, at=now, replayed=replayed) if news else ()
        queued = sum(
            store.outbox.put(alert, store.subscriptions.matching(alert), at=now, replayed=replayed) for alert in fresh
        )
        old = store.alerts.add(past, at=now, historical=True) if past else ()
        if fresh or old:
            self._recorder.seal_alerts((*fresh, *old))
        return AddedFigures(
            standings=Counter(reading.standing for reading in readings),
            stored=stored,
            audiences=new_audiences,
            alerts=fresh,
            past=old,
            queued=queued,
        )

    def _is_wanted(self, alert: Alert) -> bool:
        """Return whether a channel wants the alert: a channel rule also sees pages that nobody set it for."""
        return not alert.tuned or bool(self._store.subscriptions.matching(alert))
