"""Docs that list things, generated from what the code declares: ``python -m bot.docs --write`` or ``--check``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bot.config.settings import SETTINGS, env_example
from bot.licences import licences
from bot.platforms.registry import platform_settings, platforms
from bot.rules.alert_types import written
from bot.slack.commands import commands
from handlers.comparisons import all_comparisons
from handlers.contract import Comparison

ROOT = Path(__file__).resolve().parent.parent
_START, _END = "<!-- generated: platforms -->\n", "<!-- end -->"


def generated(root: Path) -> dict[Path, str]:
    """Every generated file under ``root`` with the text it should have."""
    readme = (root / "README.md").read_text(encoding="utf-8")
    head, _, rest = readme.partition(_START)
    _, _, tail = rest.partition(_END)
    return {
        root / ".env.example": env_example(platform_settings()),
        root / "docs" / "reference.md": reference(),
        root / "docs" / "licences.md": licences(root),
        root / "README.md": head + _START + _platform_table() + _END + tail,
    }


def reference() -> str:
    """Every command, alert, platform and setting."""
    return "\n".join(
        [
            "# Reference",
            "",
            "Generated from the code by `make docs`; edit the declarations, not this file.",
            "",
            "## Commands in Slack",
            "",
            "Only who asked sees what `/likes` and `/trends` answer; *Share to channel* shows it to everybody.",
            "In threads, where Slack takes no slash commands, mention the bot: `@Likewatch likes hunsen`.",
            "",
            *_table(
                ("type", "to", "who may"),
                ((f"`{command.usage}`", command.summary, command.who.value) for command in commands()),
            ),
            "",
            "Editors are those that `LIKEWATCH_EDITORS` names. Every change is noted in the audit, and told to the",
            "channel in one line; a refusal is noted too.",
            "",
            "## Alerts",
            "",
            *_table(
                ("feature", "kinds", "told when", "what a channel may set"),
                ((f"`{rule.feature}`", _kinds(rule), rule.summary, _settable(rule)) for rule in all_comparisons()),
            ),
            "",
            "A channel gets every feature that is not opt-in, or those that it names; a threshold is written after its",
            "feature: `/trends subscribe hunsen overtake surge>5x`.",
            "",
            "## Platforms",
            "",
            *_platform_sections(),
            "## Settings",
            "",
            "From the environment, or a file `.env` beside the Makefile (the environment wins).",
            "",
            *_table(
                ("name", "default", "what it is"),
                (
                    (f"`{setting.name}`", f"`{setting.default}`" if setting.default else "", setting.help)
                    for setting in (*SETTINGS, *platform_settings())
                ),
            ),
            "",
        ]
    )


def main(arguments: list[str]) -> int:
    """Write the generated files, or name those that are out of date (exit status 1)."""
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
    """The default of a rule's threshold and what may be set instead, and whether it must be named."""
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
