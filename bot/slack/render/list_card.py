"""Many alerts that wait for one channel, as one card with a list: nobody reads thirty cards that come at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bot.slack.contract import Bold, Button, Card, Line
from bot.slack.render import block_kit
from bot.text import phrases
from handlers.model import Alert

MORE_THAN = 5
"""Where more alerts than these wait for a channel, they come as a list."""

MOST = 20
"""Alerts in one list: Slack refuses messages of some 13,000 characters in all (slackapi/bolt-js#2509)."""

_LONGEST = 350


def list_card(told: Sequence[tuple[Alert, str]]) -> Card:
    """The card of several alerts, each with its sentence, in the order in which they came."""
    kinds = Counter(alert.kind for alert, _ in told)
    by_kind = phrases.listed(
        [f"{phrases.kind(kind)} {number}" if number > 1 else phrases.kind(kind) for kind, number in kinds.items()]
    )
    return Card(
        headline=f"{phrases.several(len(told), 'alert')}: {by_kind}",
        lines=tuple(_line(alert, sentence) for alert, sentence in told),
        context=("So many came together that they are listed. /trends alerts and a page's name shows them again.",),
        buttons=(Button(label="Newest alerts", query="trends alerts"),),
    )


def _line(alert: Alert, sentence: str) -> Line:
    return ("• ", Bold(phrases.dated(alert.at, alert.dated)), f": {block_kit.shortened(sentence, _LONGEST)}")
