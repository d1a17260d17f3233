"""``/trends alerts``: what happened lately."""

from __future__ import annotations

from datetime import datetime
from itertools import islice

from bot.evidence.trace import reference
from bot.pages import lookup
from bot.pages.alert_names import alert_sentence
from bot.rules.alert_types import written
from bot.slack.answers.unknown_name import unknown_name
from bot.slack.contract import Bold, Call, Card, Command, Line, Permission, Reply, Slash
from bot.text import phrases
from handlers.model import Alert
from storage.store import Store
from storage.values import StoredAlert, Target

USAGE = "/trends alerts [page or group]"
_MOST = 15
_REFERENCES = "/trends evidence and what stands in [ ] tells what an alert's figures rest on."
_LOOKED_AT = 200


def run(call: Call, store: Store, _now: datetime) -> Reply:
    """The newest alerts of a page or a group, or of all pages, each with its date."""
    if not call.text:
        return _reply("of all pages", store.alerts.recent(limit=_LOOKED_AT), call, store)
    found = lookup.find(store, call.text)
    if found is None:
        return unknown_name(store, call.text, "trends alerts {}")
    if found.target is Target.GROUP:
        return _reply(f"of {found.name}", store.alerts.recent(group=found.slug, limit=_LOOKED_AT), call, store)
    return _reply(f"of {found.name}", store.alerts.recent(page=found.slug, limit=_LOOKED_AT), call, store)


def _reply(whose: str, recent: tuple[StoredAlert, ...], call: Call, store: Store) -> Reply:
    ours = (kept for kept in recent if _is_ours(kept.alert, call, store))
    lines = tuple(_line(kept, store) for kept in islice(ours, _MOST))
    if not lines:
        return Reply(card=Card(headline=f"No alerts {whose} yet"))
    card = Card(headline=f"Newest alerts {whose}", lines=lines, context=(_REFERENCES,))
    return Reply(card=card, shareable=True)


def _is_ours(alert: Alert, call: Call, store: Store) -> bool:
    """The default rules' alerts are everybody's; what a threshold of somebody's raised is theirs alone."""
    return not alert.tuned or store.subscriptions.is_for_channel(call.team_id, call.channel_id, alert)


def _line(kept: StoredAlert, store: Store) -> Line:
    alert = kept.alert
    by = f" ({written(alert.feature, alert.threshold)})" if alert.tuned else ""
    how = " (found in imported figures)" if kept.historical else " (replayed)" if kept.replayed else ""
    return (
        Bold(phrases.dated(alert.at, alert.dated)),
        f": {alert_sentence(alert, store)}{by}{how} [{reference(alert)}]",
    )


COMMAND = Command(
    slash=Slash.TRENDS,
    verbs=("alerts",),
    usage=USAGE,
    summary="the newest alerts, of one page or group or of all",
    permission=Permission.ANYONE,
    run=run,
)
