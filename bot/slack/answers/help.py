"""The help text, generated from the declared commands."""

from __future__ import annotations

from rapidfuzz import process

from bot.slack.commands import commands
from bot.slack.contract import Bold, Button, Card, Line, Reply, Slash

_LIKENESS = 60
_EXAMPLES = {
    Slash.LIKES: "/likes hunsen, /likes hunsen samrainsy 90d, /likes cambodia",
    Slash.TRENDS: "/trends track https://www.facebook.com/hunsencambodia as hunsen home KH in cambodia",
}


def help_reply(slash: Slash, *, misunderstood: str = "") -> Reply:
    """Every command of both slash commands, those of ``slash`` first; ``misunderstood`` is what was not one."""
    listed = sorted(commands(), key=lambda command: command.slash is not slash)
    lines: list[Line] = [(Bold(command.usage), f": {command.summary}") for command in listed]
    lines.append(f"For example: {_EXAMPLES[slash]}")
    if not misunderstood:
        return Reply(card=Card(headline=f"What {slash} can do", lines=tuple(lines), context=_CONTEXT))
    return Reply(
        card=Card(
            headline=f"I do not understand “{slash} {misunderstood}”",
            lines=tuple(lines),
            context=_CONTEXT,
            buttons=_likely(slash, misunderstood),
        )
    )


_CONTEXT = (
    "In a thread, where Slack takes no slash command, mention me: @Likewatch likes hunsen, @Likewatch trends list.",
)


def _likely(slash: Slash, text: str) -> tuple[Button, ...]:
    """The verb that was nearly typed, with the rest as it was."""
    typed, _, rest = text.partition(" ")
    verbs = [command.verbs[0] for command in commands() if command.slash is slash and command.verbs[0]]
    match = process.extractOne(typed.casefold(), verbs, score_cutoff=_LIKENESS)
    if match is None:
        return ()
    meant = f"{slash} {match[0]} {rest}".rstrip()
    return (Button(label=f"Did you mean {meant}?", query=meant.removeprefix("/")),)
