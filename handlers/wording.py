"""What an alert may say, and the guard on what it may not.

Said: the figure, the period, the source, the share that the platform located in a country, the numerator and the
denominator, the bounds. Never said: what was in anybody's mind, who paid, or that an audience is not genuine. New
likes and all likes are never confused. Plain text: no markup of any kind; names are the reader's own words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from handlers.model import Alert, Dated, Fact

CAVEAT = (
    "This does not show who caused it: adverts, diaspora, foreign news, an attack by somebody else and bought likes "
    "look alike."
)
NET_OF_REMOVALS = "All figures are net of removals, so a purge by the platform moves them too."

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

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


def when(at: datetime, dated: Dated = Dated.INSTANT) -> str:
    """An instant as precisely as it is known: "2 February 2016, 11:50 UTC", "2 February 2016" or "February 2016"."""
    month = f"{_MONTHS[at.month - 1]} {at.year}"
    if dated is Dated.MONTH:
        return month
    day = f"{at.day} {month}"
    return day if dated is Dated.DAY else f"{day}, {at:%H:%M} UTC"


def number(value: float) -> str:
    """A whole number with thousands separators."""
    return f"{round(value):,}"


def percent(share: float) -> str:
    """A share as a percentage with one decimal, without a useless ".0"."""
    return f"{100 * share:.1f}".removesuffix(".0") + "%"


def _on(fact: Fact) -> str:
    if fact.at is None:
        return ""
    return f"{'in' if fact.dated is Dated.MONTH else 'on'} {when(fact.at, fact.dated)}"


def _is_rounded(fact: Fact) -> bool:
    return fact.low is not None and fact.high is not None and fact.high > fact.low


def _range(fact: Fact, say: Callable[[float], str]) -> str:
    low, high = (say(fact.value if bound is None else bound) for bound in (fact.low, fact.high))
    return low if low == high else f"{low} to {high}"


def _figures(alert: Alert) -> str:
    ours, theirs = alert.fact("count"), alert.fact("rival_count")
    rounded = " by rounded figures" if _is_rounded(ours) or _is_rounded(theirs) else ""
    return f"({number(ours.value)} v {number(theirs.value)}{rounded})"


def _ahead(alert: Alert, words: Words) -> str:
    page, rival, gap = words.page(alert.page), words.page(alert.rival or ""), alert.fact("gap")
    return f"{page} moved ahead of {rival} by {number(gap.value)} {gap.unit} {_figures(alert)}, not settled yet."


def _overtake(alert: Alert, words: Words) -> str:
    page, rival, unit = words.page(alert.page), words.page(alert.rival or ""), alert.fact("gap").unit
    since, count = alert.fact("since"), alert.fact("count")
    if since.value > 1 and since.at is not None:
        held = f"ahead at every reading since {when(since.at, alert.dated)}"
    else:
        held = f"first seen {_on(count)}"
    return f"{page} now has more {unit} than {rival} {_figures(alert)}, {held}."


def _held_off(alert: Alert, words: Words) -> str:
    page, rival, gap = words.page(alert.page), words.page(alert.rival or ""), alert.fact("gap")
    since = alert.fact("since").at
    held = f" since {when(since, alert.dated)}" if since else ""
    return (
        f"{page} has more {gap.unit} than {rival} again {_figures(alert)}, ahead at every reading{held}: "
        "the lead did not change."
    )


def _lead_lines(alert: Alert, words: Words) -> tuple[str, ...]:
    gap = alert.fact("gap")
    said = [f"The difference is {number(gap.value)} {gap.unit}."]
    if _is_rounded(gap):
        said = [f"The difference is {number(gap.value)} {gap.unit}; rounding allows {_range(gap, number)}."]
    before = alert.facts_named("before")
    if before:
        earlier = "; ".join(f"{words.page(fact.about)} {number(fact.value)} {_on(fact)}" for fact in before)
        said.append(f"The readings are days apart, so the moment itself was not seen. Before: {earlier}.")
    for fact in alert.facts_named("unread"):
        said.append(
            f"{words.page(fact.about)} was last read {_on(fact)}; what it may have gained since is allowed for."
        )
    for fact in alert.facts_named("flips"):
        times = "once" if fact.value == 1 else f"{number(fact.value)} times"
        said.append(f"The lead changed {times} since it was first told {_on(fact)}.")
    return tuple(said)


def _period(alert: Alert) -> str:
    """The period of new likes, as precisely as its end is known."""
    period = alert.fact("period")
    if period.at is None or not period.value:
        return ""
    if period.dated is Dated.MONTH:
        return f" in the {number(period.value)} days to {when(period.at, period.dated)}"
    end = when(period.at, Dated.DAY)
    start = period.at - timedelta(days=period.value)
    return f", {when(start, Dated.DAY).removesuffix(f' {period.at.year}')} to {end},"


def _new_share(alert: Alert, words: Words) -> str:
    page, home = words.page(alert.page), words.country(alert.fact("home").about)
    share, gained = alert.fact("share"), alert.fact("denominator")
    if not alert.facts_named("unlisted"):
        return (
            f"{percent(share.value)} of {page}'s {number(gained.value)} new likes{_period(alert)} came from accounts "
            f"not listed in {home} ({percent(alert.fact('baseline').value)} of all its likes then)."
        )
    return (
        f"At least {percent(share.low or 0.0)} of {page}'s {number(gained.value)} new likes{_period(alert)} came from "
        f"accounts listed outside {home} ({percent(share.value)} of those with a country; "
        f"{percent(alert.fact('baseline').value)} before)."
    )


def _new_share_lines(alert: Alert, words: Words) -> tuple[str, ...]:
    share, foreign, gained, home = (alert.fact(name) for name in ("share", "numerator", "denominator", "home"))
    country = words.country(home.about)
    unlisted = alert.facts_named("unlisted")
    where = f"listed outside {country}" if unlisted else f"not listed in {country}"
    said = [
        f"{number(foreign.value)} of {number(gained.value)} new likes were {where}, {number(home.value)} in {country}."
    ]
    if unlisted:
        said.append(f"{number(unlisted[0].value)} of the new likes have no country.")
    else:
        if _is_rounded(share):
            said.append(f"By rounded figures: the rounding allows {_range_of_shares(share)}.")
        said.append(f"A like without a known country counts as not listed in {country} here.")
    top = ", ".join(f"{words.country(fact.about)} ({number(fact.value)})" for fact in alert.facts_named("country"))
    if top:
        said.append(f"Most: {top}.")
    said.append("These are new likes of this period only, not all likes of the page.")
    return (*said, CAVEAT, NET_OF_REMOVALS)


def _range_of_shares(share: Fact) -> str:
    return _range(share, lambda value: f"{100 * value:.2f}%")


def _total_share(alert: Alert, words: Words) -> str:
    share, before = alert.fact("share"), alert.fact("baseline")
    return (
        f"{percent(share.value)} of all of {words.page(alert.page)}'s likes are from accounts listed outside "
        f"{words.country(alert.fact('home').about)}, up from {percent(before.value)} {_on(before)}."
    )


def _total_share_lines(alert: Alert, words: Words) -> tuple[str, ...]:
    return (*_stock(alert, words), "These are all likes of the page, not the new ones only.", CAVEAT, NET_OF_REMOVALS)


def _stock(alert: Alert, words: Words) -> tuple[str, ...]:
    """Numerator, denominator and bounds of a share of all likes from a list by country."""
    share, foreign, total, home = (alert.fact(name) for name in ("share", "numerator", "denominator", "home"))
    country = words.country(home.about)
    unlisted = alert.fact("unlisted").value
    counted = (
        f"{number(foreign.value)} of {number(total.value)} likes {_on(total)} were listed outside {country}, "
        f"{number(home.value)} in {country}; {number(unlisted)} have no country."
    )
    bounds = f"between {percent(share.low or 0.0)} and {percent(share.high or 1.0)}"
    return counted, f"The share from outside {country} lies {bounds}."


def _majority(alert: Alert, words: Words) -> str:
    published = alert.facts_named("home_share")
    page, before = words.page(alert.page), alert.fact("before")
    country = words.country(before.about)
    if published:
        return (
            f"Less than half of {page}'s likes are from accounts listed in {country}: {percent(published[0].value)} "
            f"{_on(published[0])}, {percent(before.value)} {_on(before)}."
        )
    share = alert.fact("share")
    return (
        f"More than half of all of {page}'s likes are from accounts listed outside {country}: at least "
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
        "This is the share of all likes, not of new ones.",
        "Likes without a known country belong to neither side, so more than half need not be from abroad.",
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
