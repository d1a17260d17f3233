"""The people who may change what all channels share: the setting ``LIKEWATCH_EDITORS``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.text import phrases

EVERYBODY = "everybody"
_PERSON = re.compile(r"[UW][A-Z0-9]{2,31}")
_GROUP = re.compile(r"S[A-Z0-9]{2,31}")


@dataclass(frozen=True, slots=True, kw_only=True)
class EditorList:
    """The people and the user groups that are editors, by Slack's ids (``U…`` or ``W…``, and ``S…``)."""

    everybody: bool = False
    people: frozenset[str] = frozenset()
    groups: tuple[str, ...] = ()

    @property
    def nobody(self) -> bool:
        """Return whether the list is empty."""
        return not (self.everybody or self.people or self.groups)

    def __str__(self) -> str:
        if self.everybody:
            return "everybody who can reach the bot, guests too"
        parts = [phrases.several(len(self.people), "person", "people")] if self.people else []
        parts += [f"the user group {group}" for group in self.groups]
        return phrases.listed(parts) if parts else "nobody"


def parse_editors(text: str) -> EditorList:
    """Return the editors that ``text`` names; raise ValueError with a sentence for a strange word.

    >>> str(parse_editors("U012AB3CD, S0614TZR7"))
    '1 person and the user group S0614TZR7'
    """
    if text.strip().casefold() == EVERYBODY:
        return EditorList(everybody=True)
    ids = [one for one in re.split(r"[\s,;]+", text) if one]
    strange = [one for one in ids if not (_PERSON.fullmatch(one) or _GROUP.fullmatch(one))]
    if strange or (text and not ids):
        raise ValueError(
            f"{(strange or [text])[0]!r} is not the id of a member (U012AB3CD) or of a user group (S0614TZR7), and not "
            f"the word {EVERYBODY}. In Slack, the menu … of a profile has “Copy member ID”"
        )
    people = frozenset(one for one in ids if _PERSON.fullmatch(one))
    return EditorList(people=people, groups=tuple(dict.fromkeys(one for one in ids if one not in people)))
