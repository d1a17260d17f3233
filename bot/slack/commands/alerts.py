"""``/trends alerts``: the newest alerts."""

from __future__ import annotations

from datetime import datetime
from itertools import islice

from bot.evidence.trace import reference
from bot.pages import lookup
from bot.pages.alert_names import alert_sentence
from bot.rules.alert_types import written
from bot.slack.answers.help import unknown_name
from bot.slack.answers.subscription import recent_alerts
from bot.slack.contract import Bold, Call, Card, Command, Line, Permission, Reply, Slash
from bot.text import phrases
from storage.store import Store
from storage.values import StoredAlert

USAGE = "/trends alerts [page or group]"
_MAX_SHOWN = 15
_MAX_READ = 200
_REFERENCES = "/trends evidence and the code in [ ] shows what an alert's figures rest on."


def run(call: Call, store: Store, _now: datetime) -> Reply:
    """Answer with the newest alerts of a page, of a group, or of all pages, each with its date."""
    if not call.text:
        whose, recent = "of all pages", store.alerts.recent(limit=_MAX_READ)
    elif named := lookup.find(store, call.text):
        whose, recent = f"of {named.name}", recent_alerts(store, named, limit=_MAX_READ)
    else:
        return unknown_name(store, call.text, "trends alerts {}")
    visible = (stored for stored in recent if _is_visible(stored, call, store))
    lines = tuple(_line(stored, store) for stored in islice(visible, _MAX_SHOWN))
    if not lines:
        return Reply(card=Card(headline=f"No alerts {whose} yet"))
    card = Card(headline=f"Newest alerts {whose}", lines=lines, context=(_REFERENCES,))
    return Reply(card=card, shareable=True)


def _is_visible(stored: StoredAlert, call: Call, store: Store) -> bool:
    """Return whether the channel may see the alert: a channel's own threshold raises alerts for that channel only."""
    return not stored.alert.tuned or store.subscriptions.is_for_channel(call.team_id, call.channel_id, stored.alert)


def _line(stored: StoredAlert, store: Store) -> Line:
    alert = stored.alert
    threshold = f" ({written(alert.feature, alert.threshold)})" if alert.tuned else ""
    source = " (found in imported figures)" if stored.historical else " (replayed)" if stored.replayed else ""
    return (
        Bold(phrases.dated(alert.at, alert.dated)),
        f": {alert_sentence(alert, store)}{threshold}{source} [{reference(alert)}]",
    )


COMMAND = Command(
    slash=Slash.TRENDS,
    verbs=("alerts",),
    usage=USAGE,
    summary="the newest alerts, of one page or group or of all",
    permission=Permission.ANYONE,
    run=run,
)
