from __future__ import annotations

import pytest

from bot.pages import lookup
from bot.pages.suggestions import suggestions
from storage.store import Store
from storage.values import Target
from tests.labs.standins.asked import daily, watch


@pytest.fixture
def watched(store: Store) -> Store:
    """A store with three pages in one group."""
    for slug, name in (("hunsen", "Hun Sen"), ("hunmanet", "Hun Manet"), ("zelensky", "Зеленський Zélenskyy")):
        watch(store, slug, daily(1_000_000, 1, days=1), name=name)
    return store


@pytest.mark.parametrize(
    ("text", "target", "slug"),
    [
        ("hunsen", Target.PAGE, "hunsen"),
        ("@HUNSEN", Target.PAGE, "hunsen"),
        ("hun sen", Target.PAGE, "hunsen"),
        ("https://m.facebook.com/hunsen/?ref=1", Target.PAGE, "hunsen"),
        ("Cambodia", Target.GROUP, "cambodia"),
    ],
)
def test_it_finds_what_is_exactly_named(watched: Store, text: str, target: Target, slug: str) -> None:
    found = lookup.find(watched, text)
    assert found is not None
    assert (found.target, found.slug) == (target, slug)


@pytest.mark.parametrize(
    "text", ["hunsne", "https://www.facebook.com/somebodyelse", "https://example.org/hunsen", "/", ""]
)
def test_it_finds_nothing_else(watched: Store, text: str) -> None:
    assert lookup.find(watched, text) is None


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("hunsne", "hunsen"),
        ("HunSenn", "hunsen"),
        ("hun-manet", "hunmanet"),
        ("manet", "hunmanet"),
        ("zelenskyy", "zelensky"),
        ("cambodja", "cambodia"),
    ],
)
def test_it_suggests_the_likeliest_first(watched: Store, text: str, first: str) -> None:
    assert suggestions(watched, text)[0] == first


def test_it_suggests_nothing_far_fetched(watched: Store) -> None:
    assert suggestions(watched, "qqqqqqqq") == ()


def test_it_suggests_no_group_where_only_a_page_will_do(watched: Store) -> None:
    assert "cambodia" not in suggestions(watched, "cambodja", groups=False)


def test_it_suggests_at_most_five_in_the_same_order_every_time(store: Store) -> None:
    for number in (3, 9, 1, 7, 5, 8, 2):
        watch(store, f"page{number}", [], groups=())
    assert suggestions(store, "page") == ("page1", "page2", "page3", "page5", "page7")


def test_a_name_may_be_followed_by_other_words(watched: Store) -> None:
    found, rest = lookup.find_first(watched, "Hun Sen overtake foreign")
    assert found is not None
    assert (found.slug, rest) == ("hunsen", ("overtake", "foreign"))
    assert lookup.find_first(watched, "nobody overtake") == (None, ())
