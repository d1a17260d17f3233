"""What each comparison asked to be remembered, per scope (a page's or a group's slug)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from storage.schema.database import Database


class RuleStates:
    """Comparison and scope -> text."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, comparison: str, scopes: Iterable[str]) -> dict[str, str]:
        """What it remembers of these scopes; a scope never remembered is absent."""
        with self._database.read() as conn:
            return dict(
                conn.execute(
                    # CROSS: one seek a scope. Left to itself, SQLite reads all scopes for each one that is asked for.
                    "SELECT scope, memory FROM json_each(?) AS asked CROSS JOIN memories "
                    "ON comparison = ? AND scope = asked.value",
                    (json.dumps(list(scopes)), comparison),
                ).fetchall()
            )

    def variants_of(self, comparison: str) -> set[tuple[str, str]]:
        """The (name, scope) that variants of this comparison remember anything of."""
        with self._database.read() as conn:
            return set(
                conn.execute(
                    "SELECT comparison, scope FROM memories WHERE comparison GLOB ?", (f"{comparison}>*",)
                ).fetchall()
            )

    def forget(self, rule_states: Iterable[tuple[str, str]]) -> None:
        """Remember nothing more of these (name, scope)."""
        with self._database.write() as db:
            db.conn.executemany("DELETE FROM memories WHERE comparison = ? AND scope = ?", list(rule_states))

    def put(self, comparison: str, rule_states: Mapping[str, str]) -> None:
        """Remember these, in place of what was remembered of the same scopes."""
        with self._database.write() as db:
            db.conn.executemany(
                "INSERT OR REPLACE INTO memories (comparison, scope, memory) VALUES (?, ?, ?)",
                [(comparison, scope, state) for scope, state in rule_states.items()],
            )
