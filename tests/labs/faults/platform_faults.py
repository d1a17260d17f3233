"""Cases 10 to 18: a platform that is down, slow, hostile or mistaken."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from tests.labs.faults.bots import Bot, Dial, until
from tests.labs.faults.case import Case, Trial
from tests.labs.faults.kill_steps import slugs
from tests.labs.faults.newsrooms import BELOW, Newsroom, living, newsroom
from tests.labs.faults.wire import Answer, Line, Rule, cut, honest, in_html, stumble, truncated
from tests.labs.standins.graph import GraphError, gone

PAGES = 6
DOWN = 20.0
"""Seconds that the platform is down."""

OPERATORS = "C0POLITICS"
BEGAN_AND_ENDED = 2
LONG, TOLD_WITHIN = timedelta(minutes=15), timedelta(minutes=2)
"""An outage that is worth telling the operators, and how soon they hear of it and of its end."""

DEADLINE, SLACK = 30.0, 8.0
"""Seconds that one answer may take (bot/http/client.py), and what a busy machine may add."""

BOMB = 300_000_000
GROWS_AT_MOST = 20.0
READ_AGAIN_WITHIN = 180.0
FEATURES = ("milestone", "overtake", "surge", "purge")


@contextmanager
def watching(trial: Trial, *, pages: int = PAGES) -> Iterator[tuple[Newsroom, Bot]]:
    """A bot that has read its pages (rivals of each other, wanted by one channel) a few times."""
    with trial.folder() as folder, newsroom(folder) as room:
        room.watch(slugs(pages), [room.channels(1)], features=FEATURES, group="race")
        with living(room.bot()) as bot:
            read(room, slugs(pages))
            yield room, bot


def read(room: Newsroom, names: list[str], seconds: float = 30.0) -> None:
    """Wait until each page shows the count that it has now."""
    until(lambda: room.is_read(*names), seconds, f"a reading of {', '.join(names[:3])}")


def _no_news(room: Newsroom, trial: Trial) -> None:
    posted = room.posted()
    trial.expect(not posted, f"posted {sorted(key for _, key in posted)[:3]}")


def _unknown_then_well(trial: Trial, rule: Rule) -> None:
    """While every answer is spoilt the pages are unread and nothing is told of them; afterwards all goes on."""
    with watching(trial) as (room, bot):
        names = slugs(PAGES)
        room.facebook.rule = rule
        room.grow()
        until(lambda: all(latest.trouble for latest in room.latest(names)), 30, "trouble to be recorded")
        counts = {one.page.slug: one.series_state.last.count if one.series_state else 0 for one in room.latest(names)}
        trial.expect(
            all(counts[name] == room.count_of(name) - 1 for name in names),
            f"a spoilt answer changed the counts: {counts}",
        )
        _no_news(room, trial)
        room.facebook.rule = honest
        read(room, names, READ_AGAIN_WITHIN)
        _no_news(room, trial)
        trial.expect("Traceback" not in bot.said(), f"a traceback in the log: {bot.said()[-300:]}")
        bot.stop()
        trial.tried += 1


def _broken_down(trial: Trial) -> None:
    """500s for long: asked ever more rarely, the operators and the log are told once, and it is read again after it."""
    names = slugs(120)
    with trial.folder() as folder, newsroom(folder) as room:
        room.watch(names, [room.channels(1)], features=FEATURES, group="race")
        dial = Dial(folder)
        operators = {"LIKEWATCH_OPERATORS_CHANNEL": OPERATORS}
        with living(room.bot(command=dial.command, settings=operators)) as bot:
            read(room, names)
            room.facebook.rule = stumble
            room.grow()
            until(lambda: any(latest.trouble for latest in room.latest(names)), 30, "trouble to be recorded")
            asked, start = room.facebook.count(), time.monotonic()
            time.sleep(DOWN)
            again = room.facebook.count() - asked
            trial.expect(again <= DOWN / 2, f"a platform that is down was asked {again} times in {DOWN:.0f} s")
            dial.set(LONG)
            room.workspace.wait_for_message(OPERATORS, "cannot be read", timeout=TOLD_WITHIN)
            room.facebook.rule = honest
            read(room, names, READ_AGAIN_WITHIN)
            well = time.monotonic() - start - DOWN
            room.workspace.wait_for_message(OPERATORS, "is read again", timeout=TOLD_WITHIN)
            notices = [message.text for message in room.workspace.messages(OPERATORS)]
            trial.expect(len(notices) == BEGAN_AND_ENDED, f"the operators were told {len(notices)} times: {notices}")
            warned = [line.partition(" WARNING ")[2] for line in bot.said().splitlines() if " WARNING " in line]
            trial.expect(len(warned) == len(set(warned)) > 0, f"the log warned again and again: {warned[:4]}")
            trial.note(f"asked {again} times in {DOWN:.0f} s of outage; read again {well:.0f} s later")
            told = sorted(key for _, key in room.posted())
            trial.expect(not told, f"told of the pages of a platform that is down: {told[:3]}")
            bot.stop()
        trial.tried += 1


def _slow_loris(trial: Trial) -> None:
    with watching(trial) as (room, bot):
        held: list[float] = []

        def drip(line: Line) -> None:
            held.append(line.drip(lambda: time.monotonic() - line.asked.at > DEADLINE * 3))

        room.facebook.rule = drip
        until(lambda: bool(held), DEADLINE + SLACK * 2, "the bot to hang up")
        trial.expect(held[0] <= DEADLINE + SLACK, f"a call was held for {held[0]:.0f} s")
        room.facebook.rule = honest
        room.grow()
        read(room, slugs(PAGES), READ_AGAIN_WITHIN)
        trial.note(f"hung up after {held[0]:.1f} s")
        bot.stop()
        trial.tried += 1


def _gzip_bomb(trial: Trial) -> None:
    bomb = gzip.compress(b" " * BOMB)
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    with watching(trial) as (room, bot):
        before = bot.memory()
        bot.forget_peak()
        asked = room.facebook.count()
        room.facebook.rule = lambda line: line.send(Answer(body=bomb, headers=headers))
        until(lambda: room.facebook.count() > asked + 2, 60, "three bombs to be taken")
        until(lambda: all(latest.trouble for latest in room.latest(slugs(PAGES))), 30, "trouble to be recorded")
        grown = bot.peak_memory() - before
        trial.expect(grown < GROWS_AT_MOST, f"memory grew by {grown:.0f} MB over a bomb of {BOMB // 1_000_000} MB")
        trial.note(f"{len(bomb):,} bytes that are {BOMB:,}: memory grew by {grown:.1f} MB")
        room.facebook.rule = honest
        room.grow()
        read(room, slugs(PAGES), READ_AGAIN_WITHIN)
        bot.stop()
        trial.tried += 1


_ODD: Mapping[str, str] = {
    "NaN": "NaN",
    "1e400": "1e400",
    "a text": '"1,234"',
    "true": "true",
    "negative": "-5",
    "2^63": str(2**63),
    "a list": "[1]",
    "null": "null",
}


def _odd_counts(trial: Trial) -> None:
    """One page's count is replaced by something that is none; the other pages' are read in the same poll."""
    with watching(trial) as (room, bot):
        odd, others = slugs(PAGES)[0], slugs(PAGES)[1:]
        for name, text in _ODD.items():
            good = room.count_of(odd)
            room.facebook.rule = _with_count(odd, text)
            for other in others:
                room.show(other, room.count_of(other) + 1)
            read(room, others)
            until(lambda: bool(room.latest([odd])[0].trouble), 30, f"{name} to be refused")
            kept = room.latest([odd])[0].series_state
            trial.expect(kept and kept.last.count == good, f"{name} became {kept.last.count if kept else None}")
            room.facebook.rule = honest
            room.show(odd, good + 1)
            read(room, [odd], READ_AGAIN_WITHIN)
            trial.tried += 1
        _no_news(room, trial)
        trial.expect("Traceback" not in bot.said(), f"a traceback in the log: {bot.said()[-300:]}")
        bot.stop()


def _with_count(slug: str, text: str) -> Rule:
    """The page's followers are these characters of JSON."""

    def rule(line: Line) -> None:
        answer = line.forward()
        items = json.loads(answer.body)
        for item in items:
            body = json.loads(item["body"])
            if body.get("username") == slug:
                body["followers_count"] = "ODD"
                item["body"] = json.dumps(body).replace('"ODD"', text)
        line.send(replace(answer, body=json.dumps(items).encode()))

    return rule


def _sudden_falls(trial: Trial) -> None:
    """0 is never a count; a fall of 90 % is held until readings over 12 hours confirm it."""
    with trial.folder() as folder, newsroom(folder) as room:
        zero, fallen, calm = slugs(3)
        room.watch((zero, fallen, calm), [room.channels(1)], features=FEATURES, group="race")
        dial = Dial(folder)
        with living(room.bot(command=dial.command)) as bot:
            read(room, [zero, fallen, calm])
            first = room.count_of(fallen)
            room.show(zero, 0)
            room.show(fallen, first // 10)
            room.show(calm, room.count_of(calm) + 1)
            read(room, [calm])
            room.polls(bot, least=3)
            shown = {
                one.page.slug: one.series_state.last.count if one.series_state else 0
                for one in room.latest([zero, fallen])
            }
            trial.expect(shown[zero] >= BELOW, f"a zero became the count {shown[zero]}")
            trial.expect(shown[fallen] == first, f"a fall of 90 % counted at once: {shown[fallen]:,}")
            _no_news(room, trial)
            for hours in range(1, 15):  # the reading that confirms comes with the 13th hour
                dial.set(timedelta(hours=hours))
                room.polls(bot, least=2)
            read(room, [fallen])
            trial.expect(not room.is_read(zero), "a zero was taken for a count")
            bot.stop()
        trial.tried += 1


def _missing_and_poisoned(trial: Trial) -> None:
    with watching(trial, pages=50) as (room, bot):
        missing, poisoned, deleted, *others = slugs(50)
        faults: Mapping[str, Callable[[], None]] = {
            "one page left out of the answer": lambda: room.graph.left_out.add(room.number_of(missing)),
            "one id that spoils the whole batch": lambda: room.graph.spoilers.update(_spoiler(room, poisoned)),
            "one page deleted": lambda: room.graph.remove(room.number_of(deleted)),
        }
        for name, arrange in faults.items():
            arrange()
            for other in others:
                room.show(other, room.count_of(other) + 1)
            read(room, others)
            trial.tried += 1
            trial.expect("Traceback" not in bot.said(), f"{name}: a traceback in the log")
        troubled = {one.page.slug for one in room.latest(slugs(50)) if one.trouble}
        trial.expect(troubled == {missing, poisoned, deleted}, f"pages in trouble: {sorted(troubled)}")
        bot.stop()


def _spoiler(room: Newsroom, slug: str) -> dict[str, GraphError]:
    number = room.number_of(slug)
    return {number: gone(number)}


_UNKNOWN = "the pages are unread, nothing is told of them, and once it is well all goes on"

CASES = (
    Case(
        number="10",
        name="the platform answers 500",
        expected="asked ever more rarely, one notice to the operators, read again within three minutes of its end",
        run=_broken_down,
        seconds=69,
    ),
    Case(
        number="11",
        name="reset in the middle of an answer",
        expected=_UNKNOWN,
        run=lambda t: _unknown_then_well(t, cut),
    ),
    Case(number="12", name="half of the JSON", expected=_UNKNOWN, run=lambda t: _unknown_then_well(t, truncated)),
    Case(number="13", name="HTML with status 200", expected=_UNKNOWN, run=lambda t: _unknown_then_well(t, in_html)),
    Case(number="14", name="slow loris", expected="cut at the deadline of 30 s", run=_slow_loris),
    Case(
        number="15",
        name="gzip bomb of 300 MB",
        expected="cut at the cap: memory grows by less than 20 MB",
        run=_gzip_bomb,
    ),
    Case(
        number="16",
        name="NaN, 1e400, “1,234”, true, -5, 2⁶³",
        expected="that page is refused, the others are read in the same poll",
        run=_odd_counts,
    ),
    Case(
        number="17",
        name="a count of 0, a fall of 90 %",
        expected="0 is never a count; the fall is held until it is confirmed",
        run=_sudden_falls,
    ),
    Case(
        number="18",
        name="a page left out, one poisoned id in a batch",
        expected="the others are read in the same poll",
        run=_missing_and_poisoned,
    ),
)
