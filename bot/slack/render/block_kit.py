"""Cards become Block Kit here, and nowhere else: escaped once, inside every limit of Slack's, cut with a word about it.

Limits: https://docs.slack.dev/reference/block-kit/blocks and the formatting rules
https://docs.slack.dev/messaging/formatting-message-text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from bot.slack.contract import Bold, Button, Card, Line, Link, Mention, Moment, Plot, Reply, Span
from bot.text import phrases

Block: TypeAlias = dict[str, Any]

MAX_BLOCKS = 50
MAX_MESSAGE = 10_000  # in all texts: Slack takes some 12,000, blocks counted in (slackapi/bolt-js#2509, #2867)
MAX_TEXT = 3000
MAX_HEADER = 150
MAX_FIELDS, MAX_FIELD = 10, 2000
MAX_CONTEXT = 10
MAX_BUTTONS, MAX_LABEL, MAX_QUERY = 25, 75, 2000
MAX_TITLE, MAX_SERIES, MAX_CATEGORIES, MAX_NAME = 50, 6, 20, 20
MAX_FALLBACK = 4000
ALSO_BLOCKS = 4  # kept free for the note about a cut, the chart, the context and the buttons

_MORE = "… and {} more: Slack shows no more in one message."
_CUT = "… cut here: Slack shows no more in one message."
_CHART = "data_visualization"
# Characters that may open or close a format become their look-alikes; an underscore inside a word (a slug) never does.
_FORMATS = str.maketrans({"*": "\u2217", "~": "\u223c", "`": "\u02cb"})
_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_JOINERS = "\u200b\u200c\u200d"  # Khmer, Persian and emoji need them
_USER_ID = re.compile(r"[A-Z0-9]{2,32}")


class Press(StrEnum):
    """The kinds of button: ask the query for the person, or show the answer to the channel.

    Every button's action_id is "<press>.<number>", unique in its message. ``listeners/actions/`` has a file for each.
    """

    ASK = "ask"
    SHARE = "share"


@lru_cache(maxsize=2048)  # the same names and labels, in every answer
def clean(text: str) -> str:
    """One line of plain words: control characters and line breaks become spaces, text-direction overrides vanish."""
    if not text.isprintable():
        text = "".join(_kept(character) for character in text)
    return " ".join(text.split())


def _kept(character: str) -> str:
    category = unicodedata.category(character)
    if category in {"Cc", "Zl", "Zp", "Zs"}:
        return " "
    return "" if category in {"Cf", "Cs"} and character not in _JOINERS else character


@lru_cache(maxsize=2048)
def escape(text: str) -> str:
    """Plain words as mrkdwn that shows exactly them: no mention, link or format can come of it."""
    text = clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _UNDERSCORE.sub("\uff3f", text.translate(_FORMATS))


def mrkdwn(line: Line) -> str:
    """A line in Slack's own markup."""
    return "".join(_markup(span) for span in _spans(line))


def plain(line: Line) -> str:
    """A line in plain words, without any markup: for charts, logs and notifications."""
    return clean("".join(_words(span) for span in _spans(line)))


def _spans(line: Line) -> tuple[Span, ...]:
    return (line,) if isinstance(line, str) else line


def _markup(span: Span) -> str:
    match span:
        case str():
            return _edges(span, escape(span))
        case Bold(text):
            return f"*{escape(text)}*" if clean(text) else ""
        case Link(text, url):
            target = _target(url)
            return f"<{target}|{escape(text)}>" if target and clean(text) else escape(text)
        case Moment(at):
            return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{phrases.instant(at)}>"
        case Mention(user_id):
            return f"<@{user_id}>" if _USER_ID.fullmatch(user_id) else escape(user_id)


def _edges(text: str, cleaned: str) -> str:
    """Spaces next to a neighbouring span survive the cleaning."""
    if not cleaned:
        return " " if text else ""
    return " " * text[0].isspace() + cleaned + " " * text[-1].isspace()


def _words(span: Span) -> str:
    match span:
        case str():
            return span
        case Bold(text) | Link(text, _):
            return text
        case Moment(at):
            return phrases.instant(at)
        case Mention(user_id):
            return f"@{user_id}"


def _target(url: str) -> str:
    """The address as it may stand inside ``<…|…>``; empty for anything that is not plainly a web address."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not parts.netloc or len(url) > MAX_FIELD // 2:
        return ""
    forbidden = {"<": "%3C", ">": "%3E", "|": "%7C", " ": "%20", "&": "&amp;"}
    return "".join(forbidden.get(character, character) for character in clean(url))


def blocks(card: Card, *, share: str = "") -> list[Block]:
    """The card as Block Kit blocks, at most 50, each inside its limits, and all of them inside a message's.

    ``share`` is the query that *Share to channel* asks again; empty: no such button.
    """
    header = _header(card.headline)
    chart = _chart(card.plot) if card.plot is not None else None
    elements = list(_elements(card.buttons, share))
    room = MAX_MESSAGE - _characters([header, elements, _table(chart) if chart else None])
    context = _within([mrkdwn(line) for line in card.context], room // 4)
    fields = _within([_field(label, value) for label, value in card.fields], room // 2)
    lines = [_cut_lines([mrkdwn(line)], MAX_TEXT) for line in card.lines]
    shown = _within([line for line in lines if line.strip()], room - sum(map(len, (*context, *fields))))
    body = [header, *_sections(shown), *_field_sections(fields)]
    if len(body) > MAX_BLOCKS - ALSO_BLOCKS:
        body = [*body[: MAX_BLOCKS - ALSO_BLOCKS], _context([_CUT])]
    if chart:
        body.append(chart)
    if context:
        body.append(_context(context))
    if elements:
        body.append({"type": "actions", "elements": elements})
    return body


def reply_blocks(reply: Reply, query: str) -> list[Block]:
    """An answer's blocks; ``query`` is what was asked, for *Share to channel*."""
    return blocks(reply.card, share=query if reply.shareable else "")


def notice_blocks(notice: Line) -> list[Block]:
    """The one line that tells a channel who changed what."""
    return [_context([mrkdwn(notice)])]


def fallback_text(card: Card) -> str:
    """What notifications and screen readers read instead of the blocks: the headline and the lines."""
    parts = [escape(card.headline), *(mrkdwn(line) for line in card.lines)]
    parts += [f"{escape(label)}: {mrkdwn(value)}" for label, value in card.fields]
    return _cut_lines(parts, MAX_FALLBACK)


def without_charts(shown: Sequence[Block]) -> list[Block]:
    """The same blocks with every chart as a table in words: for the resend when Slack refuses a chart."""
    return [_table(block) if block["type"] == _CHART else block for block in shown]


def _text(text: str) -> Block:
    # verbatim: Slack must not make links or mentions of what merely looks like one.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _label(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": shortened(text, limit) or "…", "emoji": False}


def _section(text: str) -> Block:
    return {"type": "section", "text": _text(text)}


def _context(lines: Sequence[str]) -> Block:
    """One context block; what exceeds its ten elements shares the last."""
    kept = [line for line in lines if line.strip()] or ["…"]
    if len(kept) > MAX_CONTEXT:
        kept[MAX_CONTEXT - 1 :] = ["\n".join(kept[MAX_CONTEXT - 1 :])]
    return {"type": "context", "elements": [_text(_cut_lines([line], MAX_FIELD)) for line in kept]}


def _header(headline: str) -> Block:
    words_of_it = clean(headline) or "…"
    if len(words_of_it) <= MAX_HEADER:
        return {"type": "header", "text": _label(words_of_it, MAX_HEADER)}
    return _section(f"*{escape(shortened(words_of_it, MAX_TEXT // 5 - 1))}*")


def _within(texts: Sequence[str], room: int) -> list[str]:
    """The first of the texts that have room together, and how many more there are."""
    if sum(len(text) + 1 for text in texts) <= room:
        return list(texts)
    room -= len(_MORE.format(len(texts)))
    kept: list[str] = []
    for text in texts:
        if kept and len(text) >= room:
            break
        kept.append(_cut_lines([text], room))
        room -= len(kept[-1]) + 1
    more = len(texts) - len(kept)
    return [*kept, _MORE.format(more)] if more else kept


def _characters(value: object) -> int:
    """How many there are in all texts of a block, or of several."""
    if isinstance(value, dict):
        own = value.get("text")
        return len(own) if isinstance(own, str) else sum(map(_characters, value.values()))
    return sum(map(_characters, value)) if isinstance(value, list) else 0


def _sections(texts: Iterable[str]) -> Iterator[Block]:
    """Texts, gathered into as few sections as hold them."""
    gathered = ""
    for text in texts:
        if gathered and len(gathered) + 1 + len(text) > MAX_TEXT:
            yield _section(gathered)
            gathered = ""
        gathered = f"{gathered}\n{text}" if gathered else text
    if gathered:
        yield _section(gathered)


def _field(label: str, value: Line) -> str:
    return _cut_lines([f"*{escape(label)}*", mrkdwn(value)], MAX_FIELD)


def _field_sections(fields: Sequence[str]) -> Iterator[Block]:
    texts = [_text(field) for field in fields]
    for start in range(0, len(texts), MAX_FIELDS):
        yield {"type": "section", "fields": texts[start : start + MAX_FIELDS]}


def _elements(buttons: Iterable[Button], share: str) -> Iterator[Block]:
    made: list[Block] = []
    for button in buttons:
        if len(made) == MAX_BUTTONS - 1:
            break
        element = _button(button)
        if element:
            made.append({**element, "action_id": f"{Press.ASK}.{len(made)}"})
    if share and len(share) <= MAX_QUERY:
        shown = {"type": "button", "text": _label("Share to channel", MAX_LABEL), "value": share}
        made.append({**shown, "action_id": f"{Press.SHARE}.{len(made)}"})
    yield from made


def _button(button: Button) -> Block | None:
    if not button.query or len(button.query) > MAX_QUERY:
        return None
    shown: Block = {"type": "button", "text": _label(button.label, MAX_LABEL), "value": button.query}
    return {**shown, "style": "danger"} if button.danger else shown


def _chart(plot: Plot) -> Block | None:
    """The native chart (https://docs.slack.dev/reference/block-kit/blocks/data-visualization-block)."""
    categories = _distinct(plot.categories[-MAX_CATEGORIES:])
    series = plot.series[:MAX_SERIES]
    if not categories or not series:
        return None
    shown = [
        {
            "name": name,
            "data": [
                {"label": label, "value": value}
                for label, value in zip(categories, one.values[-len(categories) :], strict=True)
            ],
        }
        for name, one in zip(_distinct([one.name for one in series]), series, strict=True)
    ]
    axes: Block = {"categories": categories}
    for name, text in (("x_label", plot.x_label), ("y_label", plot.y_label)):
        if label := shortened(text, MAX_NAME):
            axes[name] = label
    chart = {"type": plot.chart.value, "series": shown, "axis_config": axes}
    return {"type": _CHART, "title": shortened(plot.title, MAX_TITLE) or "…", "chart": chart}


def _table(chart: Block) -> Block:
    lines = [f"*{escape(chart['title'])}*"]
    for series in chart["chart"]["series"]:
        points = "; ".join(f"{escape(point['label'])}: {phrases.count(point['value'])}" for point in series["data"])
        lines.append(f"{escape(series['name'])}: {points}")
    return _section(_cut_lines(lines, MAX_TEXT))


def _distinct(names: Sequence[str]) -> list[str]:
    """The names cut to a chart's 20 characters, and told apart by a number where that made two the same."""
    made: list[str] = []
    for name in names:
        short, number = shortened(name, MAX_NAME) or "…", 1
        while short in made:
            number += 1
            short = f"{shortened(name, MAX_NAME - len(str(number)) - 1)} {number}"
        made.append(short)
    return made


def shortened(text: str, limit: int) -> str:
    """Plain words, cleaned and cut to ``limit`` characters with an ellipsis."""
    text = clean(text)
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _cut_lines(parts: Sequence[str], limit: int) -> str:
    """The parts as lines of mrkdwn within ``limit``; cut where no markup is torn, saying so."""
    text = "\n".join(parts)
    if len(text) <= limit:
        return text
    text = text[: limit - len(_CUT) - 2]
    for opens, closes in (("<", ">"), ("&", ";")):
        if text.rfind(opens) > text.rfind(closes):
            text = text[: text.rfind(opens)]
    if text.count("*") % 2:
        text += "*"
    return f"{text} {_CUT}"
