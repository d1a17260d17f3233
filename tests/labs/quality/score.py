"""Judgements counted: precision, recall, delays, duplicates and false alerts per page-year, kind by kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from tests.labs.quality.events import Duty, Event
from tests.labs.quality.intervals import held
from tests.labs.quality.judge import KINDS, Judgement, Verdict, judge, judge_cards
from tests.labs.quality.rows import Told
from tests.labs.quality.true_leads import Pair
from tests.labs.quality.values import HOUR, World

SINCE_SEEN = frozenset({"surge", "purge", "new_foreign_share"})
"""Kinds whose delay counts from the first sign of the event; the others' from when the definition is met.

A delay is negative where that was told before."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """How one rule did on one kind. ``right`` may exceed ``found``: it counts events that need not be told too."""

    required: int = 0
    found: int = 0
    right: int = 0
    false: int = 0
    duplicates: int = 0
    neither: int = 0
    delays: list[float] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.required += other.required
        self.found += other.found
        self.right += other.right
        self.false += other.false
        self.duplicates += other.duplicates
        self.neither += other.neither
        self.delays += other.delays

    @property
    def precision(self) -> float | None:
        told = self.right + self.false
        return self.right / told if told else None

    @property
    def recall(self) -> float | None:
        return self.found / self.required if self.required else None

    @property
    def delay(self) -> float | None:
        """The median, in hours."""
        return median(self.delays) if self.delays else None


@dataclass(slots=True, kw_only=True)
class Score:
    """How one rule did on one or several worlds."""

    page_years: float = 0.0
    kinds: dict[str, Tally] = field(default_factory=lambda: {kind: Tally() for kind in KINDS})
    intervals: list[bool] = field(default_factory=list)
    cards: int = 0
    false_cards: int = 0
    overtakes: int = 0
    carded: int = 0
    card_delays: list[float] = field(default_factory=list)

    def add(self, other: Score) -> None:
        self.page_years += other.page_years
        for kind, tally in other.kinds.items():
            self.kinds[kind].add(tally)
        self.intervals += other.intervals
        self.cards += other.cards
        self.false_cards += other.false_cards
        self.overtakes += other.overtakes
        self.carded += other.carded
        self.card_delays += other.card_delays

    @property
    def whole(self) -> Tally:
        """All kinds together; its delays mean nothing."""
        whole = Tally()
        for tally in self.kinds.values():
            whole.add(tally)
        return whole


def score(alerts: Sequence[Told], world: World, events: Sequence[Event], pairs: Sequence[Pair]) -> Score:
    """Judge the alerts that one rule told of a world, and count."""
    platforms = {latent.page.slug: latent.page.platform for latent in world.latents}
    found = Score(page_years=world.page_years, kinds=tallies(judge(alerts, events, platforms), events))
    found.intervals = [inside for _, inside in held(alerts, events, world.end)]
    cards = judge_cards(alerts, events, pairs)
    found.cards, found.false_cards = cards.cards, len(cards.false)
    found.overtakes, found.carded, found.card_delays = cards.overtakes, cards.carded, [*cards.delays]
    return found


def tallies(judgement: Judgement, events: Iterable[Event]) -> dict[str, Tally]:
    """A judgement counted by kind. What was told with another event is found, and no alert of its own."""
    kinds = {kind: Tally() for kind in KINDS}
    for event in events:
        kinds[event.kind].required += event.duty is Duty.REQUIRED
    for one in judgement.judged:
        tally = kinds[one.told.kind]
        match one.verdict:
            case Verdict.FALSE:
                tally.false += 1
            case Verdict.DUPLICATE:
                tally.duplicates += 1
            case Verdict.NEITHER:
                tally.neither += 1
            case Verdict.RIGHT if one.event is not None:
                tally.right += 1
                if one.event.duty is Duty.REQUIRED:
                    tally.found += 1
                    since = one.event.seen if one.told.kind in SINCE_SEEN else one.event.met
                    if one.told.kind != "closing_in":
                        tally.delays.append((one.told.at - since) / HOUR)
    for event, at in judgement.otherwise:
        kinds[event.kind].found += 1
        kinds[event.kind].delays.append((at - event.seen) / HOUR)
    return kinds
