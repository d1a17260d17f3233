"""What a command is: one file, ending in ``COMMAND = Command(…)``, and this is all of its surface. No Bolt here.

Text is safe by construction: a string is plain words, whoever wrote them, and ``cards`` escapes it exactly once. What
shall be bold, a link, a local time or a mention is a span of its own, so that no page name can become one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from bot.platforms.contract import Profile, Reference
    from storage.store import Store


class Slash(StrEnum):
    """The two slash commands: one asks, one manages."""

    LIKES = "/likes"
    TRENDS = "/trends"


class Who(StrEnum):
    """Who may run a command: the operator names the editors (``LIKEWATCH_EDITORS``)."""

    ANYONE = "anyone"
    EDITORS = "editors"
    EDITORS_IN_CHANNELS = "editors; for themselves, in their direct messages with the bot, anyone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Somebody's request: ``text`` is what follows the verb, ids are Slack's own (``T…``, ``C…``, ``U…``).

    ``request`` is Slack's id of it, the same where Slack sends it again; "" where it has none. ``found`` is the
    looked-up profile, for commands that declare ``lookup``; ``poll_every`` how often a newly tracked page is read.
    """

    slash: Slash
    text: str
    team_id: str
    channel_id: str
    user_id: str
    request: str = ""
    found: Profile | None = None
    poll_every: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Bold:
    """Words in bold."""

    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """Words that lead to a web address; plain words where ``url`` is not http or https."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant, shown in each reader's own time zone."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Mention:
    """A member of the workspace, mentioned by Slack's id."""

    user_id: str


Span: TypeAlias = str | Bold | Link | Moment | Mention
Line: TypeAlias = str | tuple[Span, ...]


class Chart(StrEnum):
    """The kinds of native chart that we draw."""

    LINE = "line"
    BAR = "bar"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One named series of a chart: exactly one value for each category."""

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A chart: at most 6 series over at most 20 categories (Slack's limits)."""

    title: str
    chart: Chart
    categories: tuple[str, ...]
    series: tuple[Series, ...]
    y_label: str = ""
    x_label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button that asks ``query`` as if the person had typed it after the bot's name: "trends unsubscribe hunsen".

    Nothing in it is trusted: the query is parsed and checked again when the button is pressed, for who presses it.
    """

    label: str
    query: str
    danger: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What is shown, before Block Kit. ``headline`` is also what a screen reader and a notification read."""

    headline: str
    lines: tuple[Line, ...] = ()
    fields: tuple[tuple[str, Line], ...] = ()
    plot: Plot | None = None
    context: tuple[Line, ...] = ()
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The answer: a card only the asker sees, and for a change one ``notice`` line that the channel sees.

    ``shareable`` adds *Share to channel*, which asks the same again and shows the answer to everybody.
    """

    card: Card
    notice: Line | None = None
    shareable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One verb.

    ``verbs`` are the words that call it, the first the official one; "" is the slash command with anything else.
    ``who`` may run it: what changes something for others than who asks, or than their channel, is for editors.
    ``usage`` and ``summary`` make the help text and the manifest. ``lookup(call)`` names what must be asked of a
    platform before ``run`` (only ``track`` needs it); ``speaks`` says that it will make the bot post in this channel,
    so that membership is checked first, and what waits there may go on; ``slow`` that it may think for longer than
    Slack waits. ``run(call, store, now)`` answers from the store, no network; it raises ``LikewatchError`` with a
    sentence for the asker.
    """

    slash: Slash
    verbs: tuple[str, ...]
    usage: str
    summary: str
    who: Who
    run: Callable[[Call, Store, datetime], Reply]
    lookup: Callable[[Call], Reference] | None = None
    speaks: bool = False
    slow: bool = False
