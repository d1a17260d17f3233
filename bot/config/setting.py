"""A declared setting: the one place a name, its default and its explanation are written."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a setting's text is read."""

    TEXT = "text"
    URL = "url"
    DURATION = "duration"  # "1s", "15m", "6h", "1d"
    DAYS = "days"  # "30d"
    ADDRESS = "address"  # host:port
    PATH = "path"
    CHOICE = "choice"
    EDITORS = "editors"  # Slack's ids of people and user groups, or "everybody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting: an environment variable or a line of ``.env``. ``secret`` values are never printed."""

    name: str
    help: str
    kind: Kind = Kind.TEXT
    default: str = ""
    secret: bool = False
    choices: tuple[str, ...] = ()
