"""Slugs: the short names that people type. They consist of lower-case letters, digits and hyphens."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from bot.text import durations

LONGEST = 40
_OTHERS = re.compile(r"[^a-z0-9]+")


def make_slug(text: str) -> str:
    """Return the slug of a name: ``"Sam Rainsy"`` -> ``"sam-rainsy"``. It may be empty: "កម្ពុជា" -> ""."""
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    return _OTHERS.sub("-", plain).strip("-")[:LONGEST].rstrip("-")


def is_slug(text: str) -> bool:
    """Return whether ``text`` has the form of a slug, and not also that of a length of time ("90d")."""
    return bool(text) and make_slug(text) == text and durations.period(text) is None


def free_slug(wanted: str, taken: Callable[[str], bool]) -> str:
    """Return ``wanted``, or ``wanted`` with the first number from 2 that is not ``taken``."""
    slug, number = wanted, 1
    while taken(slug):
        number += 1
        slug = f"{wanted[: LONGEST - len(str(number)) - 1]}-{number}"
    return slug
