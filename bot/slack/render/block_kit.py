"""Render cards as Block Kit: messages, modals and the App Home tab.

No other module makes blocks. Texts are escaped once, and cut to Slack's limits with a remark:
https://docs.slack.dev/reference/block-kit/blocks, https://docs.slack.dev/messaging/formatting-message-text,
https://docs.slack.dev/reference/views.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from bot.slack.contract import (
    Bold,
    Button,
    Card,
    FormField,
    HomeView,
    Line,
    Link,
    Mention,
    Modal,
    Moment,
    Plot,
    Reply,
    Span,
)
from bot.text import phrases

Block: TypeAlias = dict[str, Any]

MAX_BLOCKS, MAX_VIEW_BLOCKS = 50, 100
MAX_MESSAGE = 10_000  # in all texts: Slack takes some 12,000, blocks counted in (slackapi/bolt-js#2509, #2867)
MAX_TEXT = 3000
MAX_HEADER = 150
MAX_FIELDS, MAX_FIELD = 10, 2000
MAX_CONTEXT = 10
MAX_BUTTONS, MAX_LABEL, MAX_QUERY = 25, 75, 2000
MAX_CHART_TITLE, MAX_SERIES, MAX_CATEGORIES, MAX_NAME = 50, 6, 20, 20
MAX_FALLBACK = 4000
MAX_VIEW_TITLE = 24  # of the window, and of its buttons
MAX_INPUT_LABEL, MAX_OPTIONS, MAX_OPTION, MAX_METADATA = 2000, 100, 75, 3000
_OTHER_BLOCKS = 4  # the remark about a cut, the chart, the context and the buttons

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

    Every button's action_id is "<press>.<number>", unique in its message. ``listeners/actions/ask.py`` takes both.
    """

    ASK = "ask"
    SHARE = "share"


@lru_cache(maxsize=2048)  # the same names and labels, in every answer
def clean(text: str) -> str:
    """Return one line of plain words, with spaces for control characters and without text-direction overrides."""
    if not text.isprintable():
        text = "".join(_printable(character) for character in text)
    return " ".join(text.split())


def _printable(character: str) -> str:
    category = unicodedata.category(character)
    if category in {"Cc", "Zl", "Zp", "Zs"}:
        return " "
    return "" if category in {"Cf", "Cs"} and character not in _JOINERS else character


@lru_cache(maxsize=2048)
def escape(text: str) -> str:
    """Return plain words as mrkdwn that shows exactly these words, never a mention, a link or a format."""
    text = clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _UNDERSCORE.sub("\uff3f", text.translate(_FORMATS))


def mrkdwn(line: Line) -> str:
    """Return a line in Slack's own markup."""
    return "".join(_markup(span) for span in _spans(line))


def plain(line: Line) -> str:
    """Return a line in plain words, without any markup."""
    return clean("".join(_words(span) for span in _spans(line)))


def _spans(line: Line) -> tuple[Span, ...]:
    return (line,) if isinstance(line, str) else line


def _markup(span: Span) -> str:
    match span:
        case str():
            return _with_outer_spaces(span, escape(span))
        case Bold(text):
            return f"*{escape(text)}*" if clean(text) else ""
        case Link(text, url):
            target = _target(url)
            return f"<{target}|{escape(text)}>" if target and clean(text) else escape(text)
        case Moment(at):
            return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{phrases.instant(at)}>"
        case Mention(user_id):
            return f"<@{user_id}>" if _USER_ID.fullmatch(user_id) else escape(user_id)


def _with_outer_spaces(text: str, escaped: str) -> str:
    """Return the escaped text with the spaces that separate the span from its neighbours."""
    if not escaped:
        return " " if text else ""
    return " " * text[0].isspace() + escaped + " " * text[-1].isspace()


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
    """Return a web address as it may stand inside ``<…|…>``; "" for any other text."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not parts.netloc or len(url) > MAX_FIELD // 2:
        return ""
    forbidden = {"<": "%3C", ">": "%3E", "|": "%7C", " ": "%20", "&": "&amp;"}
    return "".join(forbidden.get(character, character) for character in clean(url))


def blocks(card: Card, *, share: str = "") -> list[Block]:
    """Return the card as Block Kit blocks: at most 50, each inside its limits, and all inside those of a message.

    ``share`` is the query behind the button *Share to channel*; without a query there is no such button.
    """
    header = _header(card.headline)
    chart = _chart(card.plot) if card.plot is not None else None
    buttons = _buttons(card.buttons, share)
    room = MAX_MESSAGE - _characters([header, buttons, _table(chart) if chart else None])
    context = _within([mrkdwn(line) for line in card.context], room // 4)
    labelled = [f"*{escape(label)}*\n{mrkdwn(value)}" for label, value in card.fields]
    fields = _within([_cut(text, MAX_FIELD) for text in labelled], room // 2)
    lines = [_cut(mrkdwn(line), MAX_TEXT) for line in card.lines]
    shown = _within([line for line in lines if line.strip()], room - sum(map(len, (*context, *fields))))
    starts = range(0, len(fields), MAX_FIELDS)
    tables = [{"type": "section", "fields": list(map(_text, fields[start : start + MAX_FIELDS]))} for start in starts]
    body = [header, *_sections(shown), *tables]
    if len(body) > MAX_BLOCKS - _OTHER_BLOCKS:
        body = [*body[: MAX_BLOCKS - _OTHER_BLOCKS], _context([_CUT])]
    if chart:
        body.append(chart)
    if context:
        body.append(_context(context))
    if buttons:
        body.append({"type": "actions", "elements": buttons})
    return body


def reply_blocks(reply: Reply, query: str) -> list[Block]:
    """Return the blocks of an answer to ``query``. *Share to channel* asks the query again."""
    return blocks(reply.card, share=query if reply.shareable else "")


def notice_blocks(notice: Line) -> list[Block]:
    """Return the blocks of a notice: one line that says who changed what."""
    return [_context([mrkdwn(notice)])]


def fallback_text(card: Card) -> str:
    """Return the text that notifications and screen readers use instead of the blocks."""
    parts = [escape(card.headline), *(mrkdwn(line) for line in card.lines)]
    parts += [f"{escape(label)}: {mrkdwn(value)}" for label, value in card.fields]
    return _cut("\n".join(parts), MAX_FALLBACK)


def without_charts(shown: Sequence[Block]) -> list[Block]:
    """Return the same blocks with a table in words for each chart. Slack refuses charts in some places."""
    return [_table(block) if block["type"] == _CHART else block for block in shown]


def modal_view(card: Card, modal: Modal) -> Block:
    """Return the modal as Slack's ``views.open`` takes it. Charts become words: Slack shows none in modals.

    Raises ValueError if ``metadata`` is longer than Slack's limit of 3,000 characters.
    """
    if len(modal.metadata) > MAX_METADATA:
        raise ValueError(f"the metadata of a modal has {len(modal.metadata)} characters")
    shown = [*without_charts(blocks(card)), *map(_input, modal.form_fields)]
    view = {"type": "modal", "title": _label(modal.title, MAX_VIEW_TITLE), "blocks": shown[:MAX_VIEW_BLOCKS]}
    if modal.form_fields:
        view["submit"] = _label(modal.submit or "Send", MAX_VIEW_TITLE)
    if modal.callback_id:
        view["callback_id"] = modal.callback_id
    return {**view, "private_metadata": modal.metadata}


def home_view(card: Card, home: HomeView) -> Block:
    """Return the App Home tab as Slack's ``views.publish`` takes it."""
    shown = [block for one in (card, *home.more) for block in without_charts(blocks(one))]
    return {"type": "home", "blocks": shown[:MAX_VIEW_BLOCKS]}


def _input(field: FormField) -> Block:
    element: Block = {"type": "plain_text_input", "action_id": "value"}
    if field.options:
        options = [{"text": _label(label, MAX_OPTION), "value": value} for value, label in field.options[:MAX_OPTIONS]]
        element = {"type": "static_select", "action_id": "value", "options": options}
        chosen = [option for option in options if option["value"] == field.value]
        if chosen:
            element["initial_option"] = chosen[0]
    elif field.value:
        element["initial_value"] = field.value
    label = _label(field.label, MAX_INPUT_LABEL)
    return {"type": "input", "block_id": field.name, "label": label, "element": element, "optional": field.optional}


def _text(text: str) -> Block:
    # verbatim: Slack must not make links or mentions of what merely looks like one.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _label(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": shortened(text, limit) or "…", "emoji": False}


def _section(text: str) -> Block:
    return {"type": "section", "text": _text(text)}


def _context(lines: Sequence[str]) -> Block:
    """Return one context block. Lines beyond its ten elements share the last element."""
    texts = [line for line in lines if line.strip()] or ["…"]
    if len(texts) > MAX_CONTEXT:
        texts[MAX_CONTEXT - 1 :] = ["\n".join(texts[MAX_CONTEXT - 1 :])]
    return {"type": "context", "elements": [_text(_cut(text, MAX_FIELD)) for text in texts]}


def _header(headline: str) -> Block:
    words = clean(headline) or "…"
    if len(words) <= MAX_HEADER:
        return {"type": "header", "text": _label(words, MAX_HEADER)}
    return _section(f"*{escape(shortened(words, MAX_TEXT // 5 - 1))}*")


def _within(texts: Sequence[str], room: int) -> list[str]:
    """Return the first texts that fit into ``room`` characters, and a line that says how many more there are."""
    if sum(len(text) + 1 for text in texts) <= room:
        return list(texts)
    room -= len(_MORE.format(len(texts)))
    shown: list[str] = []
    for text in texts:
        if shown and len(text) >= room:
            break
        shown.append(_cut(text, room))
        room -= len(shown[-1]) + 1
    more = len(texts) - len(shown)
    return [*shown, _MORE.format(more)] if more else shown


def _characters(value: object) -> int:
    """Return the number of characters in all texts of one block or of several blocks."""
    if isinstance(value, dict):
        own = value.get("text")
        return len(own) if isinstance(own, str) else sum(map(_characters, value.values()))
    return sum(map(_characters, value)) if isinstance(value, list) else 0


def _sections(texts: Iterable[str]) -> Iterator[Block]:
    """Yield the texts in as few sections as possible."""
    section = ""
    for text in texts:
        if section and len(section) + 1 + len(text) > MAX_TEXT:
            yield _section(section)
            section = ""
        section = f"{section}\n{text}" if section else text
    if section:
        yield _section(section)


def _buttons(buttons: Iterable[Button], share: str) -> list[Block]:
    """Return the buttons whose query fits, and *Share to channel* as the last of at most 25."""
    shown = [(Press.ASK, one) for one in buttons if 0 < len(one.query) <= MAX_QUERY][: MAX_BUTTONS - 1]
    if 0 < len(share) <= MAX_QUERY:
        shown.append((Press.SHARE, Button(label="Share to channel", query=share)))
    return [
        {
            "type": "button",
            "text": _label(button.label, MAX_LABEL),
            "value": button.query,
            "action_id": f"{press}.{number}",
            **({"style": "danger"} if button.danger else {}),
        }
        for number, (press, button) in enumerate(shown)
    ]


def _chart(plot: Plot) -> Block | None:
    """Return Slack's native chart (https://docs.slack.dev/reference/block-kit/blocks/data-visualization-block)."""
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
    return {"type": _CHART, "title": shortened(plot.title, MAX_CHART_TITLE) or "…", "chart": chart}


def _table(chart: Block) -> Block:
    lines = [f"*{escape(chart['title'])}*"]
    for series in chart["chart"]["series"]:
        points = "; ".join(f"{escape(point['label'])}: {phrases.count(point['value'])}" for point in series["data"])
        lines.append(f"{escape(series['name'])}: {points}")
    return _section(_cut("\n".join(lines), MAX_TEXT))


def _distinct(names: Sequence[str]) -> list[str]:
    """Return the names cut to a chart's 20 characters, with a number where two are the same."""
    distinct: list[str] = []
    for name in names:
        short, number = shortened(name, MAX_NAME) or "…", 1
        while short in distinct:
            number += 1
            short = f"{shortened(name, MAX_NAME - len(str(number)) - 1)} {number}"
        distinct.append(short)
    return distinct


def shortened(text: str, limit: int) -> str:
    """Return plain words, cleaned and cut to ``limit`` characters with an ellipsis."""
    text = clean(text)
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _cut(text: str, limit: int) -> str:
    """Cut mrkdwn to ``limit`` characters with a remark, and leave no markup open."""
    if len(text) <= limit:
        return text
    text = text[: limit - len(_CUT) - 2]
    for opens, closes in (("<", ">"), ("&", ";")):
        if text.rfind(opens) > text.rfind(closes):
            text = text[: text.rfind(opens)]
    if text.count("*") % 2:
        text += "*"
    return f"{text} {_CUT}"
