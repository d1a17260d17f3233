"""Declare what a command gets, what it answers with, and what it says about itself. No Bolt and no Block Kit here.

A command is one file in ``commands/`` that ends in ``COMMAND = Command(…)``.

Text is safe by construction. A string is plain words, and ``render/block_kit.py`` escapes it exactly once. Bold words,
links, local times and mentions are spans of their own, so a page's name can never become one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from bot.errors import LikewatchError

if TYPE_CHECKING:
    from bot.platforms.contract import Profile, Reference
    from storage.store import Store


class Slash(StrEnum):
    """The two slash commands: one asks, one manages."""

    LIKES = "/likes"
    TRENDS = "/trends"


class Permission(StrEnum):
    """The people who may run a command. The operator names the editors (``LIKEWATCH_EDITORS``)."""

    ANYONE = "anyone"
    EDITORS = "editors"
    EDITORS_IN_CHANNELS = "editors; in their own direct messages with the bot, anyone"


class RequestOrigin(StrEnum):
    """The place in Slack that a request comes from."""

    CHANNEL = "a channel"
    DIRECT_MESSAGE = "a direct message"
    THREAD = "a thread"
    APP_HOME = "App Home"
    MODAL = "a form"
    ELSEWHERE = "outside channels"  # a global shortcut, or an event without a channel


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackRequest:
    """One request from Slack: its sender, its place, and the ways to answer it.

    Ids are Slack's own (``T…``, ``C…``, ``U…``). A field is "" if Slack sends none: App Home and modals have no channel
    and no ``response_url``, mentions have no ``trigger_id``. ``request_id`` is the same when Slack repeats a request.
    ``bot_user_id`` is the bot itself, as a member of that workspace.
    """

    team_id: str
    user_id: str
    channel_id: str = ""
    origin: RequestOrigin = RequestOrigin.CHANNEL
    thread_ts: str = ""
    response_url: str = field(default="", repr=False)  # a secret: whoever has it can post
    trigger_id: str = ""
    request_id: str = ""
    bot_user_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(SlackRequest):
    """A request that runs a command. ``text`` is what follows the verb.

    ``profile`` is the account that a platform found, for commands that declare ``lookup``. ``poll_every`` is the time
    between two reads of a newly tracked page.
    """

    slash: Slash
    text: str
    profile: Profile | None = None
    poll_every: timedelta = timedelta(minutes=15)

    def require_channel(self) -> None:
        """Raise LikewatchError if the call comes from no channel and no direct message."""
        if not self.channel_id:
            raise LikewatchError(
                f"This command is about one channel, and Slack names none when you ask from {self.origin}. "
                "Type the command in that channel."
            )


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

    The query is not trusted. It is parsed when somebody presses the button, and that person's permission is checked.
    """

    label: str
    query: str
    danger: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The content of an answer or an alert, before Block Kit. Screen readers and notifications read ``headline``."""

    headline: str
    lines: tuple[Line, ...] = ()
    fields: tuple[tuple[str, Line], ...] = ()
    plot: Plot | None = None
    context: tuple[Line, ...] = ()
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyFile:
    """A file beside the card. It goes to the person's direct messages, or to the channel if the reply is shared.

    A command that answers with a file declares the scope ``files:write``.
    """

    name: str
    content: bytes
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One field of a form: a line of text, or a choice of ``options`` (pairs of value and label)."""

    name: str
    label: str
    value: str = ""
    options: tuple[tuple[str, str], ...] = ()
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Modal:
    """The card in a window over Slack, with a form below it if there are ``form_fields``.

    ``submit`` labels the button that sends the form to the listener in ``listeners/views/`` with this ``callback_id``.
    ``metadata`` comes back with the form. A request without a ``trigger_id`` gets the card as a message instead.
    """

    title: str
    callback_id: str = ""
    submit: str = ""
    form_fields: tuple[FormField, ...] = ()
    metadata: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeView:
    """The card, and ``more`` cards below it, as the person's App Home tab."""

    more: tuple[Card, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The answer to a call: a card that only the person sees, unless ``shown_as`` says otherwise.

    ``notice`` is one line for the channel about a change. ``shareable`` adds the button *Share to channel*, which asks
    the same again and shows the answer to everybody.
    """

    card: Card
    shown_as: ReplyFile | Modal | HomeView | None = None
    notice: Line | None = None
    shareable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One verb of a slash command.

    ``run`` answers from the store, without the network. It raises ``LikewatchError`` with a sentence for the person.
    The permission is for editors only if the command changes something for other people or for other channels.
    """

    slash: Slash
    verbs: tuple[str, ...]  # the official one first. "" takes every text that begins with no verb
    usage: str  # how to type the command, for the help text and the manifest
    summary: str  # one line for the help text
    permission: Permission
    run: Callable[[Call, Store, datetime], Reply]
    lookup: Callable[[Call], Reference] | None = None  # the account that dispatch asks a platform for, before run
    posts_here: bool = False  # the bot will post in this channel, so its membership is checked before run
    runs_long: bool = False  # run may take longer than Slack waits
    scopes: tuple[str, ...] = ()  # Slack permissions that only this command needs. The manifest lists them

    @property
    def name(self) -> str:
        """The command as a person types it: "/trends mute", or "/likes" for the command without a verb."""
        return f"{self.slash} {self.verbs[0]}".rstrip()
