"""The licences of what Likewatch depends on, for ``docs/licences.md``: read from the installed packages themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import PackageMetadata, metadata
from pathlib import Path
from types import MappingProxyType

PERMISSIVE = frozenset(
    {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "MIT", "MIT-0", "PSF-2.0", "Public Domain", "Zlib"}
)
"""Licences that ask for no more than to be named, by their SPDX identifiers: https://spdx.org/licenses/."""

EXPLAINED: Mapping[str, str] = MappingProxyType(
    {
        "capi-param-builder-python": "comes with facebook-business, under the same licence",
        "certifi": "Mozilla's list of certificate authorities, used as it is; the MPL is about changes to its files",
        "facebook-business": "Meta's own licence: for use with Facebook's services; the tests only, never shipped",
        "hypothesis": "the tests only, used as it is, never shipped: the MPL is about changes to its files",
        "orjson": "used as it is; the MPL, which a part of it is under, is about changes to its files",
        "pathspec": "comes with mypy; a tool only, never shipped: the MPL is about changes to its files",
        "pycountry": "comes with facebook-business; the tests only, never shipped: the LGPL concerns who passes it on",
    }
)
"""Why a package under another licence is fine."""

# What a package's metadata do not say, or say where it is not installed: from the licence files of these packages.
_FROM_THE_FILE = {
    "capi-param-builder-python": "Meta Platform",
    "cffi": "MIT-0",
    "colorama": "BSD-3-Clause",
    "facebook-business": "Meta Platform",
    "grimp": "BSD-2-Clause",
    "import-linter": "BSD-2-Clause",
    "librt": "MIT",
    "pycparser": "BSD-3-Clause",
    "pysocks": "BSD-3-Clause",
    "pysqlite3": "Zlib",
    "typing-extensions": "PSF-2.0",
}
_WORDS = {
    "Apache 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}


def licences(root: Path) -> str:
    """The text of ``docs/licences.md``: every package of both locks under ``root`` with its licence."""
    shipped = packages(root / "requirements.lock")
    tools = [name for name in packages(root / "requirements-dev.lock") if name not in shipped]
    return "\n".join(
        [
            "# Licences",
            "",
            "Generated from the locks and the packages' own metadata by `make docs`; `make test` fails where a licence",
            "is neither permissive nor explained (`bot/licences.py`). Likewatch itself is under Apache-2.0.",
            "",
            "## Installed with Likewatch",
            "",
            *_table(shipped),
            "",
            "SQLite, which pysqlite3 brings, is in the public domain.",
            "",
            "## For its development only, never shipped",
            "",
            *_table(tools),
            "",
        ]
    )


def packages(lock: Path) -> list[str]:
    """The names of the packages in a lock, in its order; ``pip`` is of the environment, not ours."""
    names = re.findall(r"^([a-z0-9][a-z0-9.-]*)==", lock.read_text(encoding="utf-8"), re.MULTILINE)
    return [name for name in names if name != "pip"]


def licence(name: str) -> str:
    """The SPDX expression of a package's licence, as far as it can be told."""
    if name in _FROM_THE_FILE:
        return _FROM_THE_FILE[name]
    said = next(_said(metadata(name)), "unknown")
    return _WORDS.get(said, said)


def unexplained(names: Iterable[str]) -> dict[str, str]:
    """Packages whose licence is neither permissive nor explained, with that licence."""
    return {
        name: text
        for name in names
        if name not in EXPLAINED
        and not set(re.split(r" AND | OR ", (text := licence(name)).replace("(", "").replace(")", ""))) <= PERMISSIVE
    }


def _said(meta: PackageMetadata) -> Iterator[str]:
    for field in ("License-Expression", "License"):
        if field in meta:
            yield meta[field]
    for classifier in meta.get_all("Classifier") or ():
        if classifier.startswith("License :: "):
            yield classifier.rpartition(" :: ")[2]


def _table(names: Iterable[str]) -> Iterator[str]:
    yield "| package | licence | |"
    yield "|---|---|---|"
    for name in names:
        yield f"| {name} | {licence(name)} | {EXPLAINED.get(name, '')} |"
