"""The published figures of the story, instant by instant, raise exactly the alerts an editor would sign."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import groupby

from handlers.contract import Names
from handlers.model import Alert, AudienceReading, Dated, Figure, Measure, Metric, Page, Reading
from handlers.wording.sentences import headline, lines
from tests.labs.standins.histories import Replay

DAILY, BBC, POST = "The Cambodia Daily", "BBC Trending", "Phnom Penh Post"

PAGES = (
    Page(slug="hunsen", name="Hun Sen", platform="facebook", home="KH", groups=("cambodia",)),
    Page(slug="samrainsy", name="Sam Rainsy", platform="facebook", home="KH", groups=("cambodia",)),
    Page(slug="donaldtrump", name="Donald Trump", platform="facebook", home="US"),
    Page(slug="davidcameron", name="David Cameron", platform="facebook", home="GB"),
)

# day, known to, page, count, step it was rounded to, source
COUNTS = (
    ("2013-06-15", Dated.MONTH, "hunsen", 67_000, 1_000, DAILY),
    ("2015-06-18", Dated.MONTH, "donaldtrump", 1_700_000, 100_000, "Vocativ via Business Insider"),
    ("2015-08-22", Dated.DAY, "hunsen", 1_000_000, 1, "Fresh News"),
    ("2015-09-21", Dated.DAY, "hunsen", 1_070_000, 10_000, DAILY),
    ("2016-01-24", Dated.DAY, "samrainsy", 2_065_000, 1_000, "Khmer Times"),
    ("2016-01-25", Dated.DAY, "hunsen", 2_000_105, 1, "Fresh News"),
    ("2016-02-02", Dated.DAY, "hunsen", 2_108_800, 100, DAILY),
    ("2016-02-02", Dated.DAY, "samrainsy", 2_094_800, 100, DAILY),
    ("2016-03-08", Dated.DAY, "hunsen", 3_003_000, 5_000, "derived"),
    ("2016-03-08", Dated.DAY, "samrainsy", 2_200_000, 100_000, "Phnom Penh Post via Newsweek"),
    ("2016-03-14", Dated.DAY, "hunsen", 3_200_000, 100_000, BBC),
    ("2016-03-14", Dated.DAY, "samrainsy", 2_200_000, 100_000, BBC),
    ("2016-03-14", Dated.DAY, "davidcameron", 1_000_000, 100_000, BBC),
    ("2016-03-14", Dated.DAY, "donaldtrump", 6_400_000, 100_000, BBC),
    ("2016-03-17", Dated.DAY, "hunsen", 3_200_000, 100_000, "Agence France-Presse via Rappler"),
    ("2016-03-17", Dated.DAY, "samrainsy", 2_300_000, 100_000, "Agence France-Presse via Rappler"),
    ("2016-07-31", Dated.MONTH, "hunsen", 5_000_000, 100_000, DAILY),
    ("2017-03-28", Dated.MONTH, "hunsen", 7_200_000, 100_000, DAILY),
    ("2018-03-15", Dated.MONTH, "hunsen", 9_600_000, 100_000, "Burson-Marsteller via Phnom Penh Post"),
    ("2020-08-05", Dated.DAY, "hunsen", 12_987_817, 1, "AKP via vietnam-aujourdhui.info"),
)


def _figure(value: float, step: float = 1) -> Figure:
    half = step / 2 if step != 1 else 0
    return Figure(value=value, low=value - half, high=value + half)


def _audience(
    day: str,
    page: str,
    *,
    likes: dict[str, Figure] | None = None,
    shares: dict[str, Figure] | None = None,
    total: Figure | None = None,
    days: int | None = None,
    source: str = POST,
    dated: Dated = Dated.DAY,
) -> AudienceReading:
    return AudienceReading(
        page=page,
        as_of=_instant(day),
        received_at=_instant(day),
        measure=Measure.ALL if days is None else Measure.NEW,
        days=days,
        likes=likes or {},
        shares=shares or {},
        total=total,
        source=source,
        method="published",
        dated=dated,
    )


def _instant(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


AUDIENCES = (
    _audience("2015-06-18", "donaldtrump", shares={"US": _figure(0.42, 0.01)}, source="Vocativ", dated=Dated.MONTH),
    _audience(
        "2016-03-08",
        "hunsen",
        likes={"KH": _figure(1_730_000, 10_000)},
        shares={"KH": _figure(0.576, 0.001)},
        total=_figure(3_003_000, 5_000),
    ),
    _audience(
        "2016-03-08", "hunsen", likes={"KH": _figure(157_331)}, total=_figure(779_000, 1_000), days=30, source=BBC
    ),
    _audience("2016-03-08", "samrainsy", likes={"KH": _figure(1_830_000, 10_000)}, total=_figure(2_200_000, 100_000)),
    _audience("2016-03-13", "hunsen", likes={"IN": _figure(360_791)}, shares={"KH": _figure(0.564, 0.001)}),
    _audience(
        "2016-03-13",
        "hunsen",
        likes={"KH": _figure(34_069), "IN": _figure(22_932)},
        total=_figure(151_000, 1_000),
        days=5,
    ),
    _audience("2016-03-14", "hunsen", shares={"KH": _figure(0.57, 0.01)}, source=BBC),
    _audience("2016-03-14", "samrainsy", shares={"KH": _figure(0.83, 0.01)}, source=BBC),
    _audience("2016-03-14", "donaldtrump", shares={"US": _figure(0.75, 0.05)}, source=BBC),
    _audience("2017-03-28", "hunsen", shares={"KH": _figure(0.499, 0.001)}, source=DAILY, dated=Dated.MONTH),
)


def _readings() -> list[Reading]:
    return [
        Reading(
            page=page,
            observed_at=_instant(day),
            received_at=_instant(day),
            count=count,
            low=count - step // 2,
            high=count + step // 2,
            metric=Metric.LIKES,
            source=source,
            dated=dated,
        )
        for day, dated, page, count, step, source in COUNTS
    ]


def _arrivals() -> list[Reading | AudienceReading]:
    together: list[Reading | AudienceReading] = [*_readings(), *AUDIENCES]
    return sorted(together, key=lambda arrival: arrival.received_at)


def _replayed(*, one_by_one: bool = False) -> list[Alert]:
    replay = Replay(PAGES)
    arrivals = _arrivals()
    if one_by_one:
        for arrival in arrivals:
            replay.arrive(arrival)
    else:
        for _, together in groupby(arrivals, key=lambda arrival: arrival.received_at):
            replay.arrive(*together)
    return replay.alerts


def _of(feature: str) -> list[Alert]:
    return [alert for alert in _replayed() if alert.feature == feature]


def test_it_raises_the_four_alerts_of_the_story_and_milestones() -> None:
    overtake, new_likes, contradiction, majority = (alert for alert in _replayed() if alert.feature != "milestone")

    # Two pages read on the same evening, 14,000 apart, days after the reading before: settled at once.
    assert (overtake.kind, overtake.page, overtake.rival) == ("overtake", "hunsen", "samrainsy")
    assert overtake.at == _instant("2016-02-02")
    assert overtake.fact("gap").value == 14_000
    assert "confirmed at once" in overtake.rule

    # 1 - 157,331/779,000 = 79.8% of the new likes, against 42.4% of all likes at the time.
    # Five days later 34,069 of 151,000 is the same episode, and tells nothing.
    assert (new_likes.kind, new_likes.page, new_likes.at) == ("new_foreign_share", "hunsen", _instant("2016-03-08"))
    assert round(new_likes.fact("share").value, 3) == 0.798
    assert round(new_likes.fact("baseline").value, 3) == 0.424

    # 57.6% of 3,003,000, then 56.4% after 151,000 more: some 49,000 of them at home, and never as few as 34,069.
    assert (contradiction.kind, contradiction.page) == ("contradiction", "hunsen")
    assert contradiction.at == _instant("2016-03-13")
    assert contradiction.fact("published").value == 34_069
    implied = contradiction.fact("implied")
    assert (round(implied.low or 0, -2), round(implied.high or 0, -2)) == (45_700, 52_500)

    # 49.9%, rounding included, is below half; it was 57% before. Donald Trump's 42% at home was the first ever known.
    assert (majority.kind, majority.page, majority.dated) == ("foreign_majority", "hunsen", Dated.MONTH)
    assert majority.at == _instant("2017-03-28")
    assert majority.fact("home_share").high == 0.4995


def test_it_raises_the_milestones_that_are_certain_each_dated_then() -> None:
    told = [(f"{alert.at:%Y-%m-%d}", alert.page, int(alert.facts[0].value)) for alert in _of("milestone")]
    assert told == [
        ("2015-08-22", "hunsen", 1_000_000),  # 67,000 two years before: of ten passed, the highest
        ("2016-01-25", "hunsen", 2_000_000),  # 2,000,105, by the count of that evening
        ("2016-03-08", "hunsen", 3_000_000),  # 3,003,000, at least 3,000,500
        ("2016-03-14", "donaldtrump", 6_000_000),  # "6.4 million", nine months after 1.7
        ("2016-07-31", "hunsen", 4_000_000),  # "almost 5 million" is above four, and may be below five
        ("2017-03-28", "hunsen", 7_000_000),  # "roughly 7.2 million" is above seven
        ("2018-03-15", "hunsen", 9_000_000),  # 9.6 million
        ("2020-08-05", "hunsen", 10_000_000),  # 12,987,817
    ]
    # Silent: every page's first figure (Sam Rainsy's 2,065,000, David Cameron's million), and what repeats it.


def test_it_raises_the_same_alerts_whether_figures_of_a_day_come_together_or_one_by_one() -> None:
    assert sorted(alert.key for alert in _replayed(one_by_one=True)) == sorted(alert.key for alert in _replayed())


def test_it_says_them_as_an_editor_would() -> None:
    names = {page.slug: page.name for page in PAGES}
    words = Names(page=names.__getitem__, country={"KH": "Cambodia", "IN": "India"}.__getitem__)

    story = [alert for alert in _replayed() if alert.feature != "milestone"]
    assert [headline(alert, words) for alert in story] == [
        (
            "Hun Sen now has more likes than Sam Rainsy (2,108,800 v 2,094,800 by rounded figures), "
            "first seen on 2 February 2016."
        ),
        (
            "79.8% of Hun Sen's 779,000 new likes in the 30 days to 8 March 2016 came from accounts not listed in "
            "Cambodia (42.4% of all its likes then)."
        ),
        (
            "Published figures about Hun Sen do not fit together: 34,069 new likes from Cambodia in the 5 days to "
            "13 March 2016, where the shares and totals leave room for about 45,700 to 52,500."
        ),
        (
            "Less than half of Hun Sen's likes are from accounts listed in Cambodia: 49.9% in March 2017, "
            "57% on 14 March 2016."
        ),
    ]
    assert headline(_of("milestone")[1], words) == (
        "Hun Sen has passed 2,000,000 likes (2,000,105 on 25 January 2016)."
    )
    assert lines(story[0], words) == (
        "The difference is 14,000 likes; rounding allows 13,900 to 14,100.",
        (
            "Readings are days apart, so the moment itself was not seen. "
            "Before: Hun Sen 2,000,105 on 25 January 2016; Sam Rainsy 2,065,000 on 24 January 2016."
        ),
    )


def test_it_raises_nothing_when_every_figure_comes_again() -> None:
    replay = Replay(PAGES)
    for arrival in (*_arrivals(), *_arrivals()):
        replay.arrive(arrival)
    assert len(replay.alerts) == 12
