"""The log for the operator, on standard error: lines for people, or one JSON object a line. It holds no secret."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import quote, quote_plus

_REDACTED = "[redacted]"

_SHORTEST = 8
"""Shorter texts are not redacted: no platform has such secrets, and common words would disappear."""

# Tokens by their shape: those of Slack, the path of a Slack response URL, a token in a query.
_SHAPES = re.compile(r"xox[a-z]-[\w-]+|xapp-[\w-]+|(?<=hooks\.slack\.com/)[\w/]+|(?<=access_token=)[^&\s\"']+")


def start(level: str, *, in_json: bool = False, secrets: Iterable[str] = ()) -> None:
    """Log from ``level`` up. Libraries that print requests or message texts log warnings and errors alone.

    ``secrets`` are replaced everywhere in lines and exceptions, also as addresses and JSON write them.
    """
    handler = logging.StreamHandler()
    formatter = JsonFormatter() if in_json else logging.Formatter(_LINE)
    handler.setFormatter(RedactingFormatter(formatter, secrets))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("urllib3", "slack_sdk", "slack_bolt", "uvicorn", "websockets", "apscheduler"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))


_LINE = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


class JsonFormatter(logging.Formatter):
    """One object a line: ``at`` (ISO 8601, UTC), ``level``, ``logger``, ``thread``, ``message``, ``exception``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "thread": record.threadName,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class RedactingFormatter(logging.Formatter):
    """Format a record with another formatter, and remove secrets."""

    def __init__(self, formatter: logging.Formatter, secrets: Iterable[str]) -> None:
        super().__init__()
        self._formatter = formatter
        forms = {form for text in secrets for form in _forms(text) if len(text) >= _SHORTEST}
        longest_first = sorted(forms, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's line, with ``[redacted]`` in the place of each secret."""
        return _SHAPES.sub(_REDACTED, self._secrets.sub(_REDACTED, self._formatter.format(record)))


def _forms(text: str) -> tuple[str, ...]:
    """Return a secret as it is, as addresses and forms write it, and as JSON does."""
    return text, quote(text, safe=""), quote_plus(text), json.dumps(text, ensure_ascii=False)[1:-1]
