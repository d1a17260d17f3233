"""``/trends alerts``: what happened lately."""

from __future__ import annotations

from datetime import datetime

from bot import words
from bot.slack import names
from bot.slack.alert_card import told
from bot.slack.contract import Bold, Call, Card, Command, Line, Reply, Slash
from storage.store import Store
from storage.values import KeptAlert, Target

USAGE = "/trends alerts [page or group]"
_MOST = 15


def run(call: Call, store: Store, _now: datetime) -> Reply:
    """The newest alerts of a page or a group, or of all pages, each with its date."""
    if not call.text:
        return _reply("of all pages", store.alerts.recent(limit=_MOST), store)
    found = names.find(store, call.text)
    if found is None:
        return names.unknown(store, call.text, "trends alerts {}")
    if found.target is Target.GROUP:
        return _reply(f"of {found.name}", store.alerts.recent(group=found.slug, limit=_MOST), store)
    return _reply(f"of {found.name}", store.alerts.recent(page=found.slug, limit=_MOST), store)


def _reply(whose: str, recent: tuple[KeptAlert, ...], store: Store) -> Reply:
    if not recent:
        return Reply(card=Card(headline=f"No alerts {whose} yet"))
    lines = tuple(_line(kept, store) for kept in recent)
    return Reply(card=Card(headline=f"Newest alerts {whose}", lines=lines), shareable=True)


def _line(kept: KeptAlert, store: Store) -> Line:
    how = " (found in imported figures)" if kept.past else " (replayed)" if kept.replayed else ""
    return (Bold(words.dated(kept.alert.at, kept.alert.dated)), f": {told(kept.alert, store)}{how}")


COMMAND = Command(
    slash=Slash.TRENDS,
    verbs=("alerts",),
    usage=USAGE,
    summary="the newest alerts, of one page or group or of all",
    run=run,
)
