"""The class of an error says who must act. The message tells that person what was wrong, where, and what to do."""

from __future__ import annotations

from datetime import timedelta


class LikewatchError(Exception):
    """An error that a person reads. ``str(error)`` is a sentence for that person, without a secret."""


class Unreachable(LikewatchError):
    """A platform or Slack could not be reached or did not answer in time. Likewatch tries again; no person must act."""


class Throttled(LikewatchError):
    """A platform or Slack asked Likewatch to wait. ``wait`` is the time that it asked for."""

    def __init__(self, message: str, *, wait: timedelta) -> None:
        super().__init__(message)
        self.wait = wait


class AuthRefused(LikewatchError):
    """A token is wrong, expired or revoked. The operator must act; Likewatch does not try again with the token."""


class ConfigError(LikewatchError):
    """A setting, a permission or a file is missing or wrong. The operator must act."""


class UnknownPage(LikewatchError):
    """No such page can be watched: a typo, a personal profile, a group, a post. The person who asked must act."""


class PageGone(LikewatchError):
    """A page that existed cannot be read now: deleted, unpublished, restricted. An editor decides."""


class PayloadChanged(LikewatchError):
    """A platform's answer has an unknown form. The developers must act."""
