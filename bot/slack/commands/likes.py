"""``/likes``: a page, a group, two pages compared, or the leaderboard."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.errors import LikewatchError
from bot.pages import lookup
from bot.slack.answers.help import unknown_name
from bot.slack.answers.leaderboard import group_answer, leaderboard
from bot.slack.answers.page import page_answer
from bot.slack.answers.pair import pair_answer
from bot.slack.contract import Call, Command, Permission, Reply, Slash
from bot.text import durations
from handlers.model import Page
from storage.store import Store

DEFAULT_PERIOD = timedelta(days=30)


def run(call: Call, store: Store, now: datetime) -> Reply:
    """Answer about whatever the text names, exactly or nearly. All figures of an answer are of one instant."""
    if call.text and (page := lookup.find_page(store, call.text)):
        return page_answer(store, page, now)
    with store.read():
        return _answer(call, store, now) if call.text else leaderboard(store, call, now)


def _answer(call: Call, store: Store, now: datetime) -> Reply:
    *words, last = call.text.split()
    period = durations.period(last)
    if period is None or not words:
        words, last, period = [*words, last], "", None
    if pages := _pages(store, words):
        return pair_answer(store, _two_different(pages, words), period or DEFAULT_PERIOD, now)
    text = " ".join(words)
    if group := lookup.find_group(store, text):
        return group_answer(store, group, now, period)
    if page := lookup.find_page(store, text):
        return page_answer(store, page, now, period)
    if refused := durations.refused_period(words[-1]):
        raise LikewatchError(refused)
    return _did_you_mean(store, words, last)


def _pages(store: Store, words: list[str], *, fewest: int = 2) -> tuple[Page, ...]:
    """Return the two or more pages that the words name, wherever one name ends and the next begins; else ()."""
    for middle in range(len(words) if fewest < 2 else len(words) - 1, 0, -1):  # noqa: PLR2004
        first = lookup.find_page(store, " ".join(words[:middle]))
        if first is None:
            continue
        if middle == len(words):
            return (first,)
        if others := _pages(store, words[middle:], fewest=1):
            return (first, *others)
    return ()


def _two_different(pages: tuple[Page, ...], words: list[str]) -> tuple[Page, Page]:
    slugs = list(dict.fromkeys(page.slug for page in pages))
    if len(slugs) == 1:
        raise LikewatchError(
            f"“{' '.join(words)}” names one page more than once. A page can only be compared with another page. "
            f"/likes {slugs[0]} shows its own growth."
        )
    if len(pages) > 2:  # noqa: PLR2004
        raise LikewatchError(
            f"I can compare two pages at a time, and these are {len(pages)}: /likes {slugs[0]} {slugs[1]}. "
            "For more, put them into one group with /trends track. Then /likes and the group's name shows all of them."
        )
    return pages[0], pages[1]


def _did_you_mean(store: Store, words: list[str], period: str) -> Reply:
    """Suggest names. If a page has the first or the last part as its name, suggest only for the rest."""
    for middle in range(1, len(words)):
        left, right = " ".join(words[:middle]), " ".join(words[middle:])
        if page := lookup.find_page(store, left):
            return unknown_name(store, right, f"likes {page.slug} {{}} {period}")
        if page := lookup.find_page(store, right):
            return unknown_name(store, left, f"likes {{}} {page.slug} {period}")
    return unknown_name(store, " ".join(words), "likes {}")


COMMAND = Command(
    slash=Slash.LIKES,
    verbs=("",),
    usage="/likes [page [90d] | page page [90d] | group [90d]]",
    summary="the count of a page, its age, growth, rank and home share; two pages compared; or the leaderboard",
    permission=Permission.ANYONE,
    run=run,
)
