from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slackblocks import AxisConfig, BarChart, DataPoint, DataSeries, DataVisualizationBlock
from slackblocks import Block as SecondOpinion

from bot.slack.contract import (
    Bold,
    Button,
    Card,
    Chart,
    Line,
    Link,
    Mention,
    Moment,
    Plot,
    Reply,
    Series,
)
from bot.slack.listeners.contract import ActionListener
from bot.slack.listeners.discovery import all_listeners
from bot.slack.render import block_kit
from tests.labs.standins import blockkit

HOSTILE = [
    "<!channel>",
    "<@U012AB3CD>",
    "<https://evil.example|click>",
    "&lt;!here&gt; & co",
    "*bold* _italic_ ~struck~ `code` ```block```",
    "line\nbreak\r\n> quote\t\x00\x1b[31m",
    "\u202edesrever\u2066x\u2069",
    "\ud800 alone",
    "",
    " ",
    "ហ៊ុន សែន 👨‍👩‍👧",
    "x" * 5000,
    "<" * 5000,
]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("plain words", "plain words"),
        ("Marks & Spencer <b>", "Marks &amp; Spencer &lt;b&gt;"),
        ("&amp;", "&amp;amp;"),
        ("<!channel> <@U1> <#C1>", "&lt;!channel&gt; &lt;@U1&gt; &lt;#C1&gt;"),
        ("*a* ~b~ `c`", "\u2217a\u2217 \u223cb\u223c \u02cbc\u02cb"),
        ("_a_ hun_sen", "\uff3fa\uff3f hun_sen"),
        ("two\nlines\tand\x00more", "two lines and more"),
        ("a\u202eb\u2069c\ufeff", "abc"),
        ("ហ៊ុន\u200bសែន", "ហ៊ុន\u200bសែន"),
    ],
)
def test_it_escapes_words_exactly_once(said: str, shown: str) -> None:
    assert block_kit.mrkdwn(said) == shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (("By ", Bold("Hun Sen"), " now"), "By *Hun Sen* now"),
        ((Link("AKP & co", "https://akp.gov.kh/?a=1&b=2|x"),), "<https://akp.gov.kh/?a=1&amp;b=2%7Cx|AKP &amp; co>"),
        ((Link("no", "javascript:alert(1)"),), "no"),
        ((Link("no", "https://["),), "no"),
        ((Link("no", ""),), "no"),
        ((Mention("U012AB3CD"), " did"), "<@U012AB3CD> did"),
        ((Mention("U1> <!channel"),), "U1&gt; &lt;!channel"),
        (
            (Moment(datetime(2016, 2, 2, 11, 50, tzinfo=UTC)),),
            "<!date^1454413800^{date_short_pretty} {time}|2 February 2016, 11:50 UTC>",
        ),
    ],
)
def test_it_writes_spans_in_slacks_markup(line: Line, shown: str) -> None:
    assert block_kit.mrkdwn(line) == shown


def test_it_says_a_line_in_plain_words() -> None:
    line = (Mention("U1"), " muted ", Bold("a"), " until ", Moment(datetime(2016, 2, 2, tzinfo=UTC)), Link(" b", "x"))
    assert block_kit.plain(line) == "@U1 muted a until 2 February 2016, 00:00 UTC b"


def test_it_lays_out_a_card() -> None:
    card = Card(
        headline="A passed B",
        lines=("First.", ("Then ", Bold("bold"), ".")),
        fields=(("A", "2,108,800 likes"),),
        context=("Source: AKP",),
        buttons=(
            Button(label="Mute 1 hour", query="trends mute a 1h"),
            Button(label="Unsubscribe", query="trends unsubscribe a", danger=True),
        ),
    )
    shown = block_kit.reply_blocks(Reply(card=card, shareable=True), "likes a")
    assert [block["type"] for block in shown] == ["header", "section", "section", "context", "actions"]
    assert shown[1]["text"]["text"] == "First.\nThen *bold*."
    assert shown[2]["fields"][0]["text"] == "*A*\n2,108,800 likes"
    mute, button, share = shown[4]["elements"]
    assert (mute["value"], "style" in mute) == ("trends mute a 1h", False)
    assert (button["value"], button["style"]) == ("trends unsubscribe a", "danger")
    assert (share["value"], share["action_id"]) == ("likes a", "share.2")
    assert block_kit.fallback_text(card) == "A passed B\nFirst.\nThen *bold*.\nA: 2,108,800 likes"


def test_every_action_id_is_one_the_app_listens_for() -> None:
    card = Card(headline="x", buttons=tuple(Button(label=str(n), query=f"likes {n}") for n in range(40)))
    (actions,) = [block for block in block_kit.blocks(card, share="likes") if block["type"] == "actions"]
    assert len(actions["elements"]) == 25
    patterns = [one.action_id for one in all_listeners() if isinstance(one, ActionListener)]
    for element in actions["elements"]:
        assert sum(bool(pattern.match(element["action_id"])) for pattern in patterns) == 1


def test_it_cuts_what_is_too_long_and_says_so() -> None:
    card = Card(headline="Long", lines=tuple(f"{n} " + "x" * 2500 for n in range(80)))
    shown = block_kit.blocks(card)
    assert blockkit.faults(shown) == []
    assert blockkit.words(shown).endswith("… and 77 more: Slack shows no more in one message.")


def test_it_cuts_what_is_too_many_blocks_and_says_so() -> None:
    shown = block_kit.blocks(Card(headline="Many", fields=(("", "x"),) * 900))
    assert blockkit.faults(shown) == []
    assert "cut here" in blockkit.words(shown[-1:])


def test_each_part_of_a_card_has_room_in_a_message_and_says_how_many_more_there_are() -> None:
    many = tuple(f"number {n} " + "&" * 90 for n in range(300))
    plot = _plot([str(n) for n in range(20)], [f"{n} " + "<" * 18 for n in range(6)])
    card = Card(headline="&" * 600, lines=many, fields=tuple((one, one) for one in many), context=many, plot=plot)
    shown = block_kit.blocks(card, share="likes")
    for blocks in (shown, block_kit.without_charts(shown)):
        assert blockkit.faults(blocks) == []
    assert len([text for text in blockkit.mrkdwn_texts(shown) if "more: Slack shows no more" in text]) == 3
    assert blockkit.words(shown).count("number 0 ") == 4


def test_what_fits_into_a_message_is_shown_whole() -> None:
    card = Card(headline="Fits", lines=("x" * 99,) * 40, fields=(("A", "x" * 80),) * 20, context=("x" * 200,) * 5)
    shown = blockkit.words(block_kit.blocks(card))
    assert shown.count("x") == 99 * 40 + 80 * 20 + 200 * 5
    assert "more" not in shown


def test_a_cut_tears_no_markup() -> None:
    line = tuple(Link("s" * 40, "https://example.org/" + "p" * 50) for _ in range(200))
    (_, section) = block_kit.blocks(Card(headline="Links", lines=(line,)))
    assert section["text"]["text"].endswith("cut here: Slack shows no more in one message.")
    assert blockkit.faults([section]) == []


def test_a_button_whose_query_does_not_fit_is_left_out() -> None:
    long = "trends mute " + "x" * 2000
    card = Card(headline="x", buttons=(Button(label="a", query=long),))
    assert [block["type"] for block in block_kit.blocks(card)] == ["header"]


def _plot(categories: list[str], names: list[str]) -> Plot:
    values = tuple(float(n) for n in range(len(categories)))
    series = tuple(Series(name=name, values=values) for name in names)
    return Plot(title="t" * 80, chart=Chart.LINE, categories=tuple(categories), series=series)


def test_a_chart_is_held_to_slacks_limits() -> None:
    plot = _plot([f"a category that is long {n}" for n in range(30)], ["the same long name of a page"] * 9)
    shown = block_kit.blocks(Card(headline="x", plot=plot))
    assert blockkit.faults(shown) == []
    chart = shown[1]["chart"]
    assert [point["value"] for point in chart["series"][0]["data"]] == [float(n) for n in range(10, 30)]
    assert len(chart["series"]) == 6


def test_a_refused_chart_becomes_words() -> None:
    shown = block_kit.without_charts(block_kit.blocks(Card(headline="x", plot=_plot(["1 Feb", "2 Feb"], ["<!here>"]))))
    assert blockkit.faults(shown) == []
    assert "&lt;!here&gt;: 1 Feb: 0; 2 Feb: 1" in blockkit.words(shown)
    assert all(block["type"] != "data_visualization" for block in shown)


def test_an_empty_chart_is_none() -> None:
    assert [block["type"] for block in block_kit.blocks(Card(headline="x", plot=_plot([], ["a"])))] == ["header"]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_words_stay_words_everywhere(hostile: str) -> None:
    assert _shown_safely(hostile)


_words = st.text(max_size=400) | st.text("<>&|*_~`@#! \n\u202e", max_size=400)


@given(_words)
def test_no_words_can_break_or_enliven_a_card(hostile: str) -> None:
    assert _shown_safely(hostile)


def _shown_safely(hostile: str) -> bool:
    card = Card(
        headline=hostile,
        lines=(hostile, (Bold(hostile), Link(hostile, "ftp://x"), hostile)) * 3,
        fields=((hostile, hostile),) * 12,
        plot=Plot(
            title=hostile,
            chart=Chart.BAR,
            categories=(hostile, hostile, hostile),
            series=(Series(name=hostile, values=(1, 2, 3)), Series(name=hostile, values=(3, 2, 1))),
            y_label=hostile,
            x_label=hostile,
        ),
        context=(hostile,) * 12,
        buttons=(Button(label=hostile, query=hostile),),
    )
    for shown in (block_kit.blocks(card, share=hostile), block_kit.without_charts(block_kit.blocks(card))):
        assert blockkit.faults(shown) == []
        assert blockkit.live(shown) == []
        _ask_second_opinion(shown)
    text = block_kit.fallback_text(card)
    assert len(text) <= 4000
    assert not blockkit.LIVE.search(text)
    return True


def _ask_second_opinion(shown: list[dict[str, Any]]) -> None:
    """slackblocks refuses what is over Slack's limits, in the blocks that it can read and in charts."""
    for block in shown:
        if block["type"] in {"header", "section"}:
            SecondOpinion.from_dict(block)
        if block["type"] == "data_visualization":
            series = [
                DataSeries(one["name"], [DataPoint(point["label"], point["value"]) for point in one["data"]])
                for one in block["chart"]["series"]
            ]
            axes = AxisConfig(**block["chart"]["axis_config"])
            DataVisualizationBlock(block["title"], BarChart(series, axes))
