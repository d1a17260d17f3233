from __future__ import annotations

from datetime import timedelta

from bot.imports.apply import import_figures
from bot.imports.job import ImportJob
from bot.imports.replay import add_pages, by_instant
from bot.rules.preview import settle_rule_states
from handlers.discovery import all_comparisons
from handlers.model import Page
from storage.store import Store
from storage.values import Target
from tests.labs.standins.clock import HandClock
from tests.labs.standins.newsroom import START, cycle, reading
from tests.labs.standins.samples import wish

HOUR = timedelta(hours=1)


def test_a_page_that_an_import_brings_back_goes_on_from_its_past_for_every_threshold(store: Store) -> None:
    """It surged while nobody had subscribed: that is not told as if it were now, not even by a channel's threshold."""
    now = START + 1700 * HOUR
    add_pages(store, [Page(slug="hunsen", name="hunsen", platform="facebook", groups=("cambodia",))], now=START)
    made = cycle(store, HandClock(now), {})
    counts = (500_000 + 20 * hour + 400 * max(hour - 1580, 0) for hour in range(1700))
    made.add_figures(
        by_instant([reading("hunsen", count, START + hour * HOUR) for hour, count in enumerate(counts)], ())
    )
    store.pages.remove("hunsen", at=now)
    surges = wish("cambodia", target=Target.GROUP, features=("surge",), thresholds={"surge": 5})
    store.subscriptions.put(surges)
    settle_rule_states(store, all_comparisons(), now)
    assert store.rule_states.channel_rule_keys("surge") == set()

    data = f"date,page,followers\n{now.date()},hunsen,582000\n".encode()
    job = ImportJob(name="x.csv", data=data, by="ana", new_pages=True, group="cambodia")
    imported = import_figures(store, made, job, job.read(now), now)
    made.close()
    assert [page.slug for page in imported.added] == ["hunsen"]
    assert store.rule_states.channel_rule_keys("surge") == {("surge>5", "hunsen")}
    assert imported.figures.alerts == ()
