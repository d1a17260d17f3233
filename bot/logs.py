"""One log for the operator, on standard error."""

from __future__ import annotations

import logging


def start(level: str) -> None:
    """Log from ``level`` up. Libraries that print requests or message texts stay at warnings, whatever the level."""
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", force=True)
    for name in ("urllib3", "slack_sdk", "slack_bolt", "uvicorn", "websockets", "apscheduler"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
