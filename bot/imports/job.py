"""One import, as ``likewatch import`` asks for it, and the record from which its file can be read again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.errors import ConfigError, LikewatchError
from bot.evidence.records import Body, ImportRecord
from bot.imports.read import read_import
from bot.imports.values import DateOrder, FileContents
from bot.pages.slugs import is_slug
from bot.text.countries import country_code
from handlers.model import AudienceReading, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportJob:
    """A file's ``name`` and bytes, the person who imports it, and the options of ``likewatch import``."""

    name: str
    data: bytes
    by: str
    page: str | None = None
    dates: str | None = None
    keep_good: bool = False
    new_pages: bool = False
    home: str | None = None
    group: str | None = None

    def read(self, now: datetime) -> FileContents:
        """Return the contents of the file. Raise ``ImportRefused`` if the file cannot be read."""
        dates = DateOrder(self.dates) if self.dates else None
        return read_import(self.data, name=self.name, now=now, page=self.page, dates=dates)

    def record(self, slugs: Mapping[str, str], now: datetime, body: Body) -> ImportRecord:
        """Return the evidence of the import. ``slugs`` are the slugs by the names that the file uses."""
        return ImportRecord(
            at=now, name=self.name, by=self.by, pages=slugs, page=self.page, dates=self.dates, body=body
        )

    def home_code(self) -> str | None:
        """Return the country code of ``home``. Raise ``ConfigError`` if no country has that name."""
        code = country_code(self.home) if self.home else None
        if self.home and code is None:
            raise ConfigError(
                f"--home {self.home} is no country that I know. Give its two letters or its name: --home KH"
            )
        return code

    def groups(self) -> tuple[str, ...]:
        """Return the group, if one is given. Raise ``ConfigError`` if it cannot be the name of a group."""
        if not self.group:
            return ()
        if not is_slug(self.group):
            raise ConfigError(
                f"--group {self.group} cannot be a group's name: small letters, digits and hyphens make one."
            )
        return (self.group,)


def reread_import(imported: ImportRecord, content: bytes) -> tuple[Reading | AudienceReading, ...]:
    """Return the figures in an imported file, read as the import read them; none if that is no longer possible."""
    job = ImportJob(name=imported.name, data=content, by=imported.by, page=imported.page, dates=imported.dates)
    try:
        contents = job.read(imported.at)
    except LikewatchError:
        return ()
    figures: tuple[Reading | AudienceReading, ...] = (*contents.readings, *contents.audiences)
    return tuple(
        replace(figure, page=imported.pages[figure.page]) for figure in figures if figure.page in imported.pages
    )
