"""The texts that people paste for a Facebook page, and those that they paste by mistake."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from bot.errors import UnknownPage
from bot.platforms.contract import Reference
from bot.platforms.links import Address, cleaned, link_in

# www., m., web., mbasic., fr-fr., zh-hk. …; not business., developers., l. and other places that show no page
_HOST = re.compile(r"(?:(?:www|m|web|mbasic|touch|mtouch|free|d|x|p|[a-z]{2}-[a-z]{2})\.)*(?:facebook|fb)\.com")
_OTHER_HOST = re.compile(r"(?:.+\.)?(?:facebook\.com|fb\.com|fb\.watch|fb\.me|messenger\.com)")
_NAME = re.compile(r"[A-Za-z0-9.]{1,75}")
_ID = re.compile(r"[0-9]{1,20}")
_NAME_AND_ID = re.compile(r".*-([0-9]{5,20})", re.DOTALL)

_NOT_A_PAGE: Mapping[str, str] = MappingProxyType(
    {
        "ads": "an advertisement",
        "events": "an event",
        "gaming": "a game",
        "groups": "a group",
        "hashtag": "a hashtag",
        "live": "a video",
        "marketplace": "the marketplace",
        "media": "a photo",
        "notes": "a note",
        "permalink.php": "a post",
        "photo": "a photo",
        "photo.php": "a photo",
        "photos": "a photo",
        "posts": "a post",
        "public": "a search for people",
        "reel": "a reel",
        "reels": "a reel",
        "search": "a search",
        "share": "a share link, which hides where it leads",
        "share.php": "a share link, which hides where it leads",
        "sharer": "a share link, which hides where it leads",
        "sharer.php": "a share link, which hides where it leads",
        "stories": "a story",
        "story.php": "a post",
        "video.php": "a video",
        "videos": "a video",
        "watch": "a video",
    }
)
_NO_NAME = frozenset(
    {"home.php", "index.php", "l.php", "login", "login.php", "help", "plugins", "dialog", "business", "pages"}
)


def parse_reference(text: str) -> Reference | None:
    """Return the page's name or number in ``text``. See ``Platform.parse_reference``."""
    text = cleaned(text)
    link = link_in(f"facebook.com/{text}" if text.startswith("profile.php?") else text)
    if link and _HOST.fullmatch(link.host):
        return Reference(platform="facebook", key=_key(link))
    if link and _OTHER_HOST.fullmatch(link.host):
        raise UnknownPage(f"{link.host} shows no Facebook page. {_INSTEAD}")
    name = text.removeprefix("@")
    return Reference(platform="facebook", key=name) if _NAME.fullmatch(name) else None


def _key(link: Address) -> str:
    match link.path:
        case ("profile.php",):
            found = _ID.fullmatch(link.query.get("id", ""))
        case ("pages" | "people", _, number, *_) if _ID.fullmatch(number):
            found = _ID.fullmatch(number)
        case ("pages", "category", _, name, *_) | ("p", name, *_):
            found = _NAME_AND_ID.fullmatch(name)
        case ("pg", name, *rest) | (name, *rest):
            return _named(name, rest)
        case _:
            found = None
    if not found:
        raise UnknownPage(f"This address names no Facebook page. {_INSTEAD}")
    return found[found.re.groups]


def _named(name: str, rest: list[str]) -> str:
    if what := _NOT_A_PAGE.get(name.lower()):
        raise UnknownPage(f"This is {what} on Facebook, not a page. {_INSTEAD}")
    if found := _NAME_AND_ID.fullmatch(name):
        return found[1]
    name = name.removeprefix("@")
    if name.lower() in _NO_NAME or not _NAME.fullmatch(name):
        raise UnknownPage(f"This address names no Facebook page. {_INSTEAD}")
    if len(rest) > 1 and (what := _NOT_A_PAGE.get(rest[0].lower())):
        raise UnknownPage(f"This is {what} on Facebook, not a page. Paste the page's own address: facebook.com/{name}")
    return name


_INSTEAD = "Paste the page's own address, such as facebook.com/hunsen."
