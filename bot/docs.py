"""The docs that are generated from the code's declarations: ``python -m bot.docs --write`` or ``--check``."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from piplicenses import create_output_string, create_parser

from bot.config.settings import declared_settings, env_example
from bot.platforms.discovery import platform_settings, platforms
from bot.rules.alert_types import written
from bot.slack.discovery import commands
from handlers.contract import Comparison
from handlers.discovery import all_comparisons

ROOT = Path(__file__).resolve().parent.parent

PERMISSIVE = frozenset(
    {
        "0BSD", "Apache License, Version 2.0", "Apache Software License", "Apache-2.0", "BSD", "BSD License",
        "BSD-2-Clause", "BSD-3-Clause", "DFSG approved", "MIT", "MIT License", "MIT-0", "PSF-2.0", "Public Domain",
        "Python Software Foundation License",
    }
)  # fmt: skip
"""Licences that ask for no more than to be named, as packages call them."""

EXPLAINED: Mapping[str, str] = MappingProxyType(
    {
        "capi-param-builder-python": "comes with facebook-business, under the same licence",
        "certifi": "Mozilla's list of certificate authorities, used unchanged; the MPL is about changes to its files",
        "colorama": "installed on Windows only; BSD-3-Clause, by its licence file",
        "facebook-business": "Meta's own licence: for use with Facebook's services; the tests only, never shipped",
        "hypothesis": "the tests only, used unchanged, never shipped: the MPL is about changes to its files",
        "orjson": "used unchanged; the MPL, which a part of it is under, is about changes to its files",
        "pathspec": "comes with mypy; a tool only, never shipped: the MPL is about changes to its files",
        "pycountry": "comes with facebook-business; the tests only, never shipped: the LGPL is about passing it on",
        "pysqlite3": "Zlib, by its licence file; SQLite, which it brings, is in the public domain",
    }
)
"""Why a package is fine whose licence is not in ``PERMISSIVE``."""

_START, _END = "<!-- generated: platforms -->\n", "<!-- end -->"


def generated(root: Path) -> dict[Path, str]:
    """Return every generated file under ``root`` with its text."""
    readme = (root / "README.md").read_text(encoding="utf-8")
    head, _, rest = readme.partition(_START)
    _, _, tail = rest.partition(_END)
    return {
        root / ".env.example": env_example(declared_settings(platform_settings())),
        root / "docs" / "reference.md": reference(),
        root / "docs" / "licences.md": licences(root),
        root / "README.md": head + _START + _platform_table() + _END + tail,
    }


def reference() -> str:
    """Return the text of ``docs/reference.md``: every command, alert, platform and setting."""
    return "\n".join(
        [
            "# Reference",
            "",
            "Generated from the code by `make docs`; edit the declarations, not this file.",
            "",
            "## Commands in Slack",
            "",
            "Only the person who asks sees the answer of `/likes` and `/trends`. *Share to channel* shows it to all.",
            "In threads, where Slack takes no slash commands, mention the bot: `@Likewatch likes hunsen`.",
            "",
            *_table(
                ("type", "to", "who may"),
                ((f"`{command.usage}`", command.summary, command.permission.value) for command in commands()),
            ),
            "",
            "`LIKEWATCH_EDITORS` names the editors. Every change is stored in the audit, and posted to the channel in",
            "one line. A refusal is stored too.",
            "",
            "## Alerts",
            "",
            *_table(
                ("feature", "kinds", "raised when", "threshold that a channel may set"),
                ((f"`{rule.feature}`", _kinds(rule), rule.summary, _settable(rule)) for rule in all_comparisons()),
            ),
            "",
            "A channel gets every feature that is not opt-in, or the features that it names. A threshold is written",
            "after its feature: `/trends subscribe hunsen overtake surge>5x`.",
            "",
            "## Platforms",
            "",
            *_platform_sections(),
            "## Settings",
            "",
            "From the environment, or a file `.env` beside the Makefile (the environment wins).",
            "",
            *_table(
                ("name", "default", "meaning"),
                (
                    (f"`{setting.name}`", f"`{setting.default}`" if setting.default else "", setting.help)
                    for setting in declared_settings(platform_settings())
                ),
            ),
            "",
        ]
    )


def licences(root: Path) -> str:
    """Return the text of ``docs/licences.md``: every package of both locks under ``root`` with its licence."""
    shipped = packages(root / "requirements.lock")
    tools = [name for name in packages(root / "requirements-dev.lock") if name not in shipped]
    return "\n".join(
        [
            "# Licences",
            "",
            "Generated by `make docs` from the locks and from what pip-licenses finds. `make test` fails where a",
            "licence is neither permissive nor explained (`bot/docs.py`). Likewatch itself is under Apache-2.0.",
            "",
            "## Installed with Likewatch",
            "",
            *_licence_table(shipped),
            "",
            "## For its development only, never shipped",
            "",
            *_licence_table(tools),
            "",
        ]
    )


def packages(lock: Path) -> list[str]:
    """Return the names of the packages in a lock, in its order, without pip, which belongs to the environment."""
    names = re.findall(r"^([a-z0-9][a-z0-9.-]*)==", lock.read_text(encoding="utf-8"), re.MULTILINE)
    return [name for name in names if name != "pip"]


def unexplained(names: Iterable[str]) -> dict[str, str]:
    """Return the packages whose licence is neither permissive nor explained, with that licence."""
    return {name: licence(name) for name in names if name not in EXPLAINED and not is_permissive(name)}


def is_permissive(name: str) -> bool:
    """Return whether every licence that a package names is permissive."""
    return set(re.split(r" AND | OR |; ", licence(name).translate({ord("("): "", ord(")"): ""}))) <= PERMISSIVE


def licence(name: str) -> str:
    """Return the licence of an installed package in the package's own words."""
    return _installed_licences().get(name, "unknown")


@cache
def _installed_licences() -> Mapping[str, str]:
    listed = create_output_string(create_parser().parse_args(["--format=json", "--with-system"]))
    return {re.sub(r"[-_.]+", "-", one["Name"]).lower(): one["License"] for one in json.loads(listed)}


def _licence_table(names: Iterable[str]) -> Iterator[str]:
    return _table(("package", "licence", ""), ((name, licence(name), EXPLAINED.get(name, "")) for name in names))


def main(arguments: list[str]) -> int:
    """Write the generated files, or name the ones that are out of date (exit status 1)."""
    wanted = generated(ROOT)
    if arguments == ["--write"]:
        for path, text in wanted.items():
            path.write_text(text, encoding="utf-8")
        return 0
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        sys.stderr.write(f"{path.relative_to(ROOT)} is not what the code declares: run `make docs`\n")
    return 1 if stale else 0


def _kinds(rule: Comparison[Any]) -> str:
    return ", ".join(f"`{kind}`" for kind in rule.kinds)


def _settable(rule: Comparison[Any]) -> str:
    """Return the default of a rule's threshold, its bounds, and whether a channel must name the rule."""
    said = ["opt-in"] if rule.opt_in else []
    if limits := rule.threshold:
        default = f"`{written(rule.feature, limits.default)}`"
        said.append(f"{default}: {limits.unit}, from {limits.least:g} to {limits.most:g}")
    return "; ".join(said)


def _platform_table() -> str:
    rows = ((platform.title, _one_line(platform.needs)) for platform in platforms())
    return "\n" + "\n".join(_table(("platform", "what it needs"), rows)) + "\n\n"


def _platform_sections() -> Iterator[str]:
    for platform in platforms():
        yield f"### {platform.title}"
        yield ""
        yield platform.needs
        yield ""
        yield f"Accepted: {platform.accepts}. Up to {platform.batch} pages are read in one call."
        yield ""


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def _one_line(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
