"""One country's share of new likes: new likes are listed in one country abroad far more often than before.

The rule is in ``handlers.signals.new_likes_rule``; each country has an episode of its own. The feature is opt-in: if
one country alone raises the foreign share, ``foreign`` already says so. It is for channels that wait for a certain
country, or whose page is foreign throughout.

The alert also gives the country's share of all the page's likes. A comparison with the group's other pages (a location
quotient) would need their audiences at the same instant. No platform gives the audiences of other people's pages.
"""

from __future__ import annotations

from collections.abc import Iterator

from handlers.model import Fact
from handlers.signals.facts import fact
from handlers.signals.new_likes_findings import Finding
from handlers.signals.new_likes_rule import NewLikesRule
from handlers.wording.shares import COUNTRY_SHARE


def _facts(finding: Finding, part: str, home: str) -> Iterator[Fact]:  # noqa: ARG001 - the signature of a rule's facts
    yield from finding.facts(part)
    if finding.of_all is not None:
        yield fact("of_all", finding.of_all, "share", finding.reading, about=part)


COMPARISON = NewLikesRule(
    kind="country_share", feature="country", place="this country", by_country=True, facts=_facts
).comparison(
    name="foreign_country_share",
    wording=COUNTRY_SHARE,
    summary="a page's new likes come from one country abroad far more often than before",
    opt_in=True,
)
