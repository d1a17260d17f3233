"""Sentences of a change of lead."""

from __future__ import annotations

from handlers.contract import Names, Wording
from handlers.model import Alert
from handlers.wording.numbers import count, dated
from handlers.wording.phrases import is_rounded, on, span


def _figures(alert: Alert) -> str:
    ours, theirs = alert.fact("count"), alert.fact("rival_count")
    rounded = " by rounded figures" if is_rounded(ours) or is_rounded(theirs) else ""
    return f"({count(ours.value)} v {count(theirs.value)}{rounded})"


def _ahead(alert: Alert, words: Names) -> str:
    page, rival, gap = words.page(alert.page), words.page(alert.rival or ""), alert.fact("gap")
    return f"{page} moved ahead of {rival} by {count(gap.value)} {gap.unit} {_figures(alert)}, not settled yet."


def _overtake(alert: Alert, words: Names) -> str:
    page, rival, unit = words.page(alert.page), words.page(alert.rival or ""), alert.fact("gap").unit
    since = alert.fact("since")
    if since.value > 1 and since.at is not None:
        held = f"ahead at every reading{_of_whom(alert, words)} since {dated(since.at, alert.dated)}"
    else:
        held = f"first seen {on(alert.fact('count'))}"
    return f"{page} now has more {unit} than {rival} {_figures(alert)}, {held}."


def _held_off(alert: Alert, words: Names) -> str:
    page, rival, gap = words.page(alert.page), words.page(alert.rival or ""), alert.fact("gap")
    since = alert.fact("since").at
    held = f" since {dated(since, alert.dated)}" if since else ""
    return (
        f"{page} has more {gap.unit} than {rival} again {_figures(alert)}, "
        f"ahead at every reading{_of_whom(alert, words)}{held}: the lead did not change."
    )


def _of_whom(alert: Alert, words: Names) -> str:
    """Name the page whose readings decided, if the other page was not read."""
    for unread in alert.facts_named("unread"):
        return f" of {words.page(alert.rival or '' if unread.about == alert.page else alert.page)}"
    return ""


def _lead_lines(alert: Alert, words: Names) -> tuple[str, ...]:
    gap = alert.fact("gap")
    said = [f"The difference is {count(gap.value)} {gap.unit}."]
    if is_rounded(gap):
        said = [f"The difference is {count(gap.value)} {gap.unit}; rounding allows {span(gap, count)}."]
    before = alert.facts_named("before")
    if before:
        earlier = "; ".join(f"{words.page(fact.about)} {count(fact.value)} {on(fact)}" for fact in before)
        said.append(f"Readings are days apart, so the moment itself was not seen. Before: {earlier}.")
    for fact in alert.facts_named("unread"):
        said.append(
            f"{words.page(fact.about)} was last read {on(fact)}: the difference is to that figure, and what it may "
            "have gained since is allowed for."
        )
    for fact in alert.facts_named("flips"):
        times = "once" if fact.value == 1 else f"{count(fact.value)} times"
        said.append(f"The lead changed {times} since it was first told {on(fact)}.")
    if alert.kind == "ahead":
        said.append("It is settled after 24 hours ahead at every reading; this card will say so.")
    return tuple(said)


AHEAD = Wording(headline=_ahead, lines=_lead_lines)
OVERTAKE = Wording(headline=_overtake, lines=_lead_lines)
HELD_OFF = Wording(headline=_held_off, lines=_lead_lines)
