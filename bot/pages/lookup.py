"""Find the page or group that a person means, and suggest similar names."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from bot.errors import UnknownPage
from bot.platforms.registry import parse_reference, platforms
from handlers.model import Page
from storage.store import Store
from storage.values import Group, Target

MOST_SUGGESTIONS = 5
HOW_TO_START = "Start with /trends track and the address of a page, or its @handle."
_LONGEST_NAME = 8  # words
_LIKENESS = 66  # of 100; suggestions below it are surprising


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


def suggestions(store: Store, text: str, *, groups: bool = True) -> tuple[str, ...]:
    """Return at most five slugs of pages (and groups) with names like ``text``, the likeliest first, then by slug."""
    labels = [(name.slug, label) for name in store.pages.names() for label in (name.slug, *name.labels)]
    if groups:
        labels += [(group.slug, group.slug) for group in store.pages.groups()]
    plain = [_plain(label) for _, label in labels]
    best: dict[str, float] = {}
    for _, score, index in process.extract(_plain(text), plain, scorer=fuzz.WRatio, score_cutoff=_LIKENESS, limit=None):
        slug = labels[index][0]
        best[slug] = max(score, best.get(slug, 0))
    return tuple(sorted(best, key=lambda slug: (-best[slug], slug))[:MOST_SUGGESTIONS])


def _plain(text: str) -> str:
    """Remove letter case, accents and the @ of a handle, because people leave them out."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().removeprefix("@"))
    return "".join(character for character in decomposed if not unicodedata.combining(character))
