"""What the rules would have told of the past: of a history on disk, or of what the store remembers."""

from __future__ import annotations

from bot.backtest.stored import may_be_gone_through, past_alerts, rivals

__all__ = ["may_be_gone_through", "past_alerts", "rivals"]
