"""The answer to a name that no page or group has."""

from __future__ import annotations

from bot.pages.lookup import HOW_TO_START, suggestions
from bot.slack.contract import Button, Card, Reply
from bot.slack.render.block_kit import shortened
from storage.store import Store

_QUOTED = 80


def unknown_name(store: Store, text: str, query: str, *, groups: bool = True) -> Reply:
    """The answer to a name that nobody has: "did you mean" buttons, each asking ``query`` with a slug as its {}."""
    what = "page or group" if groups else "page"
    headline = f"I watch no {what} called “{shortened(text, _QUOTED)}”"
    likely = suggestions(store, text, groups=groups)
    if likely:
        buttons = tuple(Button(label=slug, query=query.replace("{}", slug).strip()) for slug in likely)
        return Reply(card=Card(headline=headline, lines=("Did you mean:",), buttons=buttons))
    if store.is_empty():
        return Reply(card=Card(headline=headline, lines=("Nothing is watched yet. " + HOW_TO_START,)))
    advice = "/trends groups lists what is watched; /trends track and the page's address adds it."
    return Reply(card=Card(headline=headline, lines=(advice,)))
