"""What a command is: one file, ending in ``COMMAND = Command(…)``, and this is all of its surface. No Bolt here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.platforms.contract import Profile, Reference
    from storage.store import Store


class Slash(StrEnum):
    """The two slash commands: one asks, one manages."""

    LIKES = "/likes"
    TRENDS = "/trends"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Somebody's request. ``text`` is what follows the verb. ``found`` is the looked-up profile, for commands that
    declare ``lookup``. Ids are Slack's own (``T…``, ``C…``, ``U…``)."""

    slash: Slash
    text: str
    team_id: str
    channel_id: str
    user_id: str
    found: Profile | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button: ``action`` is the registered action's name, ``value`` an id or a query, never data to be trusted."""

    label: str
    action: str
    value: str
    danger: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """A small select: pairs of label and value under one action."""

    placeholder: str
    action: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What is shown, before Block Kit: plain words (never mrkdwn from outside; ``cards`` escapes once).

    ``headline`` is also what a screen reader and a notification read.
    """

    headline: str
    lines: tuple[str, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    plot: Plot | None = None
    context: tuple[str, ...] = ()
    buttons: tuple[Button | Menu, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The answer: a card only the asker sees, and for a change one ``notice`` line that the channel sees.

    ``shareable`` adds *Share to channel*.
    """

    card: Card
    notice: str | None = None
    shareable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One verb.

    ``verbs`` are the words that call it, the first the official one; "" is the slash command with anything else.
    ``usage`` and ``summary`` make the help text and the manifest. ``lookup(call)`` names what must be asked of a
    platform before ``run`` (only ``track`` needs it); ``speaks`` says that it will make the bot post in this channel,
    so that membership is checked first. ``run(call, store, now)`` answers from the store, no network; it raises
    ``LikewatchError`` with a sentence for the asker.
    """

    slash: Slash
    verbs: tuple[str, ...]
    usage: str
    summary: str
    run: Callable[[Call, Store, datetime], Reply]
    lookup: Callable[[Call], Reference] | None = None
    speaks: bool = False
