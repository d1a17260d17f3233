"""Cases 7 to 9, 27 and 28: Slack on its bad days."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from bot.workspace import Message
from tests.labs.faults.bots import until
from tests.labs.faults.case import Case, Trial
from tests.labs.faults.kill_steps import account, ready, slugs
from tests.labs.faults.newsrooms import ANA, Newsroom, living
from tests.labs.faults.wire import Line, Rule, drop_after, honest, refused, stumble_after, throttled

PAGES = 12
RETRY_AFTER = 30
STORM = 10.0
TELLS_WITHIN = 15.0
CALM = 6.0
"""Seconds in which a bot that tries again and again would be caught at it."""


def first_post(rule: Rule) -> Rule:
    """``rule`` for the first post to each channel, and honesty for all else."""
    met: set[str] = set()
    lock = threading.Lock()

    def chosen(line: Line) -> None:
        channel = str(line.asked.fields.get("channel", ""))
        with lock:
            is_first = line.asked.method == "chat.postMessage" and channel not in met
            met.add(channel) if is_first else None
        (rule if is_first else honest)(line)

    return chosen


def posts(rule: Rule, channels: Sequence[str] | None = None) -> Rule:
    """``rule`` for every post (to these channels), and honesty for all else."""

    def chosen(line: Line) -> None:
        to = line.asked.fields.get("channel")
        met = line.asked.method == "chat.postMessage" and (channels is None or to in channels)
        (rule if met else honest)(line)

    return chosen


def reset_after(line: Line) -> None:
    line.forward()
    line.reset()


def _ambiguous(trial: Trial, *rules: Rule) -> None:
    """Slack takes every channel's first post, and the bot is not told so."""
    for rule in rules:
        with ready(trial, PAGES) as room:
            for slug in slugs(PAGES):
                room.pass_milestone(slug)
            room.slack.rule = first_post(rule)
            trial.tried += len(room.owed)
            account(room, trial, keep_rules=True)


def _lost_answers(trial: Trial) -> None:
    _ambiguous(trial, reset_after, drop_after)


def _stumbles(trial: Trial) -> None:
    _ambiguous(trial, stumble_after)


def _throttled(trial: Trial) -> None:
    with ready(trial, PAGES) as room:
        names = slugs(PAGES)
        waiting = next(channel for channel in room.channels_of(names[0]))
        others = {channel for slug in names for channel in room.channels_of(slug)} - {waiting}
        second = next(slug for slug in names[1:] if waiting in room.channels_of(slug))
        refused_at: list[float] = []

        def refuse(line: Line) -> None:
            refused_at.append(time.monotonic())
            throttled(RETRY_AFTER)(line)
            room.slack.rule = honest

        room.slack.rule = posts(refuse, [waiting])
        room.pass_milestone(names[0])
        bot = room.bot().started()
        try:
            until(lambda: bool(refused_at), 30, "the post to be throttled")
            for slug in names[1:]:
                room.pass_milestone(slug)
            until(lambda: _all_in(room, others), TELLS_WITHIN, "the other channels' alerts")
            bot.kill()  # what Slack asked for outlives the bot
            bot = room.bot().started()
            until(lambda: not room.missing(), RETRY_AFTER + TELLS_WITHIN, "the throttled channel's alerts")
            bot.stop()
        finally:
            bot.kill()
        trial.tried += 1
        posts_there = [
            one.at
            for one in list(room.slack.asked)
            if _is_post(one.fields, waiting) and one.method == "chat.postMessage"
        ]
        gap = posts_there[1] - posts_there[0]
        trial.expect(
            gap >= RETRY_AFTER - 1, f"the channel was posted to {gap:.0f} s after a Retry-After of {RETRY_AFTER}"
        )
        told = [room.slug_of(message) for message in room.workspace.messages(waiting)]
        trial.expect(told[:2] == [names[0], second], f"the order in the channel was {told}")
        trial.note(f"Retry-After {RETRY_AFTER}: posted {gap:.1f} s later, over a kill -9")
        trial.lost, trial.doubled = len(room.missing()), room.doubled()
    _storm(trial)


def _storm(trial: Trial) -> None:
    """Every post is refused with Retry-After 2, for ten seconds."""
    with ready(trial, PAGES) as room:
        for slug in slugs(PAGES):
            room.pass_milestone(slug)
        room.slack.rule = posts(throttled(2))
        channels = {channel for channel, _ in room.owed}
        with living(room.bot()) as bot:
            until(lambda: room.slack.count("chat.postMessage") > 0, 30, "the first post")
            time.sleep(STORM)
            calls = room.slack.count("chat.postMessage")
            bot.kill()
        most = len(channels) * (STORM / 2 + 2)
        trial.expect(calls <= most, f"{calls} posts in a storm of 429s; Retry-After allows {most:.0f}")
        trial.tried += 1
        account(room, trial)


def _is_post(fields: object, channel: str) -> bool:
    return isinstance(fields, dict) and fields.get("channel") == channel


def _all_in(room: Newsroom, channels: set[str]) -> bool:
    return not {channel for channel, _ in room.missing()} & channels


def _revoked(trial: Trial) -> None:
    with ready(trial, PAGES) as room:
        for code in ("token_revoked", "account_inactive")[: 1 if trial.quick else 2]:
            room.slack.rule = posts(refused(code))
            slug = slugs(PAGES)[trial.tried]
            room.pass_milestone(slug)
            with living(room.bot()) as bot:
                bot.wait_for("SLACK_BOT_TOKEN")
                calls = room.slack.count("chat.postMessage")
                time.sleep(CALM)
                again = room.slack.count("chat.postMessage") - calls
                trial.expect(not again, f"{again} further posts with a token that Slack had refused")
                said = bot.said().count("SLACK_BOT_TOKEN")
                trial.expect(said == 1, f"the operator was told {said} times")
                room.polls(bot)
                bot.stop()
            trial.tried += 1
        account(room, trial)


def _cannot_speak(trial: Trial) -> None:
    with ready(trial, PAGES) as room:
        names = slugs(PAGES)
        silent = [channel for slug in names[:3] for channel in room.channels_of(slug)[:1]]
        room.workspace.archive(silent[0])
        room.workspace.remove(silent[1])
        room.workspace.channels.pop(silent[2])
        for slug in names:
            room.pass_milestone(slug)
        room.owed = {(channel, key) for channel, key in room.owed if channel not in silent}
        with living(room.bot()) as bot:
            room.arrived()
            room.quiet()
            until(lambda: len(_told(room)) >= len(silent), TELLS_WITHIN, "the subscribers to be told")
            calls = {channel: _posts_to(room, channel) for channel in silent}
            room.grow()
            time.sleep(CALM)
            again = {channel for channel in silent if _posts_to(room, channel) != calls[channel]}
            trial.expect(not again, f"posted again to {again}, where it cannot speak")
            bot.stop()
        for channel in silent:
            told = sum(channel in message.text for message in _told(room))
            trial.expect(told == 1, f"who subscribed {channel} was told {told} times that it is paused")
            trial.tried += 1
        trial.lost += len(room.missing())
        trial.doubled += room.doubled()


def _told(room: Newsroom) -> list[Message]:
    return [message for message in room.workspace.messages(f"D{ANA[1:]}") if "stopped posting" in message.text]


def _posts_to(room: Newsroom, channel: str) -> int:
    return sum(one.method == "chat.postMessage" and _is_post(one.fields, channel) for one in list(room.slack.asked))


CASES = (
    Case(
        number="7",
        name="Slack takes a post, the connection breaks",
        expected="one message",
        run=_lost_answers,
        seconds=62,
    ),
    Case(
        number="8",
        name="429 with Retry-After, and storms of them",
        expected="that channel waits (over a restart too), the others flow, order is kept",
        run=_throttled,
        seconds=61,
    ),
    Case(
        number="9", name="Slack takes a post and says 500", expected="found in the history, not repeated", run=_stumbles
    ),
    Case(
        number="27",
        name="token revoked",
        expected="nothing more is tried with it, the operator is told once, nothing is lost",
        run=_revoked,
    ),
    Case(
        number="28",
        name="channel archived, bot removed, channel gone",
        expected="its subscriptions pause, who subscribed is told once, the others flow",
        run=_cannot_speak,
    ),
)
