"""The loop: kill -9 at random instants, hundreds of times, while thousands of readings and hundreds of alerts come."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta

from storage.store import Store
from tests.labs.faults.bots import Bot
from tests.labs.faults.case import Case, Trial
from tests.labs.faults.kill_steps import account, ready, slugs
from tests.labs.faults.newsrooms import MILESTONE, Newsroom, milestone_key
from tests.labs.faults.wire import Line, Rule, honest

KILLS, QUICK_KILLS = 240, 20
PAGES, QUICK_PAGES = 480, 60
HALF = 0.5
DAY = timedelta(days=1)
LONGEST_LIFE = 8.0
"""Seconds after its start at which a bot is killed that no trap caught: nothing was posted in its life, say."""


def _kill_at_random(trial: Trial) -> None:
    kills, pages = (QUICK_KILLS, QUICK_PAGES) if trial.quick else (KILLS, PAGES)
    chance, found = random.Random("kill -9"), Counter[str]()
    with ready(trial, pages, channels=pages) as room:  # what a kill leaves unknown holds up its channel for long
        seen: set[tuple[str, str]] = set()
        flips = _shared_out(slugs(pages), kills, chance)
        for to_pass in flips:
            room.grow()
            found[_live_and_die(room, to_pass, chance)] += 1
            trial.tried += 1
            found.update(_left_behind(room, trial, seen))
        account(room, trial)
        _tell(room, trial, found)


def _shared_out(pages: list[str], lives: int, chance: random.Random) -> list[list[str]]:
    """Which pages pass their milestone in which life."""
    chance.shuffle(pages)
    return [pages[life::lives] for life in range(lives)]


def _live_and_die(room: Newsroom, to_pass: list[str], chance: random.Random) -> str:
    """One life: pages pass their milestones, and the bot is killed, once the trap is sprung; where the trap was."""
    trap = chance.choice(_TRAPS)
    room.facebook.rule = room.slack.rule = honest
    for slug in to_pass:
        room.pass_milestone(slug)
    bot = room.bot()
    trap(room, springs := _Trap(bot, chance))
    if not bot.ended(LONGEST_LIFE):
        bot.kill()
    springs.sprung.set()
    return f"killed {(trap.__doc__ or '').split('.')[0].lower()}"


class _Trap:
    """Kills the bot of the day; ``sprung`` once it has."""

    def __init__(self, bot: Bot, chance: random.Random) -> None:
        self._bot = bot
        self.sprung = threading.Event()
        self.chance = chance

    def spring(self, within: float = 0.0) -> None:
        """Kill at a random instant of the next so many seconds."""
        if not self.sprung.is_set():
            self.sprung.set()
            time.sleep(self.chance.uniform(0, within))
            self._bot.kill()


def _anywhere(_room: Newsroom, trap: _Trap) -> None:
    """Anywhere."""
    threading.Thread(target=trap.spring, args=(LONGEST_LIFE / 2,), daemon=True).start()


def _fetch(room: Newsroom, trap: _Trap) -> None:
    """While it asks Facebook."""
    left = [trap.chance.randrange(20)]

    def rule(line: Line) -> None:
        left[0] -= 1
        if left[0] < 0:
            threading.Thread(target=trap.spring, args=(0.01,), daemon=True).start()
        honest(line)

    room.facebook.rule = rule


def _cycle(room: Newsroom, trap: _Trap) -> None:
    """After Facebook's answers: while it compares, writes, commits or claims."""
    left = [trap.chance.randrange(20)]

    def rule(line: Line) -> None:
        honest(line)
        left[0] -= 1
        if left[0] < 0:
            trap.spring(0.15)

    room.facebook.rule = rule


def _post(room: Newsroom, trap: _Trap) -> None:
    """While it posts."""

    def rule(line: Line) -> None:
        threading.Thread(target=trap.spring, args=(0.01,), daemon=True).start()
        honest(line)

    room.slack.rule = _for_posts(rule)


def _answer(room: Newsroom, trap: _Trap) -> None:
    """After the post: before or after Slack's answer, or while it marks and claims."""

    def rule(line: Line) -> None:
        answer = line.forward()
        if trap.chance.random() < HALF:
            line.send(answer)
        trap.spring(0.02)

    room.slack.rule = _for_posts(rule)


def _for_posts(rule: Callable[[Line], object]) -> Rule:
    def chosen(line: Line) -> None:
        if line.asked.method == "chat.postMessage":
            rule(line)
        else:
            honest(line)

    return chosen


_TRAPS = (_anywhere, _fetch, _cycle, _cycle, _post, _answer)


def _left_behind(room: Newsroom, trial: Trial, seen: set[tuple[str, str]]) -> Counter[str]:
    """What lies on the disk after a kill: whole, and no count without the alert and the deliveries that it caused."""
    damage = room.damage()
    trial.expect(not damage, f"the database is damaged: {damage}")
    posted, states = room.posted(), Counter[str]()
    with closing(Store.open(room.copied)) as store:
        passed = {slug for _, key in room.owed for slug in [key.split(":")[1]]}
        for latest in store.readings.page_snapshots(sorted(passed)):
            above = latest.series_state is not None and latest.series_state.last.count >= MILESTONE
            told = store.alerts.get(milestone_key(latest.page.slug)) is not None
            trial.expect(above == told, f"{latest.page.slug}: the count and its alert did not land together")
        for delivery in store.outbox.unsettled():
            what = delivery.channel_id, delivery.alert.key
            if what not in seen:
                seen.add(what)
                states["left posted and unmarked" if posted[what] else "left claimed and unposted"] += 1
        states["left waiting in the outbox"] += bool(store.outbox.counts_by_state()["pending"])
    return states


def _tell(room: Newsroom, trial: Trial, found: Counter[str]) -> None:
    with room.store() as store:
        now = datetime.now(UTC)
        readings = sum(len(store.readings.points(page.slug, now - DAY, now)) for page in store.pages.all())
    batches = room.facebook.count()
    trial.note(f"{len(room.owed)} deliveries owed, {readings:,} readings stored, {batches:,} batches asked")
    trial.note(", ".join(f"{what} {times}" for what, times in sorted(found.items())))


CASES = (
    Case(
        number="kills",
        name="kill -9 at random instants",
        expected="every alert arrives once; a count and its alert land together; integrity_check is ok each time",
        run=_kill_at_random,
        seconds=110,
    ),
)
