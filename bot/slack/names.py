"""Find the page or group that a command's text names. If there is none, the answer suggests similar names."""

from __future__ import annotations

from bot.errors import LikewatchError
from bot.pages import lookup
from bot.pages.lookup import PageOrGroup
from bot.slack.answers.help import unknown_name
from bot.slack.contract import Call, Reply
from handlers.model import Page
from storage.store import Store


class UnknownName(LikewatchError):
    """No page or group has the name. ``reply`` suggests similar names."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.card.headline)
        self.reply = reply


def page_named(call: Call, store: Store, verb: str, *, empty: str) -> Page:
    """Return the page that the call's text names. Raise LikewatchError with ``empty`` if there is no text."""
    if not call.text:
        raise LikewatchError(empty)
    page = lookup.find_page(store, call.text)
    if page is None:
        raise UnknownName(unknown_name(store, call.text, f"trends {verb} {{}}", groups=False))
    return page


def first_named(call: Call, store: Store, verb: str, *, empty: str) -> tuple[PageOrGroup, tuple[str, ...]]:
    """Return the page or group that the call's text begins with, and the words after it. Raise as ``page_named``."""
    if not call.text:
        raise LikewatchError(empty)
    named, words = lookup.find_first(store, call.text)
    if named is None:
        name, _, rest = call.text.partition(" ")
        raise UnknownName(unknown_name(store, name, f"trends {verb} {{}} {rest}"))
    return named, words
