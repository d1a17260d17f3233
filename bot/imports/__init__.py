"""Files of counts and of audiences by country, read into the newsroom's values."""

from bot.imports.read import read_import
from bot.imports.summary import describe
from bot.imports.values import UNNAMED, DateOrder, Import, ImportRefused, Layout, RowFault

__all__ = ["UNNAMED", "DateOrder", "Fault", "Import", "ImportRefused", "Layout", "describe", "read_import"]
