"""What an alert may say, and the guard on what it may not.

Said: the figure, the period, the source, the share that the platform located in a country, the numerator and the
denominator, the bounds. Never said: what was in anybody's mind, who paid, or that an audience is not genuine. New
likes and all likes are never confused. Plain text: no markup of any kind; names are the reader's own words.
"""

from __future__ import annotations

import re

from handlers.comparisons import all_comparisons
from handlers.contract import Saying, Words
from handlers.model import Alert
from handlers.phrases import CAVEAT

_FORBIDDEN = re.compile(
    r"\b(?:fak(?:e|ed|es|ing)|bots?|botnets?|bought|bu(?:y|ys|ying)|purchas\w*|paid|pay(?:s|ing)?\s+for|"
    r"click\W?farm\w*|like\W?farm\w*|troll\w*|fraud\w*|cheat\w*|inauthentic\w*|artificial\w*|not\s+(?:real|genuine)|"
    r"astroturf\w*|manipulat\w*|rigg(?:ed|ing)|inten(?:t|ds?|ded|tion\w*)|deliberate\w*|on\s+purpose|"
    r"in\s+order\s+to|attack\w*|most\s+popular|popularity)\b",
    re.IGNORECASE,
)


class ForbiddenClaim(ValueError):
    """A sentence claims what counting cannot show. It is a defect of ours; the sentence must not be posted."""


_NEUTRAL = Words(page=lambda _: "A page", country=lambda _: "a country")


def headline(alert: Alert, words: Words) -> str:
    """What happened, in one sentence.

    Raises:
        ForbiddenClaim: the sentence, names aside, says what an alert may not.
        KeyError: no comparison raises this kind, or the alert lacks a fact its sentence needs.

    """
    say = _saying(alert).headline
    guard(say(alert, _NEUTRAL))
    return say(alert, words)


def lines(alert: Alert, words: Words) -> tuple[str, ...]:
    """What must go with the claim: base and period, numerator and denominator, uncertainty, other explanations.

    Raises:
        ForbiddenClaim, KeyError: as ``headline``.

    """
    say = _saying(alert).lines
    for line in say(alert, _NEUTRAL):
        guard(line)
    return say(alert, words)


def _saying(alert: Alert) -> Saying:
    says = {kind: saying for rule in all_comparisons() for kind, saying in rule.says.items()}
    return says[alert.kind]


def guard(text: str) -> None:
    """Refuse words and claims that an alert may not make; the fixed caveat may name what it does not claim.

    Raises:
        ForbiddenClaim: naming the words.

    """
    found = _FORBIDDEN.search(text.replace(CAVEAT, ""))
    if found is not None:
        raise ForbiddenClaim(f"an alert may not say {found.group()!r}: {text}")
