"""Find the page or group that a person means."""

from __future__ import annotations

from dataclasses import dataclass

from bot.errors import UnknownPage
from bot.platforms.discovery import parse_reference, platforms
from handlers.model import Page
from storage.store import Store
from storage.values import Group, Target

HOW_TO_START = "Start with /trends track and the address of a page, or its @handle."
_LONGEST_NAME = 8  # words


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOrGroup:
    """The page or the group that has a name. ``pages`` are slugs: the page itself, or the pages of the group."""

    target: Target
    slug: str
    name: str
    pages: tuple[str, ...]


def find_page(store: Store, text: str) -> Page | None:
    """Return the page with exactly this slug, name, alias, handle, id or address. Any form of the address will do."""
    page = _exactly(store, text)
    if page is not None or "/" not in text:
        return page
    try:
        return _exactly(store, parse_reference(text, platforms()).key)
    except UnknownPage:
        return None


def _exactly(store: Store, text: str) -> Page | None:
    return store.cached(("named", text), lambda: store.pages.find(text))


def find(store: Store, text: str) -> PageOrGroup | None:
    """Return the page of this name, else the group of this name, else None."""
    page = find_page(store, text)
    if page is not None:
        return PageOrGroup(target=Target.PAGE, slug=page.slug, name=page.name, pages=(page.slug,))
    group = find_group(store, text)
    if group is not None:
        return PageOrGroup(target=Target.GROUP, slug=group.slug, name=group.slug, pages=group.pages)
    return None


def find_first(store: Store, text: str) -> tuple[PageOrGroup | None, tuple[str, ...]]:
    """Return the page or group that the text begins with, and the words after it. The longest name is taken."""
    words = text.split()
    for length in range(min(len(words), _LONGEST_NAME), 0, -1):
        if found := find(store, " ".join(words[:length])):
            return found, tuple(words[length:])
    return None, ()


def find_group(store: Store, text: str) -> Group | None:
    """Return the group of this name. Letter case does not matter."""
    return store.pages.group(text.strip().casefold())
