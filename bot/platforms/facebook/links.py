"""The texts that people paste for a Facebook page, and those that they paste by mistake."""

from __future__ import annotations

import re

from bot.errors import UnknownPage
from bot.platforms.contract import Reference
from bot.platforms.links import PastedLink, cleaned, link_in

# www., m., web., mbasic., fr-fr., zh-hk. …; not business., developers., l. and other places that show no page
_HOST = re.compile(r"(?:(?:www|m|web|mbasic|touch|mtouch|free|d|x|p|[a-z]{2}-[a-z]{2})\.)*(?:facebook|fb)\.com")
_OTHER_HOST = re.compile(r"(?:.+\.)?(?:facebook\.com|fb\.com|fb\.watch|fb\.me|messenger\.com)")
_NAME = re.compile(r"[A-Za-z0-9.]{1,75}")
_ID = re.compile(r"[0-9]{1,20}")
_NAME_AND_ID = re.compile(r".*-([0-9]{5,20})", re.DOTALL)

_OTHER_THINGS = {
    "a game": "gaming",
    "a group": "groups",
    "a hashtag": "hashtag",
    "a note": "notes",
    "a photo": "media photo photo.php photos",
    "a post": "permalink.php posts story.php",
    "a reel": "reel reels",
    "a search": "search",
    "a search for people": "public",
    "a share link, which hides where it leads": "share share.php sharer sharer.php",
    "a story": "stories",
    "a video": "live video.php videos watch",
    "an advertisement": "ads",
    "an event": "events",
    "the marketplace": "marketplace",
}
_NOT_A_PAGE = {word: thing for thing, words in _OTHER_THINGS.items() for word in words.split()}
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


def _key(link: PastedLink) -> str:
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
