"""Errors say who must act. Every message is a sentence for that person: what was wrong, where, what to do."""

from __future__ import annotations

from datetime import timedelta


class LikewatchError(Exception):
    """Something a person must read. ``str(error)`` is a sentence fit for them; it never holds a secret."""


class Unreachable(LikewatchError):
    """A platform or Slack could not be reached or did not answer in time. Nobody must act: it is tried again."""


class Throttled(LikewatchError):
    """A platform or Slack asked us to wait."""

    def __init__(self, message: str, *, wait: timedelta) -> None:
        super().__init__(message)
        self.wait = wait


class AuthRefused(LikewatchError):
    """A token is wrong, expired or revoked. The operator must act; nothing is retried with it."""


class ConfigError(LikewatchError):
    """A setting, a permission or a file is missing or wrong. The operator must act."""


class UnknownPage(LikewatchError):
    """No such page can be watched: a typo, a personal profile, a group, a post. Who asked must act."""


class PageGone(LikewatchError):
    """A page that was there is not readable now: deleted, unpublished, restricted. An editor decides."""


class PayloadChanged(LikewatchError):
    """A platform answered something we do not understand. We must act."""
