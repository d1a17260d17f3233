"""Suggest similar names: “did you mean”."""

from __future__ import annotations

import unicodedata

from rapidfuzz import fuzz, process

from storage.store import Store

MOST_SUGGESTIONS = 5
_LIKENESS = 66  # of 100; suggestions below it are surprising


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
