"""Slugs: the short names that people type; lower-case letters, digits and hyphens."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from bot.text import phrases

LONGEST = 40
_OTHERS = re.compile(r"[^a-z0-9]+")


def make_slug(text: str) -> str:
    """``"Sam Rainsy"`` -> ``"sam-rainsy"``; empty where no Latin letter or digit is in it."""
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    return _OTHERS.sub("-", plain).strip("-")[:LONGEST].rstrip("-")


def is_slug(text: str) -> bool:
    """Whether ``text`` may be a slug: in its form, and not to be mistaken for a length of time ("90d")."""
    return bool(text) and make_slug(text) == text and phrases.period(text) is None


def free_slug(wanted: str, taken: Callable[[str], bool]) -> str:
    """``wanted``, or with the first number from 2 that makes it one that is not ``taken``."""
    slug, number = wanted, 1
    while taken(slug):
        number += 1
        slug = f"{wanted[: LONGEST - len(str(number)) - 1]}-{number}"
    return slug
