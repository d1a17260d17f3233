"""Cases 1 to 6: kill -9 exactly at each step, from the fetch to the mark that says "sent"."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

from storage.store import Store
from tests.labs.faults.bots import Bot, NotSeen, until
from tests.labs.faults.case import Case, Trial
from tests.labs.faults.newsrooms import Newsroom, living, newsroom
from tests.labs.faults.strace import SYNCS, WRITES, at_call
from tests.labs.faults.wire import Line, Rule, honest

CHANNELS = 40
TRIES, QUICK_TRIES = 10, 3
AT_A_TIME = 4
"""Pages that pass a milestone before each kill."""

DIES_WITHIN = 30.0

LONGEST_COMMIT, QUICK_CALLS = 60, (1, 4, 9)
"""Writes to the log until a commit is surely over; and those that the quick form dies at."""


@contextmanager
def ready(trial: Trial, pages: int, *, channels: int = CHANNELS) -> Iterator[Newsroom]:
    """A newsroom whose pages have been read once, each wanted by one channel or two: all alerts are still to come."""
    with trial.folder() as folder, newsroom(folder) as room:
        desks = room.channels(channels)
        room.watch(slugs(pages), [(desk, desks[n - 1])[: 1 + n % 2] for n, desk in enumerate(desks)])
        with living(room.bot()) as bot:
            until(lambda: room.is_read(*slugs(pages)), 60, "a first reading of every page")
            bot.stop()
        yield room


def slugs(number: int) -> list[str]:
    return [f"page{n:04}" for n in range(number)]


def account(room: Newsroom, trial: Trial, *, keep_rules: bool = False, seconds: float = 90.0) -> None:
    """A last bot, left in peace (unless the rules stay) until all is told; then what was lost and doubled."""
    if not keep_rules:
        room.slack.rule = room.facebook.rule = honest
    try:
        with living(room.bot()) as bot:
            room.arrived(seconds)
            room.quiet(seconds)
            bot.stop()
    finally:
        trial.lost += len(room.missing())
        trial.doubled += room.doubled()
    damage = room.damage()
    trial.expect(not damage, f"the database is damaged: {damage}")


def _at_the_wire(trial: Trial, trap: Callable[[Newsroom, Callable[[], None]], None]) -> None:
    """Kill when a request passes: ``trap`` sets the rule that calls the killer."""
    tries = QUICK_TRIES if trial.quick else TRIES
    with ready(trial, tries * AT_A_TIME) as room:
        for number in range(tries):
            _pass(room, number)
            bot: Bot = room.bot()
            trap(room, bot.kill)
            if not bot.ended(30):
                bot.kill()
                raise NotSeen("the request at which the bot is to be killed did not come")
            trial.tried += 1
            room.slack.rule = room.facebook.rule = honest
        account(room, trial)


def _pass(room: Newsroom, number: int) -> None:
    for slug in slugs((number + 1) * AT_A_TIME)[-AT_A_TIME:]:
        room.pass_milestone(slug)


def _after_fetch(trial: Trial) -> None:
    def trap(room: Newsroom, kill: Callable[[], None]) -> None:
        def rule(line: Line) -> None:
            line.send(line.forward())
            kill()

        room.facebook.rule = rule

    _at_the_wire(trial, trap)


def _after_claim(trial: Trial) -> None:
    def rule(kill: Callable[[], None]) -> Rule:
        return lambda line: kill() if line.asked.method == "chat.postMessage" else honest(line)

    def trap(room: Newsroom, kill: Callable[[], None]) -> None:
        room.slack.rule = rule(kill)

    _at_the_wire(trial, trap)


def _after_post(trial: Trial) -> None:
    def trap(room: Newsroom, kill: Callable[[], None]) -> None:
        def rule(line: Line) -> None:
            answer = line.forward()
            if line.asked.method == "chat.postMessage":
                kill()
            line.send(answer)

        room.slack.rule = rule

    _at_the_wire(trial, trap)


def _in_a_commit(trial: Trial) -> None:
    """Die at each write into the log that a poll's commit makes, one bot after the other."""
    _at_each_call(trial, WRITES, QUICK_CALLS if trial.quick else range(1, LONGEST_COMMIT, 2))


def _after_commit(trial: Trial) -> None:
    """Die when all is in the log, before the call that brings it to the disk returns and anything is claimed."""
    _at_each_call(trial, SYNCS, (1,) * (QUICK_TRIES if trial.quick else TRIES))


def _at_each_call(trial: Trial, call: str, numbers: range | tuple[int, ...]) -> None:
    with ready(trial, len(numbers) * AT_A_TIME) as room:
        for nth, number in enumerate(numbers):
            _pass(room, nth)
            trial.expect(_die(room, trial, call, number), f"no bot reached {call} {number}")
            damage = room.damage()
            trial.expect(not damage, f"dying at {call} {number} damaged the database: {damage}")
        account(room, trial)


def _die(room: Newsroom, trial: Trial, call: str, number: int) -> bool:
    """Whether a bot dies of its ``number``-th call on the log."""
    log = room.folder / "strace.log"
    log.unlink(missing_ok=True)
    wal = room.database.with_name(room.database.name + "-wal")
    bot = room.bot(under=at_call(call, "signal=KILL", number, wal, log=log))
    trial.tried += 1
    died = bot.ended(DIES_WITHIN)
    bot.kill()
    return died


def _before_sent(trial: Trial) -> None:
    """Die at each write of the sender's into the log: of the claim, and of the mark "sent" after the answer."""
    numbers = (5, 9) if trial.quick else range(1, 21)
    with trial.folder() as folder, newsroom(folder) as room:
        desks = room.channels(2 * CHANNELS)  # each bot posts to a few, and leaves one that nobody may post to
        names = slugs(2 * CHANNELS)
        room.watch(names, [(desk,) for desk in desks], every=timedelta(days=1))
        with living(room.bot()) as bot:
            until(lambda: room.is_read(*names), 30, "a first reading of every page")
            bot.stop()
        for slug in names:  # one more poll, and then the only one that writes is the sender
            room.pass_milestone(slug)
        make_due(room)
        room.slack.rule = lambda line: line.hang_up() if line.asked.method == "chat.postMessage" else honest(line)
        with living(room.bot()) as bot:
            until(lambda: room.is_read(*names), 30, "the reading that passes the milestones")
            bot.wait_for("does not accept alerts")
            bot.kill()
        room.slack.rule = honest
        for number in numbers:
            trial.expect(_die(room, trial, WRITES, number), f"no bot reached write {number}")
        account(room, trial)


def make_due(room: Newsroom) -> None:
    """Every page is due at once, whatever the last poll made of it."""
    with closing(Store.open(room.database)) as store:
        for page in store.pages.all():
            known = store.pages.account(page.slug)
            assert known is not None
            store.pages.add(page, known, at=datetime.now(UTC))


_NOTHING_LOST = "every alert arrives once; the database passes integrity_check"

CASES = (
    Case(number="1", name="kill -9 after the fetch", expected=_NOTHING_LOST, run=_after_fetch),
    Case(number="2", name="kill -9 in the transaction", expected=_NOTHING_LOST, run=_in_a_commit),
    Case(number="3", name="kill -9 after the commit", expected=_NOTHING_LOST, run=_after_commit),
    Case(number="4", name="kill -9 after the claim", expected=_NOTHING_LOST, run=_after_claim),
    Case(number="5", name="kill -9 after the post", expected=_NOTHING_LOST, run=_after_post),
    Case(number="6", name="kill -9 before “sent” is marked", expected=_NOTHING_LOST, run=_before_sent),
)
