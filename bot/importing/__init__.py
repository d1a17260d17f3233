"""Files of counts and of audiences by country, read into the newsroom's values."""

from bot.importing.reading import read_import
from bot.importing.values import UNNAMED, DateOrder, Fault, Import, ImportRefused, Layout
from bot.importing.wording import describe

__all__ = ["UNNAMED", "DateOrder", "Fault", "Import", "ImportRefused", "Layout", "describe", "read_import"]
