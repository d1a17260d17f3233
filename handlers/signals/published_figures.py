"""New likes of a period as published: "157,331 of 779,000 new likes came from Cambodia".

The share is as exact as its rounding allows. It is compared with the share of all likes at the time, at most 90 days
before. The figure waits for such a share.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial

from handlers.contract import Window
from handlers.model import AudienceReading, Figure, Measure
from handlers.signals.new_likes_findings import (
    ABROAD,
    Finding,
    NewLikesParameters,
    Occasion,
    Progress,
    PublishedFigure,
)
from handlers.signals.shares import complement, published_share


def with_figures(
    progress: Progress, window: Window, home: str, parameters: NewLikesParameters, *, by_country: bool
) -> tuple[Progress, tuple[Occasion, ...]]:
    """Return the published figures that arrived or still wait, oldest first, and the progress once they are judged.

    The part to judge is ``ABROAD``. With ``by_country`` it is each country that a figure names.
    """
    within = timedelta(days=parameters.baseline_days)
    until, waiting, occasions = progress.figures_until, list[PublishedFigure](), list[Occasion]()
    for reading in _due(window, progress):
        occasion = _occasion(reading, window, home, within, by_country=by_country)
        if occasion is not None:
            occasions.append(occasion)
            until = occasion.at if until is None else max(until, occasion.at)
            if not all(map(occasion.findings, occasion.parts)):
                waiting.append(_id(reading))
    if occasions:
        progress = replace(progress, figures_until=until, waiting=tuple(waiting))
    return progress, tuple(occasions)


def _due(window: Window, progress: Progress) -> Iterator[AudienceReading]:
    """Yield the figures that just arrived, that wait, or that are newer than all judged ones.

    Another figure of the same day may follow later.
    """
    until = progress.figures_until
    for reading in window.audience:
        if reading.measure is Measure.NEW and (
            until is None or reading.as_of > until or reading in window.new_audience or _id(reading) in progress.waiting
        ):
            yield reading


def _id(reading: AudienceReading) -> PublishedFigure:
    return PublishedFigure(reading.as_of, reading.received_at, reading.days, reading.metric, reading.source)


def _occasion(
    reading: AudienceReading, window: Window, home: str, within: timedelta, *, by_country: bool
) -> Occasion | None:
    if reading.total is None or reading.total.low <= 0:
        return None
    parts = sorted({*reading.likes, *reading.shares} - {home}) if by_country else (ABROAD,)
    published = tuple(part for part in parts if _published(reading, home, part) is not None)
    if not published:
        return None
    return Occasion(
        at=reading.as_of,
        sparse=True,
        parts=published,
        findings=partial(_of_figure, reading, reading.total, window.audience, home, within=within),
    )


def _of_figure(
    reading: AudienceReading,
    total: Figure,
    audience: tuple[AudienceReading, ...],
    home: str,
    part: str,
    *,
    within: timedelta,
) -> tuple[Finding, ...]:
    """Return the finding of a published figure; none while there is no share of all likes at that time."""
    share, baseline = _published(reading, home, part), _share_of_all(audience, reading, home, within, part)
    if share is None or baseline is None:
        return ()
    abroad = {country: figure.value for country, figure in reading.likes.items() if country != home}
    return (
        Finding(
            reading=reading,
            days=reading.days or 0,
            share=share,
            came=_counted(reading, total, share, home, part),
            gained=total,
            tested=total.value,
            total=0.0,
            baseline=baseline,
            countries=tuple(sorted(abroad.items(), key=lambda item: (-item[1], item[0]))),
        ),
    )


def _published(reading: AudienceReading, home: str, part: str) -> Figure | None:
    if part != ABROAD:
        return published_share(reading, part)
    at_home = published_share(reading, home)
    return None if at_home is None else complement(at_home)


def _counted(reading: AudienceReading, total: Figure, share: Figure, home: str, part: str) -> Figure:
    listed = reading.likes.get(home if part == ABROAD else part)
    if listed is None:
        return Figure(value=share.value * total.value, low=share.low * total.low, high=share.high * total.high)
    if part != ABROAD:
        return listed
    return Figure(value=total.value - listed.value, low=total.low - listed.high, high=total.high - listed.low)


def _share_of_all(
    audience: tuple[AudienceReading, ...], new: AudienceReading, home: str, within: timedelta, part: str
) -> Figure | None:
    for reading in reversed(audience):
        is_comparable = reading.measure is Measure.ALL and reading.metric is new.metric
        if is_comparable and new.as_of - within <= reading.as_of <= new.as_of:
            share = _published(reading, home, part)
            if share is not None:
                return share
    return None
