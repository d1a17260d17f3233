"""What an alert may say, and the guard on what it may not.

Said: the figure, the period, the source, the share that the platform located in a country, the numerator and the
denominator, the bounds. Never said: what was in anybody's mind, who paid, or that an audience is not genuine. New
likes and all likes are never confused. Plain text: no markup of any kind; names are the reader's own words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from handlers.model import Alert, Dated, Fact
from handlers.numerals import count, dated, day, percent, when

CAVEAT = (
    "A share by country does not show who caused it: adverts, diaspora, foreign news, an attack by somebody else and "
    "bought likes look alike."
)
"""What goes with every share by country, in alerts and in answers."""

NET_OF_REMOVALS = "All figures are net of removals, so a purge by the platform moves them too."

_FORBIDDEN = re.compile(
    r"\b(?:fak(?:e|ed|es|ing)|bots?|botnets?|bought|bu(?:y|ys|ying)|purchas\w*|paid|pay(?:s|ing)?\s+for|"
    r"click\W?farm\w*|like\W?farm\w*|troll\w*|fraud\w*|cheat\w*|inauthentic\w*|artificial\w*|not\s+(?:real|genuine)|"
    r"astroturf\w*|manipulat\w*|rigg(?:ed|ing)|inten(?:t|ds?|ded|tion\w*)|deliberate\w*|on\s+purpose|"
    r"in\s+order\s+to|attack\w*|most\s+popular|popularity)\b",
    re.IGNORECASE,
)


class ForbiddenClaim(ValueError):
    """A sentence claims what counting cannot show. It is a defect of ours; the sentence must not be posted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """How slugs and country codes are called. What these return is quoted, not claimed, and not guarded."""

    page: Callable[[str], str]
    country: Callable[[str], str]


_NEUTRAL = Words(page=lambda _: "A page", country=lambda _: "a country")


def headline(alert: Alert, words: Words) -> str:
    """What happened, in one sentence.

    Raises:
        ForbiddenClaim: the sentence, names aside, says what an alert may not.
        KeyError: nobody wrote a sentence for this kind, or the alert lacks a fact it needs.

    """
    say = _HEADLINES[alert.kind]
    guard(say(alert, _NEUTRAL))
    return say(alert, words)


def lines(alert: Alert, words: Words) -> tuple[str, ...]:
    """What must go with the claim: base and period, numerator and denominator, uncertainty, other explanations.

    Raises:
        ForbiddenClaim, KeyError: as ``headline``.

    """
    say = _LINES[alert.kind]
    for line in say(alert, _NEUTRAL):
        guard(line)
    return say(alert, words)


def guard(text: str) -> None:
    """Refuse words and claims that an alert may not make; the fixed caveat may name what it does not claim.

    Raises:
        ForbiddenClaim: naming the words.

    """
    found = _FORBIDDEN.search(text.replace(CAVEAT, ""))
    if found is not None:
        raise ForbiddenClaim(f"an alert may not say {found.group()!r}: {text}")


def _on(fact: Fact) -> str:
    return when(fact.at, fact.dated) if fact.at is not None else ""


def _is_rounded(fact: Fact) -> bool:
    return fact.low is not None and fact.high is not None and fact.high > fact.low


def _range(fact: Fact, say: Callable[[float], str]) -> str:
    low, high = (say(fact.value if bound is None else bound) for bound in (fact.low, fact.high))
    return low if low == high else f"{low} to {high}"


def _figures(alert: Alert) -> str:
    ours, theirs = alert.fact("count"), alert.fact("rival_count")
    rounded = " by rounded figures" if _is_rounded(ours) or _is_rounded(theirs) else ""
    return f"({count(ours.value)} v {count(theirs.value)}{rounded})"


def _ahead(alert: Alert, words: Words) -> str:
    page, rival, gap = words.page(alert.page), words.page(alert.rival or ""), alert.fact("gap")
    return f"{page} moved ahead of {rival} by {count(gap.value)} {gap.unit} {_figures(alert)}, not settled yet."


def _overtake(alert: Alert, words: Words) -> str:
    page, rival, unit = words.page(alert.page), words.page(alert.rival or ""), alert.fact("gap").unit
    since = alert.fact("since")
    if since.value > 1 and since.at is not None:
        held = f"ahead at every reading since {dated(since.at, alert.dated)}"
    else:
        held = f"first seen {_on(alert.fact('count'))}"
    return f"{page} now has more {unit} than {rival} {_figures(alert)}, {held}."


def _held_off(alert: Alert, words: Words) -> str:
    page, rival, gap = words.page(alert.page), words.page(alert.rival or ""), alert.fact("gap")
    since = alert.fact("since").at
    held = f" since {dated(since, alert.dated)}" if since else ""
    return (
        f"{page} has more {gap.unit} than {rival} again {_figures(alert)}, ahead at every reading{held}: "
        "the lead did not change."
    )


def _lead_lines(alert: Alert, words: Words) -> tuple[str, ...]:
    gap = alert.fact("gap")
    said = [f"The difference is {count(gap.value)} {gap.unit}."]
    if _is_rounded(gap):
        said = [f"The difference is {count(gap.value)} {gap.unit}; rounding allows {_range(gap, count)}."]
    before = alert.facts_named("before")
    if before:
        earlier = "; ".join(f"{words.page(fact.about)} {count(fact.value)} {_on(fact)}" for fact in before)
        said.append(f"The readings are days apart, so the moment itself was not seen. Before: {earlier}.")
    for fact in alert.facts_named("unread"):
        said.append(
            f"{words.page(fact.about)} was last read {_on(fact)}; what it may have gained since is allowed for."
        )
    for fact in alert.facts_named("flips"):
        times = "once" if fact.value == 1 else f"{count(fact.value)} times"
        said.append(f"The lead changed {times} since it was first told {_on(fact)}.")
    if alert.kind == "ahead":
        said.append("It is settled after 24 hours ahead at every reading; this card will say so.")
    return tuple(said)


def _period(alert: Alert) -> str:
    """The period of new likes: its days where lists by country show them, else its length as it was published."""
    period = alert.fact("period")
    if period.at is None or not period.value:
        return ""
    if not alert.facts_named("unlisted") or period.dated is Dated.MONTH:
        return f" in the {count(period.value)} days to {dated(period.at, period.dated)}"
    start = period.at - timedelta(days=period.value)
    return f", {day(start).removesuffix(f' {period.at.year}')} to {day(period.at)},"


def _unit(alert: Alert) -> str:
    """What a share is a share of: likes or followers."""
    return next(fact.unit for fact in alert.facts if fact.name in {"denominator", "whole"})


def _new_share(alert: Alert, words: Words) -> str:
    page, home = words.page(alert.page), words.country(alert.fact("home").about)
    share, gained = alert.fact("share"), alert.fact("denominator")
    new = f"{page}'s {count(gained.value)} new {gained.unit}{_period(alert)}"
    before = percent(alert.fact("baseline").value)
    if not alert.facts_named("unlisted"):
        return (
            f"{percent(share.value)} of {new} came from accounts not listed in {home} "
            f"({before} of all its {gained.unit} then)."
        )
    return (
        f"At least {percent(share.low or 0.0)} of {new} came from accounts listed outside {home} "
        f"({percent(share.value)} of those with a country; {before} before)."
    )


def _new_share_lines(alert: Alert, words: Words) -> tuple[str, ...]:
    share, foreign, gained, home = (alert.fact(name) for name in ("share", "numerator", "denominator", "home"))
    country, unit = words.country(home.about), gained.unit
    unlisted = alert.facts_named("unlisted")
    where = f"listed outside {country}" if unlisted else f"not listed in {country}"
    there = f"{count(home.value)} in {country}"
    said = [f"{count(foreign.value)} of {count(gained.value)} new {unit} were {where}, {there}."]
    if unlisted:
        said.append(f"{count(unlisted[0].value)} of the new {unit} have no country.")
    else:
        if _is_rounded(share):
            said.append(f"By rounded figures: the rounding allows {_range_of_shares(share)}.")
        said.append(f"Whoever has no known country counts as not listed in {country} here.")
    top = ", ".join(f"{words.country(fact.about)} ({count(fact.value)})" for fact in alert.facts_named("country"))
    if top:
        said.append(f"Most: {top}.")
    said.append(f"These are new {unit} of this period only, not all {unit} of the page.")
    return (*said, CAVEAT, NET_OF_REMOVALS)


def _range_of_shares(share: Fact) -> str:
    return _range(share, lambda value: percent(value, digits=2))


def _total_share(alert: Alert, words: Words) -> str:
    share, before = alert.fact("share"), alert.fact("baseline")
    return (
        f"{percent(share.value)} of all of {words.page(alert.page)}'s {_unit(alert)} are from accounts listed outside "
        f"{words.country(alert.fact('home').about)}, up from {percent(before.value)} {_on(before)}."
    )


def _total_share_lines(alert: Alert, words: Words) -> tuple[str, ...]:
    everybody = f"These are all {_unit(alert)} of the page, not the new ones only."
    return (*_stock(alert, words), everybody, CAVEAT, NET_OF_REMOVALS)


def _stock(alert: Alert, words: Words) -> tuple[str, ...]:
    """Numerator, denominator and bounds of a share of all likes from a list by country."""
    share, foreign, total, home = (alert.fact(name) for name in ("share", "numerator", "denominator", "home"))
    country = words.country(home.about)
    counted = (
        f"{count(foreign.value)} of {count(total.value)} {total.unit} {_on(total)} were listed outside {country}, "
        f"{count(home.value)} in {country}; {count(alert.fact('unlisted').value)} have no country."
    )
    bounds = f"between {percent(share.low or 0.0)} and {percent(share.high or 1.0)}"
    return counted, f"The share from outside {country} lies {bounds}."


def _majority(alert: Alert, words: Words) -> str:
    published = alert.facts_named("home_share")
    page, before = words.page(alert.page), alert.fact("before")
    country, unit = words.country(before.about), _unit(alert)
    if published:
        return (
            f"Less than half of {page}'s {unit} are from accounts listed in {country}: {percent(published[0].value)} "
            f"{_on(published[0])}, {percent(before.value)} {_on(before)}."
        )
    share = alert.fact("share")
    return (
        f"More than half of all of {page}'s {unit} are from accounts listed outside {country}: at least "
        f"{percent(share.low or 0.0)} {_on(share)}."
    )


def _majority_lines(alert: Alert, words: Words) -> tuple[str, ...]:
    published = alert.facts_named("home_share")
    if not published:
        before = alert.fact("before")
        earlier = f"The share listed in {words.country(before.about)} was {percent(before.value)} {_on(before)}."
        return (*_stock(alert, words), earlier, CAVEAT, NET_OF_REMOVALS)
    return (
        f"By rounded figures: the rounding allows {_range_of_shares(published[0])}.",
        f"This is the share of all {_unit(alert)}, not of new ones.",
        "Whoever has no known country belongs to neither side, so more than half need not be from abroad.",
        CAVEAT,
        NET_OF_REMOVALS,
    )


_HEADLINES: dict[str, Callable[[Alert, Words], str]] = {
    "ahead": _ahead,
    "overtake": _overtake,
    "held_off": _held_off,
    "new_foreign_share": _new_share,
    "total_foreign_share": _total_share,
    "foreign_majority": _majority,
}
_LINES: dict[str, Callable[[Alert, Words], tuple[str, ...]]] = {
    "ahead": _lead_lines,
    "overtake": _lead_lines,
    "held_off": _lead_lines,
    "new_foreign_share": _new_share_lines,
    "total_foreign_share": _total_share_lines,
    "foreign_majority": _majority_lines,
}
