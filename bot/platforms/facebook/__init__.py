"""Facebook pages, through the Graph API."""

from bot.platforms.facebook.platform import PLATFORM

__all__ = ["PLATFORM"]
