"""The sentences of an alert, each checked by the guard before anybody reads it."""

from __future__ import annotations

from handlers.contract import Names, Wording
from handlers.discovery import all_comparisons
from handlers.model import Alert
from handlers.wording.guard import guard

_NEUTRAL = Names(page=lambda _: "A page", country=lambda _: "a country")


def headline(alert: Alert, words: Names) -> str:
    """Return what happened, in one sentence.

    Raises:
        ForbiddenClaim: the sentence, without its names, makes a claim that the guard forbids.
        KeyError: no comparison raises this kind, or the alert lacks a fact that its sentence needs.

    """
    say = _saying(alert).headline
    guard(say(alert, _NEUTRAL))
    return say(alert, words)


def lines(alert: Alert, words: Names) -> tuple[str, ...]:
    """Return what must go with the claim: base, period, numerator, denominator, uncertainty, other explanations.

    Raises:
        ForbiddenClaim, KeyError: see ``headline``.

    """
    say = _saying(alert).lines
    for line in say(alert, _NEUTRAL):
        guard(line)
    return say(alert, words)


def _saying(alert: Alert) -> Wording:
    wording = {kind: saying for rule in all_comparisons() for kind, saying in rule.wording.items()}
    return wording[alert.kind]
