"""Declare what a Slack surface is. The manifest and the Bolt app are both made from these declarations.

A surface is one file in ``commands/``, ``actions/``, ``events/``, ``views/`` or ``shortcuts/`` that ends in a
declaration, for example::

    LISTENER = EventListener(names=("app_mention",), scopes=("app_mentions:read",), run=run)

``run(request, body, responder)`` answers through the responder and returns at once: Slack waits for 3 seconds, and
one thread runs all listeners. It returns the acknowledgement's content, or None for an empty one. ``body`` is Slack's
own payload, for what ``request`` does not hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from bot.slack.contract import SlackRequest
from bot.slack.responder import Responder

Json: TypeAlias = dict[str, Any]
Run: TypeAlias = Callable[[SlackRequest, Json, Responder], Json | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Surface:
    run: Run
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SlashCommandListener(_Surface):
    """A slash command: https://docs.slack.dev/interactivity/implementing-slash-commands.

    ``run`` may return the answer itself, as the acknowledgement.
    """

    name: str
    description: str
    usage_hint: str
    scopes: tuple[str, ...] = ("commands",)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventListener(_Surface):
    """Events to subscribe to, by Slack's names: https://docs.slack.dev/reference/events.

    Two names have a second effect. "app_home_opened" turns the Home tab on. "message.im" turns the box on in which
    people write to the bot.
    """

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionListener(_Surface):
    """Buttons and menus whose ``action_id`` matches the pattern."""

    action_id: re.Pattern[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewListener(_Surface):
    """Forms that somebody submits, by the ``callback_id`` of their ``Modal``.

    ``run`` may return what happens to the form: ``{"response_action": "errors", "errors": {field name: sentence}}``.
    """

    callback_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortcutListener(_Surface):
    """An entry in the menu of every message (``on_message``), or in Slack's global list of shortcuts.

    Slack's limits: ``name`` 24 characters, 10 shortcuts.
    """

    callback_id: str
    name: str
    description: str
    on_message: bool
    scopes: tuple[str, ...] = ("commands",)


Listener: TypeAlias = SlashCommandListener | EventListener | ActionListener | ViewListener | ShortcutListener
