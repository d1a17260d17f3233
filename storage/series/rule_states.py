"""The state that each comparison keeps for each scope: the slug of a page or group, or the name of a platform."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from storage.schema.database import Database

RuleStateKey = tuple[str, str]
"""A rule's name, and the page, group or platform that its state is about."""

RuleStateText = tuple[int, str]
"""A version, and a text that the rule wrote in the form of that version."""


class RuleStates:
    """Texts that comparisons wrote. Each is stored with the version of its form, which only its comparison can read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, comparison: str, scopes: Iterable[str]) -> dict[str, tuple[int, str]]:
        """Return scope -> (version, text); a scope for which nothing is stored is absent."""
        rows = self._database.rows(
            # CROSS: one seek a scope. Without it SQLite reads all stored scopes for each one that was asked for.
            "SELECT scope, version, state FROM json_each(?) AS asked CROSS JOIN rule_states "
            "ON comparison = ? AND scope = asked.value",
            (json.dumps(list(scopes)), comparison),
        )
        return {scope: (version, text) for scope, version, text in rows}

    def put(self, comparison: str, version: int, texts: Mapping[str, str]) -> None:
        """Store these texts, by scope, in place of the stored ones of the same scopes."""
        with self._database.write() as db:
            db.conn.executemany(
                "INSERT OR REPLACE INTO rule_states (comparison, scope, version, state) VALUES (?, ?, ?, ?)",
                [(comparison, scope, version, text) for scope, text in texts.items()],
            )

    def channel_rule_keys(self, comparison: str) -> set[tuple[str, str]]:
        """Return the stored (name, scope) of the rules that channels made of this comparison by their thresholds."""
        names = f"{comparison}>*"
        return set(self._database.rows("SELECT comparison, scope FROM rule_states WHERE comparison GLOB ?", (names,)))

    def delete(self, keys: Iterable[tuple[str, str]]) -> None:
        """Delete what is stored for these (name, scope)."""
        with self._database.write() as db:
            db.conn.executemany("DELETE FROM rule_states WHERE comparison = ? AND scope = ?", list(keys))
