"""Sentences of a share by country."""

from __future__ import annotations

from datetime import timedelta
from math import floor

from handlers.contract import Names, Wording
from handlers.model import Alert, Dated
from handlers.wording.numbers import count, dated, day, percent
from handlers.wording.phrases import CAVEAT, NET_OF_REMOVALS, is_rounded, on, span_of_shares, unit_of

_HALF = 0.5


def _period(alert: Alert) -> str:
    """Write the period of new likes: its days if lists by country show them, else its published length."""
    period = alert.fact("period")
    if period.at is None or not period.value:
        return ""
    if not alert.facts_named("unlisted") or period.dated is Dated.MONTH:
        return f" in the {count(period.value)} days to {dated(period.at, period.dated)}"
    start = period.at - timedelta(days=period.value)
    span = f"{day(start).removesuffix(f' {period.at.year}')} to {day(period.at)}"
    for counted in alert.facts_named("counted_days"):
        whole_days = floor(round(counted.value, 6))
        return f" on the {whole_days} of {count(period.value)} days, {span}, whose lists can be compared"
    return f", {span},"


def _left_out(alert: Alert) -> tuple[str, ...]:
    """Say that the figures leave out some days of the period, if they do."""
    return tuple(
        "The other days are in none of these figures: their lists by country and totals do not fit together, or likes "
        "were removed or listed anew."
        for _ in alert.facts_named("counted_days")
    )


def _listed_anew(alert: Alert) -> tuple[str, ...]:
    """Say how much more the countries gained than the page did, if they did."""
    return tuple(
        f"The countries gained {count(fact.value)} more than the page did: likes from before that were listed "
        "elsewhere, or had no country. As many are left out of what came from abroad, and of these figures."
        for fact in alert.facts_named("relisted")
    )


def _new_share(alert: Alert, words: Names) -> str:
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


def _new_share_lines(alert: Alert, words: Names) -> tuple[str, ...]:
    share, foreign, gained, home = (alert.fact(name) for name in ("share", "numerator", "denominator", "home"))
    country, unit = words.country(home.about), gained.unit
    unlisted = alert.facts_named("unlisted")
    where = f"listed outside {country}" if unlisted else f"not listed in {country}"
    there = f"{count(home.value)} in {country}"
    said = [f"{count(foreign.value)} of {count(gained.value)} new {unit} were {where}, {there}."]
    if unlisted:
        said.append(f"{count(unlisted[0].value)} of the new {unit} have no country.")
    else:
        if is_rounded(share):
            said.append(f"By rounded figures: the rounding allows {span_of_shares(share)}.")
        said.append(f"Whoever has no known country counts as not listed in {country} here.")
    top = ", ".join(f"{words.country(fact.about)} ({count(fact.value)})" for fact in alert.facts_named("country"))
    if top:
        least = "at least, " if alert.facts_named("relisted") else ""
        said.append(f"Most: {least}{top}.")
    said.append(f"These are new {unit} of this period only, not all {unit} of the page.")
    return (*said, *_listed_anew(alert), *_left_out(alert), CAVEAT, NET_OF_REMOVALS)


def _country_share(alert: Alert, words: Names) -> str:
    share, gained = alert.fact("share"), alert.fact("denominator")
    new = f"{words.page(alert.page)}'s {count(gained.value)} new {gained.unit}{_period(alert)}"
    country, before = words.country(share.about), percent(alert.fact("baseline").value)
    if not alert.facts_named("unlisted"):
        return (
            f"{percent(share.value)} of {new} came from accounts listed in {country} "
            f"({before} of all its {gained.unit} then)."
        )
    return (
        f"At least {percent(share.low or 0.0)} of {new} came from accounts listed in {country} "
        f"({percent(share.value)} of those with a country; {before} before)."
    )


def _country_share_lines(alert: Alert, words: Names) -> tuple[str, ...]:
    share, came, gained = (alert.fact(name) for name in ("share", "numerator", "denominator"))
    country, unit = words.country(share.about), gained.unit
    said = [f"{count(came.value)} of {count(gained.value)} new {unit} were listed in {country}."]
    if is_rounded(share) and not alert.facts_named("unlisted"):
        said.append(f"By rounded figures: the rounding allows {span_of_shares(share)}.")
    said += [f"{count(fact.value)} of the new {unit} have no country." for fact in alert.facts_named("unlisted")]
    said += [
        f"Of all {unit} of the page, {span_of_shares(fact)} are listed there {on(fact)}."
        for fact in alert.facts_named("of_all")
    ]
    said.append(f"These are new {unit} of this period only, not all {unit} of the page.")
    return (*said, *_listed_anew(alert), *_left_out(alert), CAVEAT, NET_OF_REMOVALS)


def _total_share(alert: Alert, words: Names) -> str:
    share, before, country = alert.fact("share"), alert.fact("baseline"), words.country(alert.fact("home").about)
    return (
        f"{percent(share.value)} of {words.page(alert.page)}'s {unit_of(alert)} with a known country are from accounts "
        f"listed outside {country}, up from {percent(before.value)} {on(before)}."
    )


def _total_share_lines(alert: Alert, words: Names) -> tuple[str, ...]:
    everybody = f"These are all {unit_of(alert)} of the page, not the new ones only."
    return (*stock(alert, words), everybody, CAVEAT, NET_OF_REMOVALS)


def stock(alert: Alert, words: Names) -> tuple[str, ...]:
    """Write what a share of the likes with a country consists of, and the bounds of the share of all likes."""
    share, foreign, listed, home = (alert.fact(name) for name in ("share", "numerator", "denominator", "home"))
    country, total = words.country(home.about), alert.fact("total")
    counted = (
        f"{count(foreign.value)} of {count(listed.value)} {listed.unit} with a known country {on(listed)} were listed "
        f"outside {country}, {count(home.value)} in {country}; {count(alert.fact('unlisted').value)} more have none."
    )
    bounds = f"between {percent(share.low or 0.0)} and {percent(share.high or 1.0)}"
    return counted, f"Of all {count(total.value)} {total.unit} the share from outside {country} lies {bounds}."


def _majority(alert: Alert, words: Names) -> str:
    published = alert.facts_named("home_share")
    page, before = words.page(alert.page), alert.fact("before")
    country, unit = words.country(before.about), unit_of(alert)
    if published:
        return (
            f"Less than half of {page}'s {unit} are from accounts listed in {country}: {percent(published[0].value)} "
            f"{on(published[0])}, {percent(before.value)} {on(before)}."
        )
    share = alert.fact("share")
    if (share.low or 0.0) <= _HALF:
        return (
            f"More than half of {page}'s {unit} with a known country are from accounts listed outside {country}: "
            f"{percent(share.value)} {on(share)}."
        )
    return (
        f"More than half of all of {page}'s {unit} are from accounts listed outside {country}: at least "
        f"{percent(share.low or 0.0)} {on(share)}."
    )


def _majority_lines(alert: Alert, words: Names) -> tuple[str, ...]:
    published = alert.facts_named("home_share")
    if not published:
        before = alert.fact("before")
        earlier = f"The share listed in {words.country(before.about)} was {percent(before.value)} {on(before)}."
        return (*stock(alert, words), earlier, CAVEAT, NET_OF_REMOVALS)
    return (
        f"By rounded figures: the rounding allows {span_of_shares(published[0])}.",
        f"This is the share of all {unit_of(alert)}, not of new ones.",
        "Whoever has no known country belongs to neither side, so more than half need not be from abroad.",
        CAVEAT,
        NET_OF_REMOVALS,
    )


NEW_SHARE = Wording(headline=_new_share, lines=_new_share_lines)
COUNTRY_SHARE = Wording(headline=_country_share, lines=_country_share_lines)
TOTAL_SHARE = Wording(headline=_total_share, lines=_total_share_lines)
MAJORITY = Wording(headline=_majority, lines=_majority_lines)
