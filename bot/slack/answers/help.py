"""Help: list what the commands can do, and suggest what a person meant."""

from __future__ import annotations

from rapidfuzz import process

from bot.pages.lookup import HOW_TO_START
from bot.pages.suggestions import suggestions
from bot.slack.contract import Bold, Button, Card, Line, Reply, Slash
from bot.slack.discovery import commands
from bot.slack.render.block_kit import shortened
from storage.store import Store

_LIKENESS = 60  # of 100; a verb that is less alike is not suggested
_MAX_QUOTED = 80  # characters
_EXAMPLES = {
    Slash.LIKES: "/likes hunsen, /likes hunsen samrainsy 90d, /likes cambodia",
    Slash.TRENDS: "/trends track https://www.facebook.com/hunsencambodia as hunsen home KH in cambodia",
}
_IN_THREADS = (
    "In a thread, where Slack takes no slash command, mention me: @Likewatch likes hunsen, @Likewatch trends list."
)


def help_reply(slash: Slash, *, misunderstood: str = "") -> Reply:
    """List every command, those of ``slash`` first. ``misunderstood`` is a text that is no command."""
    ordered = sorted(commands(), key=lambda command: command.slash is not slash)
    lines: list[Line] = [(Bold(command.usage), f": {command.summary}") for command in ordered]
    lines.append(f"For example: {_EXAMPLES[slash]}")
    headline = f"I do not understand “{slash} {misunderstood}”" if misunderstood else f"What {slash} can do"
    buttons = _did_you_mean(slash, misunderstood) if misunderstood else ()
    return Reply(card=Card(headline=headline, lines=tuple(lines), context=(_IN_THREADS,), buttons=buttons))


def _did_you_mean(slash: Slash, text: str) -> tuple[Button, ...]:
    """Return a button for the most similar verb, followed by the rest of the text."""
    typed, _, rest = text.partition(" ")
    verbs = [command.verbs[0] for command in commands() if command.slash is slash and command.verbs[0]]
    match = process.extractOne(typed.casefold(), verbs, score_cutoff=_LIKENESS)
    if match is None:
        return ()
    meant = f"{slash} {match[0]} {rest}".rstrip()
    return (Button(label=f"Did you mean {meant}?", query=meant.removeprefix("/")),)


def unknown_name(store: Store, text: str, query: str, *, groups: bool = True) -> Reply:
    """Answer that no page or group is called ``text``, with "did you mean" buttons.

    Each button asks ``query``, whose ``{}`` stands for the slug. Without ``groups``, only pages are suggested.
    """
    headline = f"I watch no {'page or group' if groups else 'page'} called “{shortened(text, _MAX_QUOTED)}”"
    if similar := suggestions(store, text, groups=groups):
        buttons = tuple(Button(label=slug, query=query.replace("{}", slug).strip()) for slug in similar)
        return Reply(card=Card(headline=headline, lines=("Did you mean:",), buttons=buttons))
    if store.is_empty():
        return Reply(card=Card(headline=headline, lines=("Nothing is watched yet. " + HOW_TO_START,)))
    advice = "/trends groups lists what is watched; /trends track and the page's address adds it."
    return Reply(card=Card(headline=headline, lines=(advice,)))
