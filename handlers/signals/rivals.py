"""Two pages of a group as rivals: how the pair is known, and which group judges it."""

from __future__ import annotations

from handlers.contract import Window


def pair_of(one: str, other: str) -> tuple[str, str]:
    """The two slugs, in the order in which a pair is known by."""
    return (one, other) if one < other else (other, one)


def is_judged_in(window: Window, one: str, other: str) -> bool:
    """True in the first group that the two pages shared, as far as the order tells in which they joined theirs."""
    ours, theirs = window.pages[one].groups, window.pages[other].groups
    shared = [group for group in ours if group in theirs]
    return window.scope == min(shared, key=lambda group: (ours.index(group) + theirs.index(group), group))
