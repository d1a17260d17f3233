"""Cases 19 to 22: the machine's clock is set, or the machine sleeps."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from bot.imports.replay import by_instant
from handlers.model import Metric, Reading
from storage.store import Store
from tests.labs.faults.bots import Dial, until
from tests.labs.faults.case import Case, Trial
from tests.labs.faults.kill_steps import slugs
from tests.labs.faults.newsrooms import Newsroom, living, newsroom
from tests.labs.faults.platform_faults import read
from tests.labs.faults.slack_faults import first_post, reset_after
from tests.labs.standins.clock import HandClock
from tests.labs.standins.newsroom import cycle

HOUR = timedelta(hours=1)
GAIN = 2_400
"""Likes a day: a page of a steady pace, whose surges would be told."""

DAYS = 40

BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"
"""The time zone as POSIX writes it: a name would mean UTC where the machine has no tz database."""

NIGHTS = (datetime(2025, 3, 30, 0, 30, tzinfo=UTC), datetime(2025, 10, 26, 0, 30, tzinfo=UTC))
"""Half an hour later summer time begins in Berlin, and ends there. Past: what is due at once must not lie ahead."""

ONCE_IN = {0: True, 1: False, 23.1: False, 24.1: True}
"""Hours after such an instant, and whether what runs once a day is due then."""

WATCHED, SEEN_AFTER, SURGE = (4, 8), (9, 13, 17), 3 * GAIN
"""Hours in which a surge would be told (twice, 6 hours apart), those in which one is, and what it brings each time."""

NEAR = 998_900
"""Where a page of a pace stands before a milestone: from there it is passed in no jump, which would have to stand."""

GOES_ON = 5.0
"""Seconds of polling looked at after a jump, at a poll a second."""

LOOKS_WITHIN = 2.0
"""Seconds from a start to the first look at what runs once a day, which comes at once."""

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
        room.watch(names, [room.channels(1)], features=("milestone", "surge", "purge"), count=NEAR)
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
            room.pass_milestone(names[0])  # before the clock is further ahead of Slack's than any lost answer is
            room.arrived()
            room.quiet()
            _steady(room, dial, trial, names[1:], "a jump of the clock")
            _surges(room, dial, names[1])
            bot.stop()
        trial.lost, trial.doubled = len(room.missing()), room.doubled()


def _steady(room: Newsroom, dial: Dial, trial: Trial, names: list[str], what: str) -> None:
    """For as long as a surge would take to be told the pages gain what they usually do, and nothing is told."""
    start, before = dial.ahead, room.posted().keys()
    for earlier, hours in pairwise((0, *WATCHED)):
        for name in names:
            room.show(name, room.count_of(name) + GAIN * (hours - earlier) // 24)
        dial.set(start + hours * HOUR)
        read(room, names)
    told = sorted(key for _, key in room.posted().keys() - before)
    trial.expect(not told, f"told of {what}: {told[:3]}")


def _surges(room: Newsroom, dial: Dial, name: str) -> None:
    """A gain that is a surge is told in the same place: that none was told before says something."""
    start = dial.ahead
    for hours in SEEN_AFTER:
        room.show(name, room.count_of(name) + SURGE)
        dial.set(start + hours * HOUR)
        read(room, [name])
    until(lambda: any(key.startswith(f"surge:{name}:") for _, key in room.posted()), 30, "a surge that is one")


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
            _steady(room, dial, trial, names, "its own sleep")
            _surges(room, dial, names[1])
            trial.note(f"{polls} polls in the {GOES_ON:.0f} s after a sleep, at one poll a second")
            bot.stop()
        trial.tried += 1


def _summer_time(trial: Trial) -> None:
    """Over both nights in which Berlin's clocks are set, with a start at each hour: folded once in 24 hours."""
    with trial.folder() as folder, newsroom(folder) as room:
        room.watch(slugs(1))
        dial = Dial(folder)
        for night in NIGHTS:
            for hours, is_due in ONCE_IN.items():
                before = _folded_at(room)
                dial.set(night + hours * HOUR - datetime.now(UTC))
                with living(room.bot(command=dial.command, settings={"TZ": BERLIN})) as bot:
                    time.sleep(LOOKS_WITHIN)
                    bot.stop()  # waits for a fold under way
                folded = _folded_at(room)
                what = f"{hours} hours after {night:%d %B %Y, %H:%M} UTC"
                trial.expect((folded != before) is is_due, f"{what}, folded at {before} before, and now at {folded}")
                trial.tried += 1


def _folded_at(room: Newsroom) -> str | None:
    with room.store() as store:
        return store.notes.get("folded_at")


def _with_past(room: Newsroom, slug: str) -> None:
    """Forty days of readings at a steady pace, up to the page's present count; of the last three days each hour's."""
    now = datetime.now(UTC).replace(microsecond=0)
    count, url = room.count_of(slug), f"https://www.facebook.com/{slug}"
    readings = [
        Reading(
            page=slug,
            observed_at=now - hours * HOUR,
            received_at=now - hours * HOUR,
            count=(n := count - GAIN * hours // 24),
            low=n,
            high=n,
            metric=Metric.FOLLOWERS,
            source=SOURCE,
            url=url,
        )
        for hours in (*range(DAYS * 24, 3 * 24, -24), *range(3 * 24, -1, -1))
    ]
    with closing(Store.open(room.database)) as store, closing(cycle(store, HandClock(now), {})) as feeding:
        feeding.add_figures(by_instant(readings, ()))


SOURCE = "Facebook Graph API"


def _instants(room: Newsroom, slug: str) -> list[datetime]:
    """When the page was read, in the order in which it was read: its count never fell."""
    with room.store() as store:
        now = datetime.now(UTC)
        points = store.readings.points(slug, now - timedelta(days=1), now + timedelta(days=1))
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
        expected="no surge, no burst of polls, a post whose answer is lost is found; a true surge is told",
        run=_set_ahead,
    ),
    Case(
        number="21",
        name="summer time begins and ends (TZ: Berlin)",
        expected="what runs once a day runs once in 24 hours, in the nights of 23 and 25 hours too",
        run=_summer_time,
    ),
    Case(
        number="22",
        name="suspended for ten minutes (SIGSTOP)",
        expected="one poll for all that were missed, no surge; a true one is told",
        run=_asleep,
    ),
)
