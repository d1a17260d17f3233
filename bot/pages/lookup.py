"""Forgiving names: the page or group that somebody meant, or those they may have meant."""

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
_LIKENESS = 66  # of 100; below it a suggestion surprises more than it helps


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOrGroup:
    """What a name stands for: a page, or a group with its pages."""

    target: Target
    slug: str
    name: str
    pages: tuple[str, ...]


def find_page(store: Store, text: str) -> Page | None:
    """The page exactly named: by slug, name, alias, handle, id or address, in whatever form the address was pasted."""
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
    """The page of this name, else the group of this name, else None."""
    page = find_page(store, text)
    if page is not None:
        return PageOrGroup(target=Target.PAGE, slug=page.slug, name=page.name, pages=(page.slug,))
    group = find_group(store, text)
    if group is not None:
        return PageOrGroup(target=Target.GROUP, slug=group.slug, name=group.slug, pages=group.pages)
    return None


def find_first(store: Store, text: str) -> tuple[PageOrGroup | None, tuple[str, ...]]:
    """The page or group that the text begins with, the longest such name, and the words after it."""
    said = text.split()
    for length in range(min(len(said), _LONGEST_NAME), 0, -1):
        if found := find(store, " ".join(said[:length])):
            return found, tuple(said[length:])
    return None, ()


def find_group(store: Store, text: str) -> Group | None:
    """The group of this name, letter case aside."""
    return store.pages.group(text.strip().casefold())


def suggestions(store: Store, text: str, *, groups: bool = True) -> tuple[str, ...]:
    """Slugs of the pages (and groups) most like ``text``, the likeliest first, at most five; ties by slug."""
    names = [(name.slug, (name.slug, *name.labels)) for name in store.pages.names()]
    if groups:
        names += [(group.slug, (group.slug,)) for group in store.pages.groups()]
    labels = [(slug, _plain(label)) for slug, labels in names for label in labels]
    likeness = process.extract(
        _plain(text), [label for _, label in labels], scorer=fuzz.WRatio, score_cutoff=_LIKENESS, limit=None
    )
    best: dict[str, float] = {}
    for _, score, place in likeness:
        slug = labels[place][0]
        best[slug] = max(score, best.get(slug, 0))
    return tuple(sorted(best, key=lambda slug: (-best[slug], slug))[:MOST_SUGGESTIONS])


def _plain(text: str) -> str:
    """Without letter case, accents and the @ of a handle: what people leave out when they type."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().removeprefix("@"))
    return "".join(character for character in decomposed if not unicodedata.combining(character))
