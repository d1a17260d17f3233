"""What polls find out about pages beside their counts, through the live cycle."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.platforms.contract import Reason
from bot.polling.cycle import Cycle
from handlers.model import Alert
from storage.store import Store
from storage.values import Target
from tests.labs.standins.clock import HandClock
from tests.labs.standins.newsroom import START, ToldPlatform, cycle, subscribe, track

HOUR = timedelta(hours=1)


class Newsroom:
    """Two pages of one group, polled every hour for as long as a test says."""

    def __init__(
        self, store: Store, *, now: datetime = START, pages: tuple[str, ...] = ("hunsen", "samrainsy")
    ) -> None:
        self.store = store
        self.clock = HandClock(now)
        self.told = ToldPlatform()
        self.cycle: Cycle = cycle(store, self.clock, {"told": self.told.source()})
        for slug, count in zip(pages, (14_000_000, 4_300_000), strict=False):
            track(store, slug, groups=("cambodia",), every=HOUR, now=now)
            self.told.counts[slug] = count
        subscribe(store, "cambodia", target=Target.GROUP, now=now)

    def run(self, until: datetime) -> None:
        """Poll whatever is due, every ten minutes; every page gains three likes in that time, read or not."""
        while self.clock.now() < until:
            self.told.counts = {slug: count + 3 for slug, count in self.told.counts.items()}
            self.cycle.run_due()
            self.clock.move(timedelta(minutes=10))

    def hours(self, number: float) -> None:
        self.run(self.clock.now() + number * HOUR)

    @property
    def alerts(self) -> list[Alert]:
        return [kept.alert for kept in reversed(self.store.alerts.recent())]

    @property
    def kinds(self) -> list[str]:
        return [alert.kind for alert in self.alerts]


@pytest.fixture
def newsroom(store: Store) -> Iterator[Newsroom]:
    opened = Newsroom(store)
    yield opened
    opened.cycle.close()


def test_hun_sens_page_of_2023_goes_and_comes_back_and_nothing_else_is_told(store: Store) -> None:
    began = datetime(2023, 6, 20, tzinfo=UTC)
    went, came = datetime(2023, 6, 29, 6, tzinfo=UTC), datetime(2023, 7, 20, 4, tzinfo=UTC)
    newsroom = Newsroom(store, now=began)
    newsroom.run(went)
    newsroom.told.failures["hunsen"] = Reason.PAGE_GONE
    newsroom.run(came)
    newsroom.told.failures.clear()
    newsroom.run(came + timedelta(days=5))
    newsroom.cycle.close()

    assert newsroom.kinds == ["page_unavailable", "page_back"]
    unavailable, back = newsroom.alerts
    assert went + 24 * HOUR <= unavailable.at < went + 26 * HOUR
    assert came <= back.at < came + 2 * HOUR
    assert unavailable.story == back.story
    before, after = unavailable.fact("count"), back.fact("count")
    assert before.at is not None
    assert went - 2 * HOUR <= before.at < went
    assert after.value == before.value + 3 * (back.at - before.at) / timedelta(minutes=10)
    counts = [point.count for point in store.readings.points("hunsen", began, came + timedelta(days=9))]
    assert counts == sorted(counts)
    assert counts[0] >= 14_000_000


@pytest.mark.parametrize("reason", [Reason.UNREACHABLE, Reason.PAGE_GONE, Reason.AUTH_REFUSED, Reason.CONFIG])
def test_what_befalls_a_whole_platform_is_no_news_about_its_pages(newsroom: Newsroom, reason: Reason) -> None:
    newsroom.hours(5)
    newsroom.told.failures = dict.fromkeys(("hunsen", "samrainsy"), reason)
    newsroom.hours(72)
    newsroom.told.failures.clear()
    newsroom.hours(5)
    assert newsroom.kinds == []


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (Reason.UNREACHABLE, "page_unread"),
        (Reason.PAYLOAD_CHANGED, "page_unread"),
        (Reason.PAGE_GONE, "page_unavailable"),
        (Reason.PAGE_MOVED, "page_merged"),
        (Reason.COUNT_HIDDEN, "page_hidden"),
    ],
)
def test_what_befalls_one_page_alone_is_told_of_it(newsroom: Newsroom, reason: Reason, kind: str) -> None:
    newsroom.hours(5)
    newsroom.told.failures["samrainsy"] = reason
    newsroom.hours(27)
    newsroom.told.failures.clear()
    newsroom.hours(2)
    assert newsroom.kinds == [kind, "page_back"]
    assert {alert.page for alert in newsroom.alerts} == {"samrainsy"}


@pytest.mark.parametrize("reason", [Reason.CONFIG, Reason.THROTTLED])
def test_what_somebody_of_ours_must_mend_is_no_news_even_of_one_page(newsroom: Newsroom, reason: Reason) -> None:
    newsroom.hours(5)
    newsroom.told.failures["samrainsy"] = reason
    newsroom.hours(48)
    assert newsroom.kinds == []


@pytest.mark.parametrize(("reason", "kinds"), [(Reason.PAGE_GONE, ["page_unavailable"]), (Reason.UNREACHABLE, [])])
def test_the_only_page_of_a_platform_is_judged_by_what_was_said_of_it(
    store: Store, reason: Reason, kinds: list[str]
) -> None:
    newsroom = Newsroom(store, pages=("hunsen",))
    newsroom.hours(5)
    newsroom.told.failures["hunsen"] = reason
    newsroom.hours(30)
    newsroom.cycle.close()
    assert newsroom.kinds == kinds


def test_an_outage_in_the_middle_is_not_counted(newsroom: Newsroom) -> None:
    newsroom.hours(5)
    newsroom.told.failures["hunsen"] = Reason.PAGE_GONE
    newsroom.hours(12)
    newsroom.told.failures = dict.fromkeys(("hunsen", "samrainsy"), Reason.UNREACHABLE)
    newsroom.hours(20)
    newsroom.told.failures = {"hunsen": Reason.PAGE_GONE}
    newsroom.hours(20)
    assert newsroom.kinds == []
    newsroom.hours(8)
    assert newsroom.kinds == ["page_unavailable"]


def test_trouble_is_remembered_over_a_restart(store: Store, newsroom: Newsroom) -> None:
    newsroom.hours(5)
    newsroom.told.failures["hunsen"] = Reason.PAGE_GONE
    for _ in range(30):
        newsroom.hours(1)
        newsroom.cycle.close()
        newsroom.cycle = cycle(store, newsroom.clock, {"told": newsroom.told.source()})
    assert newsroom.kinds == ["page_unavailable"]


def test_a_new_name_is_told_once_and_read_on(newsroom: Newsroom) -> None:
    newsroom.hours(5)
    newsroom.told.handles["hunsen"] = "HunSen"  # only its letters' case
    newsroom.hours(2)
    newsroom.told.handles["hunsen"] = "samdechtecho"
    newsroom.hours(5)
    (renamed,) = newsroom.alerts
    assert (renamed.kind, renamed.page, renamed.fact("noticed").about) == ("page_renamed", "hunsen", "@samdechtecho")
    account = newsroom.store.pages.account("hunsen")
    assert account is not None
    assert account.handle == "samdechtecho"


def test_the_end_of_trouble_reaches_the_same_card(newsroom: Newsroom) -> None:
    newsroom.hours(5)
    newsroom.told.failures["hunsen"] = Reason.PAGE_GONE
    newsroom.hours(30)
    first = newsroom.store.outbox.claim(newsroom.clock.now())
    assert first is not None
    newsroom.store.outbox.mark_sent(first.id, "111.1", at=newsroom.clock.now(), pace=timedelta(seconds=1))
    newsroom.told.failures.clear()
    newsroom.hours(2)
    second = newsroom.store.outbox.claim(newsroom.clock.now())
    assert second is not None
    assert (first.alert.kind, second.alert.kind, second.card_ts) == ("page_unavailable", "page_back", "111.1")
