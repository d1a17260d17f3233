"""The platforms that exist, and the account that a pasted text means."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Sequence
from functools import cache

import bot.platforms
from bot.config.field_types import SettingGroup
from bot.errors import UnknownPage
from bot.platforms.contract import Platform, Reference
from bot.platforms.links import cleaned, link_in

_ELSEWHERE = {
    "Instagram": ("instagram.com",),
    "LinkedIn": ("linkedin.com",),
    "Mastodon": ("mastodon.social",),
    "Reddit": ("reddit.com",),
    "Telegram": ("t.me", "telegram.me"),
    "Threads": ("threads.com", "threads.net"),
    "TikTok": ("tiktok.com",),
    "VK": ("vk.com",),
    "Weibo": ("weibo.com",),
    "X": ("twitter.com", "x.com"),
    "YouTube": ("youtu.be", "youtube.com"),
}
"""The hosts of platforms that Likewatch may not read, for a better answer."""


@cache
def platforms() -> tuple[Platform, ...]:
    """Return every platform, sorted by name: the ``PLATFORM`` of each module in this package that has one."""
    found = []
    for module in pkgutil.iter_modules(bot.platforms.__path__, f"{bot.platforms.__name__}."):
        platform = getattr(importlib.import_module(module.name), "PLATFORM", None)
        if isinstance(platform, Platform):
            found.append(platform)
        elif platform is not None:
            raise TypeError(f"PLATFORM in {module.name} is not a Platform")
    return tuple(sorted(found, key=lambda platform: platform.name))


def platform_settings() -> tuple[type[SettingGroup], ...]:
    """Return the groups of settings that the platforms declare."""
    return tuple(platform.settings for platform in platforms())


def parse_reference(text: str, platforms: Sequence[Platform], hint: str = "") -> Reference:
    """Return the account that ``text`` means, on the platform named by ``hint`` if the person named one.

    An address goes before a bare name. Raise ``UnknownPage``, which says what may be pasted.

    >>> parse_reference("<https://m.facebook.com/hunsen?ref=1|the page>", platforms())
    Reference(platform='facebook', key='hunsen')
    """
    asked = [platform for platform in platforms if not hint or hint.lower() in {platform.name, platform.title.lower()}]
    if not asked:
        titles = " and ".join(platform.title for platform in platforms)
        raise UnknownPage(f"“{hint}” is not a platform that Likewatch reads. It reads {titles}.")
    found = [(platform, reference) for platform in asked if (reference := platform.parse_reference(text))]
    if found:
        return min(found, key=lambda pair: pair[0].bare_names)[1]
    elsewhere = _elsewhere(text)
    if elsewhere and elsewhere not in {platform.title for platform in platforms}:
        raise UnknownPage(f"{elsewhere} is not supported yet. {_may_be_pasted(platforms)}")
    raise UnknownPage(f"“{cleaned(text)[:80]}” names no page that Likewatch can watch. {_may_be_pasted(asked)}")


def _may_be_pasted(platforms: Sequence[Platform]) -> str:
    return "Paste " + "; ".join(f"for {platform.title}: {platform.accepts}" for platform in platforms) + "."


def _elsewhere(text: str) -> str | None:
    text = cleaned(text)
    if re.fullmatch(r"@[^@\s]+@[^@\s]+\.[^@\s]+", text):
        return "Mastodon"
    if link := link_in(text):
        for title, hosts in _ELSEWHERE.items():
            if any(f".{link.host}".endswith(f".{host}") for host in hosts):
                return title
    return None
