"""The press figures that Likewatch grew from: 35 figures, each with its source."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files

from bot.imports.read import read_import
from handlers.model import AudienceReading, Page, Reading

_COMPILED = datetime(2026, 11, 23, tzinfo=UTC)  # no figure is of a later day


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """Pages and the figures published about them, in order of arrival. ``data`` is the content of the file ``name``."""

    name: str
    data: bytes
    pages: tuple[Page, ...]
    readings: tuple[Reading, ...]
    audiences: tuple[AudienceReading, ...]


def press_example() -> Example:
    """Return the press figures on Hun Sen, Sam Rainsy, David Cameron and Donald Trump, 2013 to 2020.

    The ordinary import reads them. Each figure was received on its own date.
    """
    folder = files("bot.imports.examples")
    name, data = "cambodia.csv", (folder / "cambodia.csv").read_bytes()
    read = read_import(data, name=name, now=_COMPILED)
    pages = tuple(_pages((folder / "pages.csv").read_text(encoding="utf-8")))
    return Example(name=name, data=data, pages=pages, readings=read.readings, audiences=read.audiences)


def _pages(text: str) -> Iterator[Page]:
    for row in csv.DictReader(text.splitlines()):
        yield Page(
            slug=row["slug"],
            name=row["name"],
            platform=row["platform"],
            url=row["url"],
            home=row["home"],
            groups=tuple(filter(None, row["groups"].split("|"))),
            aliases=tuple(filter(None, row["aliases"].split("|"))),
        )
