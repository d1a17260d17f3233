"""The journal: posts, updates and deletes as JSON lines, so that a restart shows the same channels."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from bot.errors import ConfigError
from bot.workspace.model import Json


class Journal:
    """An append-only file of JSON objects, one a line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.lines = 0

    def read(self) -> list[Json]:
        """Every entry; a torn last line (the machine stopped while writing) is left out.

        Raises ``ConfigError`` for a file that is no journal.
        """
        try:
            lines = self._path.read_bytes().split(b"\n") if self._path.exists() else []
        except OSError as error:
            raise ConfigError(f"The local workspace cannot read its journal {self._path}: {error.strerror}.") from error
        entries = []
        for number, line in enumerate(lines, start=1):
            if not line:
                continue
            try:
                entries.append(json.loads(line))
            except ValueError as error:
                if number == len(lines):  # no line break after it: torn
                    break
                raise ConfigError(
                    f"Line {number} of {self._path} is not JSON, so it is not the local workspace's journal. "
                    "Move the file away; a new one is begun."
                ) from error
        return entries

    def append(self, entry: Json) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")
        self.lines += 1

    def rewrite(self, entries: Iterable[Json]) -> None:
        """Replace everything at once: the old file or the new one is there, never half of one."""
        lines = [json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries]
        draft = self._path.with_name(self._path.name + ".new")
        try:
            draft.write_text("".join(lines), encoding="utf-8")
            draft.replace(self._path)
        except OSError as error:
            raise ConfigError(
                f"The local workspace cannot write its journal {self._path}: {error.strerror}."
            ) from error
        self.lines = len(lines)
