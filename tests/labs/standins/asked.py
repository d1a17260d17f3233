"""A store to ask things of: pages with their readings as the cycle leaves them, and a way to ask as a person does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bot.slack.contract import Call, Reply
from bot.slack.discovery import find_command, parse_query
from bot.slack.names import UnknownName
from handlers.model import (
    Account,
    Alert,
    Dated,
    Fact,
    Metric,
    Page,
    Point,
    Reading,
    SeriesState,
    Standing,
    ValidatedReading,
)
from storage.store import Store
from storage.values import PollOutcome, PollTrouble

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SOURCE = "Facebook Graph API"
QUARTER = timedelta(minutes=15)
MINUTES_AGO = NOW - timedelta(minutes=4)


def call(text: str, *, channel: str = "C0NEWSROOM", user: str = "U0EDITOR") -> Call:
    """What somebody typed after the bot's name, as a call of the command it reaches."""
    slash, typed = parse_query(text)
    _, rest = find_command(slash, typed)
    return Call(slash=slash, text=rest, team_id="T0PAPER", channel_id=channel, user_id=user)


def ask(store: Store, text: str, *, now: datetime = NOW, channel: str = "C0NEWSROOM") -> Reply:
    """The answer to what somebody typed."""
    slash, typed = parse_query(text)
    command, _ = find_command(slash, typed)
    try:
        return command.run(call(text, channel=channel), store, now)
    except UnknownName as error:
        return error.reply


def watch(
    store: Store,
    slug: str,
    counts: Sequence[tuple[datetime, int]],
    *,
    name: str = "",
    home: str | None = "KH",
    groups: tuple[str, ...] = ("cambodia",),
    rounding: int = 0,
    metric: Metric = Metric.LIKES,
    polled_at: datetime | None = MINUTES_AGO,
    trouble: PollTrouble | None = None,
    held: Sequence[tuple[datetime, int]] = (),
    source: str = SOURCE,
    url: str = "",
    dated: Dated = Dated.INSTANT,
) -> None:
    """Add a page with these counts, oldest first, each ±``rounding``; ``polled_at`` is None where it was imported."""
    address = f"https://www.facebook.com/{slug}"
    page = Page(slug=slug, name=name or slug.title(), platform="facebook", url=address, home=home, groups=groups)
    native_id = str(int.from_bytes(slug.encode()) % 10**15)
    account = Account(page=slug, platform="facebook", native_id=native_id, handle=slug, url=address, poll_every=QUARTER)
    readings = [
        Reading(
            page=slug,
            observed_at=at,
            received_at=at,
            count=count,
            low=count - rounding,
            high=count + rounding,
            metric=metric,
            source=source,
            url=url,
            dated=dated,
        )
        for at, count in (*counts, *held)
    ]
    points = [
        Point(at=one.observed_at, count=one.count, low=one.low, high=one.high, source=source, url=url, dated=dated)
        for one in readings
    ]
    store.pages.add(page, account if polled_at else None, at=NOW)
    if counts:
        accepted = len(counts)
        standings = [Standing.ACCEPTED] * accepted + [Standing.HELD] * len(held)
        store.readings.add(
            [ValidatedReading(reading=reading, standing=how) for reading, how in zip(readings, standings, strict=True)]
        )
        track = SeriesState(
            page=slug,
            metric=metric,
            since=points[0].at,
            last=points[accepted - 1],
            previous=points[accepted - 2] if accepted > 1 else None,
            held=tuple(points[accepted:]),
        )
        store.series_states.put([track])
    if polled_at:
        store.pages.record_polls([PollOutcome(page=slug, at=polled_at, next_due=polled_at + QUARTER)])
    if trouble:
        store.pages.record_polls([PollOutcome(page=slug, at=NOW, next_due=NOW + QUARTER, trouble=trouble)])


def daily(last: int, gain: int, *, days: int = 40, until: datetime = NOW - QUARTER) -> list[tuple[datetime, int]]:
    """A count a day, ``gain`` more each, up to ``last``."""
    return [(until - timedelta(days=back), last - gain * back) for back in range(days, -1, -1)]


def overtake(*, at: datetime = NOW, kind: str = "overtake", page: str = "hunsen", rival: str = "samrainsy") -> Alert:
    """An alert about a lead, as the comparison makes it."""

    def count(name: str, about: str, value: int) -> Fact:
        return Fact(
            name=name,
            value=value,
            unit="likes",
            low=value - 50,
            high=value + 50,
            about=about,
            at=at,
            dated=Dated.DAY,
            source="The Cambodia Daily",
            url="https://english.cambodiadaily.com/a?b=1&c=2",
        )

    return Alert(
        key=f"{kind}:{page}>{rival}:{at.isoformat()}",
        story=f"lead:{page}>{rival}",
        kind=kind,
        feature="overtake",
        page=page,
        rival=rival,
        at=at,
        dated=Dated.DAY,
        facts=(
            count("count", page, 2_108_800),
            count("rival_count", rival, 2_094_800),
            Fact(name="gap", value=14_000, unit="likes", low=13_900, high=14_100, at=at),
            Fact(name="since", value=3, unit="readings", at=at - timedelta(days=1)),
        ),
        rule="Ahead at every evaluation for 24 hours or more.",
    )
