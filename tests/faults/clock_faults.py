"""Cases 19 to 22: the machine's clock is set, or the machine sleeps."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

from handlers.model import Judged, Metric, Point, Reading, Standing, Track
from storage.store import Store
from tests.faults.bots import Dial, NotSeen
from tests.faults.case import Case, Trial
from tests.faults.kill_steps import slugs
from tests.faults.newsrooms import Newsroom, living, newsroom
from tests.faults.platform_faults import read
from tests.faults.slack_faults import first_post, reset_after

HOUR = timedelta(hours=1)
GAIN = 2_400
"""Likes a day: a page of a steady pace, whose surges would be told."""

DAYS = 40
NIGHT_BEFORE, HOURS = datetime(2026, 10, 24, 20, 0, tzinfo=UTC), 24
"""At one in the morning of 25 October 2026, UTC, it is three in Berlin and then two again."""

GOES_ON = 5.0
"""Seconds of polling looked at after a jump, at a poll a second."""

ASLEEP, SLEPT = 6.0, timedelta(minutes=10)
"""How long the bot is really suspended, and how long it finds that it was."""


def _set_back(trial: Trial) -> None:
    """An hour back: polling goes on, instants never go back, alerts are told; after a restart too."""
    with trial.folder() as folder, newsroom(folder) as room:
        names = slugs(3)
        room.watch(names, [room.channels(1)])
        dial = Dial(folder)
        with living(room.bot(command=dial.command)) as bot:
            read(room, names)
            for ahead in (-HOUR, -2 * HOUR):
                dial.set(ahead)
                room.grow()
                read(room, names)
                trial.tried += 1
            room.pass_milestone(names[0])
            room.arrived()
            instants = _instants(room, names[0])
            trial.expect(instants == sorted(set(instants)), "the instants of the readings went back")
            bot.stop()
        with living(room.bot(command=dial.command)) as bot:
            asked = room.facebook.count()
            time.sleep(GOES_ON)
            polls = room.facebook.count() - asked
            trial.expect(
                polls >= GOES_ON / 2, f"restarted before its own past it polled {polls} times in {GOES_ON:.0f} s"
            )
            bot.stop()
        trial.tried += 1
        trial.lost, trial.doubled = len(room.missing()), room.doubled()


def _set_ahead(trial: Trial) -> None:
    """An hour ahead and back: a steady page has no surge, what is due is polled once, a lost answer is found."""
    with trial.folder() as folder, newsroom(folder) as room:
        names = slugs(3)
        room.watch(names, [room.channels(1)], features=("milestone", "surge", "purge"))
        for name in names:
            _with_past(room, name)
        dial = Dial(folder)
        room.slack.rule = first_post(reset_after)
        with living(room.bot(command=dial.command)) as bot:
            read(room, names)
            for ahead in (HOUR, timedelta(0), HOUR):
                asked = room.facebook.count()
                dial.set(ahead)
                room.grow()
                read(room, names)
                time.sleep(GOES_ON)
                polls = room.facebook.count() - asked
                trial.expect(polls <= GOES_ON + 4, f"a jump made it poll {polls} times in {GOES_ON:.0f} s")
                trial.tried += 1
            told = sorted(key for _, key in room.posted())
            trial.expect(not told, f"told of a jump of the clock: {told[:3]}")
            room.pass_milestone(names[0])
            room.arrived()
            room.quiet()
            bot.stop()
        trial.lost, trial.doubled = len(room.missing()), room.doubled()


def _asleep(trial: Trial) -> None:
    """Suspended for ten minutes: one poll makes up for all that were missed, and rates are over the true time."""
    with trial.folder() as folder, newsroom(folder) as room:
        names = slugs(3)
        room.watch(names, [room.channels(1)], features=("milestone", "surge", "purge"))
        for name in names:
            _with_past(room, name)
        dial = Dial(folder)
        with living(room.bot(command=dial.command)) as bot:
            read(room, names)
            bot.freeze()
            time.sleep(ASLEEP)
            dial.set(SLEPT - timedelta(seconds=ASLEEP))
            for name in names:
                room.show(name, room.count_of(name) + round(GAIN * (SLEPT / timedelta(days=1))))
            asked = room.facebook.count()
            bot.thaw()
            time.sleep(GOES_ON)
            polls = room.facebook.count() - asked
            trial.expect(1 <= polls <= GOES_ON + 1.5, f"after the sleep it polled {polls} times in {GOES_ON:.0f} s")
            read(room, names)
            told = sorted(key for _, key in room.posted())
            trial.expect(not told, f"told of its own sleep: {told[:3]}")
            trial.note(f"{polls} polls in the {GOES_ON:.0f} s after a sleep, at one poll a second")
            bot.stop()
        trial.tried += 1


def _summer_ends(trial: Trial) -> None:
    """Over the night in which Europe's clocks go back an hour, hour by hour: one digest for each local day."""
    with trial.folder() as folder, newsroom(folder) as room:
        (name,) = slugs(1)
        room.watch([name])
        dial = Dial(folder)
        dial.set(NIGHT_BEFORE - datetime.now(UTC))
        with living(room.bot(command=dial.command)) as bot:
            room.workspace.wait_for_bot()
            room.workspace.say("ana", "newsroom", f"/trends subscribe {name} digest 02:30")
            answer = room.workspace.wait_for_message("newsroom", name, person="ana")
            if "digest" not in answer.text.lower() or "do not know" in answer.text.lower():
                raise NotSeen(f"there is no daily digest to look at yet: {answer.text[:100]}")
            for hour in range(HOURS):
                dial.set(NIGHT_BEFORE + hour * HOUR - datetime.now(UTC))
                room.grow()
                read(room, [name])
                time.sleep(2)
            digests = [
                one for one in room.workspace.messages("newsroom") if one.by_bot and "digest" in one.text.lower()
            ]
            trial.expect(len(digests) == HOURS // 24, f"{len(digests)} digests in {HOURS // 24} days")
            bot.stop()
        trial.tried += 1


def _with_past(room: Newsroom, slug: str) -> None:
    """Forty days of readings at a steady pace, up to the page's present count."""
    now = datetime.now(UTC).replace(microsecond=0)
    count = room.count_of(slug)
    url = f"https://www.facebook.com/{slug}"
    points = [
        Point(at=now - timedelta(days=back), count=(n := count - GAIN * back), low=n, high=n, source=SOURCE, url=url)
        for back in range(DAYS, -1, -1)
    ]
    readings = [
        Reading(
            page=slug,
            observed_at=one.at,
            received_at=one.at,
            count=one.count,
            low=one.low,
            high=one.high,
            metric=Metric.FOLLOWERS,
            source=SOURCE,
            url=url,
        )
        for one in points
    ]
    track = Track(
        page=slug,
        metric=Metric.FOLLOWERS,
        since=points[0].at,
        last=points[-1],
        previous=points[-2],
        day=points[-1],
        gains=(float(GAIN),) * 14,
        gap=timedelta(days=1).total_seconds(),
    )
    with closing(Store.open(room.database)) as store, store.write():
        store.readings.take([Judged(reading=reading, standing=Standing.ACCEPTED) for reading in readings])
        store.readings.save_tracks([track])


SOURCE = "Facebook Graph API"


def _instants(room: Newsroom, slug: str) -> list[datetime]:
    """When the page was read, in the order in which it was read: its count never fell."""
    with room.store() as store:
        now = datetime.now(UTC)
        points = store.readings.series(slug, now - timedelta(days=1), now + timedelta(days=1))
    return [point.at for point in sorted(points, key=lambda point: point.count)]


CASES = (
    Case(
        number="19",
        name="the clock goes back an hour",
        expected="polling goes on, instants never go back, alerts arrive once",
        run=_set_back,
    ),
    Case(
        number="20",
        name="the clock goes ahead an hour",
        expected="no surge, no burst of polls, a post whose answer is lost is found",
        run=_set_ahead,
    ),
    Case(
        number="21",
        name="summer time ends",
        expected="one digest for each local day",
        run=_summer_ends,
        in_quick=False,
    ),
    Case(
        number="22",
        name="suspended for ten minutes (SIGSTOP)",
        expected="one poll for all that were missed, no surge",
        run=_asleep,
    ),
)
