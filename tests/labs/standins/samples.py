"""Ordinary values for tests that care about one or two of their fields, and Hypothesis strategies for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from hypothesis import strategies as st

from handlers.model import (
    Alert,
    AudienceReading,
    Dated,
    Fact,
    Figure,
    Measure,
    Metric,
    Parameter,
    Point,
    Reading,
    Restart,
    SeriesState,
    Standing,
    ValidatedReading,
)
from storage.values import Subscription, Target

NOON = datetime(2016, 2, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def judged(
    at: datetime,
    count: int,
    *,
    page: str = "hunsen",
    standing: Standing = Standing.ACCEPTED,
    metric: Metric = Metric.LIKES,
    source: str = "Graph API",
) -> ValidatedReading:
    """An exact reading, known at once, as the ledger ruled on it."""
    reading = Reading(
        page=page, observed_at=at, received_at=at, count=count, low=count, high=count, metric=metric, source=source
    )
    return ValidatedReading(reading=reading, standing=standing)


def point(at: datetime, count: int, *, source: str = "Graph API") -> Point:
    """The point that ``judged`` makes."""
    return Point(at=at, count=count, low=count, high=count, source=source)


def track(last: Point, *, page: str = "hunsen", since: datetime = NOON, metric: Metric = Metric.LIKES) -> SeriesState:
    """A series that began at ``since``."""
    return SeriesState(page=page, metric=metric, since=since, last=last)


def alert(
    key: str = "overtake:hunsen:samrainsy",
    *,
    at: datetime = NOON,
    page: str = "hunsen",
    rival: str | None = "samrainsy",
    feature: str = "overtake",
    story: str = "lead:hunsen:samrainsy",
) -> Alert:
    """An overtake with one fact."""
    fact = Fact(name="gap", value=14_000, unit="likes")
    return Alert(
        key=key,
        story=story,
        kind=feature,
        feature=feature,
        page=page,
        rival=rival,
        at=at,
        facts=(fact,),
        rule="overtake 1",
    )


def wish(
    slug: str = "hunsen",
    *,
    target: Target = Target.PAGE,
    channel: str = "C1",
    team: str = "T1",
    features: tuple[str, ...] = ("overtake",),
    thresholds: Mapping[str, float] = MappingProxyType({}),
) -> Subscription:
    """A channel's subscription."""
    return Subscription(
        team_id=team,
        channel_id=channel,
        target=target,
        slug=slug,
        features=features,
        thresholds=thresholds,
        by="U1",
        at=NOON,
    )


instants = st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000))
counts = st.integers(0, 2**63 - 1)
texts = st.text(st.characters(codec="utf-8"), max_size=20)
numbers = st.floats(allow_nan=False, allow_infinity=False)
dates = st.sampled_from(Dated)
points = st.builds(Point, at=instants, count=counts, low=counts, high=counts, source=texts, url=texts, dated=dates)
tracks = st.builds(
    SeriesState,
    page=st.just("hunsen"),
    metric=st.sampled_from(Metric),
    since=instants,
    last=points,
    previous=st.none() | points,
    day=st.none() | points,
    gains=st.lists(numbers, max_size=14).map(tuple),
    gap=st.none() | numbers,
    held=st.lists(points, max_size=3).map(tuple),
    held_metric=st.none() | st.sampled_from(Metric),
    restarted=st.none() | st.sampled_from(Restart),
)
readings = st.builds(
    Reading,
    page=st.just("hunsen"),
    observed_at=instants,
    received_at=instants,
    count=counts,
    low=counts,
    high=counts,
    metric=st.sampled_from(Metric),
    source=texts,
    url=texts,
    dated=dates,
)
figures = st.builds(Figure, value=numbers, low=numbers, high=numbers)
by_country = st.dictionaries(st.sampled_from(["KH", "IN", "PH", "US"]), figures)
audiences = st.builds(
    AudienceReading,
    page=st.just("hunsen"),
    as_of=instants,
    received_at=instants,
    measure=st.sampled_from(Measure),
    metric=st.sampled_from(Metric),
    days=st.none() | st.integers(1, 365),
    likes=by_country,
    shares=by_country,
    total=st.none() | figures,
    source=texts,
    method=texts,
    url=texts,
    dated=dates,
)
facts = st.builds(
    Fact,
    name=texts,
    value=numbers,
    unit=texts,
    low=st.none() | numbers,
    high=st.none() | numbers,
    about=texts,
    at=st.none() | instants,
    dated=dates,
    source=texts,
    url=texts,
)
alerts = st.builds(
    Alert,
    key=texts,
    story=texts,
    kind=texts,
    feature=texts,
    page=texts,
    rival=st.none() | texts,
    at=instants,
    dated=dates,
    facts=st.lists(facts, max_size=3).map(tuple),
    rule=texts,
    parameters=st.lists(st.builds(Parameter, name=texts, value=numbers, unit=texts), max_size=3).map(tuple),
)
