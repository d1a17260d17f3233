import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from bot.platforms.contract import RateLimit, RateLimitAction, Reason
from bot.polling.cycle import Cycle
from handlers.decide import Arrivals
from handlers.model import Standing
from storage.store import Store
from storage.values import Target
from tests.labs.standins.clock import HandClock
from tests.labs.standins.newsroom import START, ToldPlatform, cycle, reading, subscribe, track

HOUR = timedelta(hours=1)


@pytest.fixture
def told() -> ToldPlatform:
    return ToldPlatform()


@pytest.fixture
def polling(store: Store, clock: HandClock, told: ToldPlatform) -> Iterator[Cycle]:
    made = cycle(store, clock, {"told": told.source()})
    yield made
    made.close()


def rivals(store: Store, told: ToldPlatform) -> None:
    for slug, count in (("hunsen", 2_099_000), ("samrainsy", 2_100_000)):
        track(store, slug, groups=("cambodia",), every=HOUR, now=START)
        told.counts[slug] = count


def test_nothing_due_asks_nobody(polling: Cycle, told: ToldPlatform) -> None:
    assert polling.run_due() is None
    assert told.asked == []


def test_a_page_is_read_when_it_is_due_and_not_before(
    polling: Cycle, store: Store, clock: HandClock, told: ToldPlatform
) -> None:
    track(store, "hunsen", every=HOUR, now=START)
    told.counts["hunsen"] = 2_000_000
    assert polling.run_due() is not None
    clock.move(timedelta(minutes=50))
    assert polling.run_due() is None
    clock.move(timedelta(minutes=15))
    assert polling.run_due() is not None
    assert told.asked == [("hunsen",), ("hunsen",)]


def test_after_a_long_sleep_a_page_is_read_once(
    polling: Cycle, store: Store, clock: HandClock, told: ToldPlatform
) -> None:
    track(store, "hunsen", every=HOUR, now=START)
    told.counts["hunsen"] = 2_000_000
    polling.run_due()
    clock.move(timedelta(days=3))
    polling.run_due()
    assert polling.run_due() is None
    assert len(told.asked) == 2


def test_pages_due_together_stay_together_in_full_batches(
    polling: Cycle, store: Store, clock: HandClock, told: ToldPlatform
) -> None:
    for number in range(120):
        track(store, f"page{number:03}", every=HOUR, now=START)
        told.counts[f"page{number:03}"] = 1_000 + number
    polling.run_due()
    clock.move(2 * HOUR)
    polling.run_due()
    assert [len(batch) for batch in told.asked] == [50, 50, 20] * 2


def test_an_unchanged_count_is_a_poll_and_not_another_reading(
    polling: Cycle, store: Store, clock: HandClock, told: ToldPlatform
) -> None:
    track(store, "hunsen", every=HOUR, now=START)
    told.counts["hunsen"] = 2_000_000
    polling.run_due()
    clock.move(2 * HOUR)
    report = polling.run_due()
    assert report is not None
    assert report.added.standings == {Standing.UNCHANGED: 1}
    latest = store.readings.page_snapshot("hunsen")
    assert latest is not None
    assert latest.polled_at == clock.now()
    assert len(store.readings.points("hunsen", START - HOUR, clock.now())) == 1


def test_no_transaction_is_open_while_it_fetches(polling: Cycle, store: Store, told: ToldPlatform) -> None:
    track(store, "hunsen", every=HOUR, now=START)
    told.counts["hunsen"] = 2_000_000
    told.while_fetching = lambda: store.notes.put("written", "while fetching")
    polling.run_due()
    assert store.notes.get("written") == "while fetching"


def test_an_overtake_is_posted_once_from_reading_to_outbox(store: Store, clock: HandClock, told: ToldPlatform) -> None:
    woken: list[bool] = []
    polling = cycle(store, clock, {"told": told.source()}, wake=lambda: woken.append(True))
    rivals(store, told)
    subscribe(store, "cambodia", target=Target.GROUP)
    for hunsen in (2_099_000, 2_099_500, 2_101_000, 2_102_000, 2_103_000):
        told.counts["hunsen"] = hunsen
        polling.run_due()
        clock.move(2 * HOUR)
    polling.close()
    assert [kept.alert.kind for kept in store.alerts.recent()] == ["ahead"]
    assert woken == [True]
    claimed = store.outbox.claim(clock.now())
    assert claimed is not None
    assert (claimed.alert.kind, claimed.alert.page, claimed.alert.rival) == ("ahead", "hunsen", "samrainsy")


def test_the_sender_is_woken_when_it_can_see_what_is_to_be_posted(
    store: Store, clock: HandClock, told: ToldPlatform
) -> None:
    """An import is one transaction around the cycle's own."""
    seen: list[int] = []

    def wake() -> None:
        with ThreadPoolExecutor(1) as sender:
            seen.append(sender.submit(lambda: store.outbox.backlog().pending).result(timeout=10))

    polling = cycle(store, clock, {"told": told.source()}, wake=wake)
    rivals(store, told)
    subscribe(store, "hunsen")
    counts = ((START - 2 * HOUR, 999_000), (START - HOUR, 1_000_100))
    with store.write():
        added = polling.add_figures(
            [(at, Arrivals(readings=(reading("hunsen", count, at),))) for at, count in counts], replayed=True
        )
    polling.close()
    assert added.queued > 0
    assert seen == [added.queued]


def test_readings_and_the_alerts_they_caused_land_together_or_not_at_all(store: Store, polling: Cycle) -> None:
    track(store, "hunsen", every=HOUR, now=START)
    arrivals = Arrivals(readings=(reading("hunsen", 2_000_000, START),))

    def fail() -> None:
        raise RuntimeError("the machine stops here")

    with pytest.raises(RuntimeError):
        polling.add_figures([(START, arrivals)], together=fail)
    assert store.series_states.get(["hunsen"]) == {}
    assert store.readings.points("hunsen", START - HOUR, START + HOUR) == ()
    polling.add_figures([(START, arrivals)])
    assert store.series_states.get(["hunsen"])["hunsen"].last.count == 2_000_000


def test_a_failed_page_is_a_recorded_gap_and_the_others_are_read(
    polling: Cycle, store: Store, told: ToldPlatform
) -> None:
    rivals(store, told)
    told.failures["samrainsy"] = Reason.PAGE_GONE
    report = polling.run_due()
    assert report is not None
    assert [failure.page for failure in report.failures] == ["samrainsy"]
    assert set(store.series_states.get(["hunsen", "samrainsy"])) == {"hunsen"}
    latest = store.readings.page_snapshot("samrainsy")
    assert latest is not None
    assert latest.trouble is not None
    assert latest.trouble.reason == Reason.PAGE_GONE


def test_what_could_not_be_reached_is_tried_again_soon(
    polling: Cycle, store: Store, clock: HandClock, told: ToldPlatform
) -> None:
    rivals(store, told)
    told.failures["samrainsy"] = Reason.UNREACHABLE
    polling.run_due()
    clock.move(timedelta(minutes=3))
    told.failures.clear()
    polling.run_due()
    assert told.asked[-1] == ("samrainsy",)
    latest = store.readings.page_snapshot("samrainsy")
    assert latest is not None
    assert latest.trouble is None


def test_a_platform_that_says_stop_is_left_alone_until_then_even_after_a_restart(
    polling: Cycle, store: Store, clock: HandClock, told: ToldPlatform
) -> None:
    rivals(store, told)
    told.rate_limit = RateLimit(
        action=RateLimitAction.STOP, until=START + 3 * HOUR, message="97% of the allowance is used."
    )
    polling.run_due()
    told.rate_limit = None
    clock.move(2 * HOUR)
    restarted = cycle(store, clock, {"told": told.source()})
    assert restarted.run_all() is not None
    assert len(told.asked) == 1
    clock.move(2 * HOUR)
    restarted.run_due()
    restarted.close()
    assert len(told.asked) == 2


def test_a_platform_that_says_slow_is_asked_half_as_often(
    polling: Cycle, store: Store, clock: HandClock, told: ToldPlatform
) -> None:
    rivals(store, told)
    told.rate_limit = RateLimit(
        action=RateLimitAction.SLOW, until=START + 5 * HOUR, message="80% of the allowance is used."
    )
    polling.run_due()
    clock.move(timedelta(minutes=90))
    assert polling.run_due() is None
    clock.move(timedelta(minutes=40))
    assert polling.run_due() is not None


def test_a_refused_token_is_not_used_again_and_told_once(
    polling: Cycle, store: Store, clock: HandClock, told: ToldPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    rivals(store, told)
    told.failures = dict.fromkeys(("hunsen", "samrainsy"), Reason.AUTH_REFUSED)
    with caplog.at_level(logging.INFO, logger="bot.polling.cycle"):
        for _ in range(3):
            polling.run_due()
            clock.move(2 * HOUR)
    assert len(told.asked) == 1
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_trouble_is_logged_when_it_begins_and_when_it_ends(
    polling: Cycle, store: Store, clock: HandClock, told: ToldPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    rivals(store, told)
    told.failures["samrainsy"] = Reason.PAGE_GONE
    with caplog.at_level(logging.INFO, logger="bot.polling.cycle"):
        for _ in range(3):
            polling.run_due()
            clock.move(2 * HOUR)
        told.failures.clear()
        polling.run_due()
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_a_platform_that_is_not_set_up_is_a_gap_with_its_reason(
    store: Store, clock: HandClock, told: ToldPlatform
) -> None:
    polling = cycle(store, clock, {"told": told.source(missing="TOLD_TOKEN is not set.")})
    rivals(store, told)
    report = polling.run_due()
    polling.close()
    assert report is not None
    assert {failure.message for failure in report.failures} == {"TOLD_TOKEN is not set."}
    assert told.asked == []


def test_events_of_long_ago_are_kept_and_not_posted_as_news(store: Store, clock: HandClock, polling: Cycle) -> None:
    for slug in ("hunsen", "samrainsy"):
        track(store, slug, groups=("cambodia",), every=HOUR, now=START)
    subscribe(store, "cambodia", target=Target.GROUP)
    then = START - timedelta(days=400)
    counts = [(0, 2_065_000, 2_050_000), (8, 2_094_800, 2_108_800), (16, 2_100_000, 2_150_000)]
    added = polling.add_figures(
        (
            then + timedelta(days=days),
            Arrivals(
                readings=(
                    reading("samrainsy", samrainsy, then + timedelta(days=days)),
                    reading("hunsen", hunsen, then + timedelta(days=days)),
                )
            ),
        )
        for days, samrainsy, hunsen in counts
    )
    assert added.alerts == ()
    assert [alert.kind for alert in added.past] == ["overtake"]
    assert store.outbox.claim(clock.now()) is None
    assert [kept.historical for kept in store.alerts.recent()] == [True]


def test_adding_the_same_again_changes_nothing(store: Store, polling: Cycle) -> None:
    rivals_then = [
        (START + timedelta(days=days), Arrivals(readings=(reading("hunsen", count, START + timedelta(days=days)),)))
        for days, count in ((0, 2_000_000), (1, 2_001_000), (2, 2_001_500))
    ]
    track(store, "hunsen", every=HOUR, now=START)
    polling.add_figures(rivals_then)
    before = store.readings.points("hunsen", START - HOUR, START + timedelta(days=9))
    tracks = store.series_states.get(["hunsen"])
    again = polling.add_figures(rivals_then)
    assert store.readings.points("hunsen", START - HOUR, START + timedelta(days=9)) == before
    assert store.series_states.get(["hunsen"]) == tracks
    assert Standing.ACCEPTED not in again.standings


def test_an_answer_that_cannot_be_used_spoils_no_other_and_is_not_asked_for_every_second(
    store: Store, clock: HandClock, told: ToldPlatform
) -> None:
    other = ToldPlatform("other")
    polling = cycle(store, clock, {"told": told.source(), "other": other.source()})
    track(store, "hunsen", every=HOUR, now=START)
    track(store, "samrainsy", platform="other", every=HOUR, now=START)
    told.counts["hunsen"] = 2**70  # no platform lets it through; SQLite would not take it
    other.counts["samrainsy"] = 2_100_000
    report = polling.run_due()
    assert report is not None
    assert [failure.page for failure in report.failures] == ["hunsen"]
    assert store.series_states.get(["samrainsy"])["samrainsy"].last.count == 2_100_000
    assert polling.run_due() is None
    told.counts["hunsen"] = 2_000_000
    clock.move(2 * HOUR)
    polling.run_due()
    polling.close()
    assert store.series_states.get(["hunsen"])["hunsen"].last.count == 2_000_000


def test_a_platform_that_stumbles_is_its_own_pages_failure(polling: Cycle, store: Store) -> None:
    track(store, "hunsen", every=HOUR, now=START)
    report = polling.run_due()  # it was told no count: a KeyError
    assert report is not None
    assert "KeyError" in report.failures[0].message
    assert polling.run_due() is None


def test_what_was_read_of_an_account_that_was_replaced_meanwhile_is_dropped(
    polling: Cycle, store: Store, clock: HandClock, told: ToldPlatform
) -> None:
    track(store, "hunsen", native_id="the fans", every=HOUR, now=START)
    told.counts["hunsen"] = 50_000

    def replace_it() -> None:
        store.pages.remove("hunsen", at=clock.now())
        track(store, "samrainsy", native_id="another", every=HOUR, now=clock.now())

    told.while_fetching = replace_it
    report = polling.run_due()
    assert report is not None
    assert report.failures == ()
    assert store.series_states.get(["hunsen", "samrainsy"]) == {}
    told.while_fetching = lambda: None
    told.counts["samrainsy"] = 2_100_000
    polling.run_due()
    assert told.asked[-1] == ("samrainsy",)


def test_the_strictest_brake_of_a_cycle_holds(store: Store, clock: HandClock) -> None:
    told = ToldPlatform(batch=1)
    polling = cycle(store, clock, {"told": told.source()})
    rivals(store, told)
    until = START + 3 * HOUR
    told.rate_limits.extend(
        [
            RateLimit(action=RateLimitAction.SLOW, until=until, message="80%"),
            RateLimit(action=RateLimitAction.STOP, until=until, message="97%"),
        ]
    )
    polling.run_due()
    asked = len(told.asked)
    clock.move(2 * HOUR)
    told.rate_limit = RateLimit(action=RateLimitAction.SLOW, until=until, message="76%")
    polling.run_all()
    polling.close()
    assert len(told.asked) == asked


def test_an_account_of_a_platform_that_is_gone_is_a_gap_with_its_reason(polling: Cycle, store: Store) -> None:
    track(store, "hunsen", platform="crowdtangle", every=HOUR, now=START)
    report = polling.run_due()
    assert report is not None
    assert "crowdtangle" in report.failures[0].message
    assert polling.run_due() is None


def test_an_alert_is_dated_by_the_reading_that_caused_it(store: Store, told: ToldPlatform) -> None:
    clock = HandClock(START)
    told.while_fetching = lambda: clock.move(timedelta(seconds=5))
    polling = cycle(store, clock, {"told": told.source()})
    rivals(store, told)
    for hunsen in (2_099_000, 2_101_000, 2_102_000):
        told.counts["hunsen"] = hunsen
        polling.run_due()
        clock.move(2 * HOUR)
    polling.close()
    (kept,) = store.alerts.recent()
    assert kept.alert.at == max(fact.at for fact in kept.alert.facts if fact.at)


def test_a_poll_that_is_closed_meanwhile_ends_without_its_answers(store: Store, clock: HandClock) -> None:
    told = ToldPlatform(batch=1)
    polling = cycle(store, clock, {"told": told.source()})
    for number in range(200):
        track(store, f"page{number:03}", every=HOUR, now=START)
        told.counts[f"page{number:03}"] = 1_000 + number
    told.while_fetching = polling.close
    assert polling.run_due() is None
