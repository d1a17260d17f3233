"""Foreign share of new likes: new likes are listed abroad far more often than before.

The rule is in ``handlers.signals.new_likes_rule``. A channel may set by how many points the share must exceed the usual
one (``foreign>10``); the default is 15.
"""

from __future__ import annotations

from collections.abc import Iterator

from handlers.model import Fact
from handlers.signals.facts import exactly, fact
from handlers.signals.new_likes_findings import Finding
from handlers.signals.new_likes_rule import NewLikesRule
from handlers.wording.shares import NEW_SHARE

_TOP = 3


def _facts(finding: Finding, part: str, home: str) -> Iterator[Fact]:  # noqa: ARG001 - the signature of a rule's facts
    reading = finding.reading
    yield from finding.facts(reading.page)
    at_home = finding.gained.value - finding.came.value - (finding.unlisted or 0.0)
    yield fact("home", exactly(at_home), reading.metric, reading, about=home)
    for country, likes in finding.countries[:_TOP]:
        yield fact("country", exactly(likes), reading.metric, reading, about=country)


COMPARISON = NewLikesRule(
    kind="new_foreign_share", feature="foreign", place="abroad", by_country=False, facts=_facts
).comparison(
    name="foreign_share_of_new",
    wording=NEW_SHARE,
    summary="a page's new likes come from abroad far more often than before",
)
