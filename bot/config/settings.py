"""Settings: declared once, read from the environment and ``.env`` (the environment wins), every fault named at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values

from bot.config.editors import EditorList, parse_editors
from bot.config.setting import Kind, Setting
from bot.errors import ConfigError

DEFAULT_ENV_FILE = Path(".env")
SHORTEST_POLL = timedelta(seconds=1)
LONGEST_POLL = timedelta(days=7)

_SHORTEST_KEEPING, _LONGEST_KEEPING = timedelta(days=1), timedelta(days=3650)
_SLACK_APPS = "https://api.slack.com/apps"

SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="SLACK_BOT_TOKEN",
        secret=True,
        help="Bot token of your Slack app (xoxb-…): OAuth & Permissions. Without it, the local workspace opens.",
    ),
    Setting(
        name="SLACK_APP_TOKEN",
        secret=True,
        help="App-level token (xapp-…) with connections:write, for Socket Mode: Basic Information. No public address.",
    ),
    Setting(
        name="SLACK_SIGNING_SECRET",
        secret=True,
        help="Signing secret, for Slack over HTTP instead of Socket Mode: Basic Information.",
    ),
    Setting(
        name="LIKEWATCH_EDITORS",
        kind=Kind.EDITORS,
        help="Who may track, untrack and mute: ids of members (U…) and user groups (S…), or the word everybody "
        "(guests and, in Slack Connect channels, people of other organizations too). "
        "Without it nobody may on Slack, and everybody in the local workspace.",
    ),
    Setting(name="SLACK_API_URL", kind=Kind.URL, default="https://slack.com/api/", help="Slack's Web API."),
    Setting(
        name="LIKEWATCH_HTTP",
        kind=Kind.ADDRESS,
        default="127.0.0.1:3000",
        help="Where Slack over HTTP is served (path /slack/events); put your own TLS proxy before it.",
    ),
    Setting(
        name="LIKEWATCH_DATABASE",
        kind=Kind.PATH,
        default="likewatch.db",
        help="The SQLite database. On a local disk: SQLite's write-ahead log does not work on network drives.",
    ),
    Setting(
        name="LIKEWATCH_POLL_EVERY",
        kind=Kind.DURATION,
        default="15m",
        help="How often a newly tracked page is read: 1s, 15m, 6h, 1d.",
    ),
    Setting(
        name="LIKEWATCH_KEEP_REPLIES",
        kind=Kind.DAYS,
        default="30d",
        help="How long platforms' replies are kept as evidence; those behind an alert, and all hashes, for ever.",
    ),
    Setting(
        name="LIKEWATCH_TSA_URL",
        kind=Kind.URL,
        help="A time-stamping authority (RFC 3161) that signs, each hour, when the evidence existed. Without: nobody.",
    ),
    Setting(
        name="LIKEWATCH_TSA_ROOTS",
        kind=Kind.PATH,
        help="The authority's root certificate, a PEM file. Without: the roots that browsers trust.",
    ),
    Setting(
        name="LIKEWATCH_WORKSPACE",
        kind=Kind.ADDRESS,
        default="127.0.0.1:8033",
        help="Where the local workspace opens when there are no Slack tokens.",
    ),
    Setting(
        name="LIKEWATCH_METRICS",
        kind=Kind.ADDRESS,
        default="127.0.0.1:8034",
        help="Where /healthz and Prometheus's /metrics are served, to whoever reaches it: keep the address private.",
    ),
    Setting(
        name="LIKEWATCH_OPERATORS_CHANNEL",
        help="Id of the Slack channel (C0123…) that is told when a platform cannot be read or nothing can be recorded, "
        "and when it can again.",
    ),
    Setting(
        name="LIKEWATCH_LOG",
        kind=Kind.CHOICE,
        default="TEXT",
        choices=("TEXT", "JSON"),
        help="The log's form: lines for people, or one JSON object a line.",
    ),
    Setting(
        name="LIKEWATCH_LOG_LEVEL",
        kind=Kind.CHOICE,
        default="INFO",
        choices=("DEBUG", "INFO", "WARNING", "ERROR"),
        help="How much the log says.",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A host and a TCP port to listen on."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Mode(StrEnum):
    """How the bot talks to a workspace."""

    WORKSPACE = "local workspace"
    SOCKET = "Slack, Socket Mode"
    HTTP = "Slack over HTTP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting, read and checked. ``platforms`` maps each platform setting's name to its text.

    ``secrets`` are the texts of all secret settings: what no log line may hold.
    """

    slack_bot_token: str
    slack_app_token: str
    slack_signing_secret: str
    slack_api_url: str
    editors: EditorList
    http: Address
    database: Path
    poll_every: timedelta
    keep_replies: timedelta
    tsa_url: str
    tsa_roots: Path | None
    workspace: Address
    metrics: Address
    operators_channel: str
    log_in_json: bool
    log_level: str
    platforms: Mapping[str, str]
    secrets: frozenset[str]

    @property
    def mode(self) -> Mode:
        """Socket Mode where there is an app token, else HTTP; the local workspace without a bot token."""
        if not self.slack_bot_token:
            return Mode.WORKSPACE
        return Mode.SOCKET if self.slack_app_token else Mode.HTTP

    def __repr__(self) -> str:
        return f"Settings(mode={self.mode.value!r}, database={str(self.database)!r})"


def parse_duration(text: str) -> timedelta:
    """``"90s"``, ``"15m"``, ``"1h30m"``, ``"1d"`` -> a duration; ValueError with a sentence otherwise."""
    parts = re.findall(r"(\d+)([smhd])", text.strip().lower())
    if not parts or "".join(number + unit for number, unit in parts) != text.strip().lower().replace(" ", ""):
        raise ValueError(f"{text!r} is not a duration: write it like 1s, 15m, 6h or 1d")
    seconds = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    return timedelta(seconds=sum(int(number) * seconds[unit] for number, unit in parts))


def parse_address(text: str) -> Address:
    """``"127.0.0.1:8033"`` -> an address; ValueError with a sentence otherwise."""
    host, colon, port = text.strip().rpartition(":")
    host = host.strip("[]")
    if not colon or not host or not port.isdecimal() or not 0 <= int(port) <= 65535:  # noqa: PLR2004 (TCP's ports)
        raise ValueError(f"{text!r} is not an address: write it as host:port, like 127.0.0.1:8033")
    return Address(host=host, port=int(port))


def load(environ: Mapping[str, str], env_file: Path | None, platform_settings: Sequence[Setting]) -> Settings:
    """Read and check every setting; ConfigError lists all faults, one a line."""
    values = {**values_of(env_file), **environ}
    faults: list[str] = []

    def read(setting: Setting) -> str:
        text = (values.get(setting.name) or "").strip() or setting.default
        fault = _fault(setting, text)
        if fault:
            faults.append(f"{setting.name}: {fault}")
            return setting.default
        return text

    texts = {setting.name: read(setting) for setting in SETTINGS}
    platforms = {setting.name: read(setting) for setting in platform_settings}
    faults += _slack_faults(texts)
    if (channel := texts["LIKEWATCH_OPERATORS_CHANNEL"]) and not re.fullmatch(r"[CG][A-Z0-9]{2,}", channel):
        faults.append(
            f"LIKEWATCH_OPERATORS_CHANNEL: {channel!r} is not a channel's id: it starts with C, and Slack "
            "shows it at the end of the channel's details"
        )
    if faults:
        raise ConfigError("These settings need your attention:\n" + "\n".join(f"  - {fault}" for fault in faults))
    return Settings(
        slack_bot_token=texts["SLACK_BOT_TOKEN"],
        slack_app_token=texts["SLACK_APP_TOKEN"],
        slack_signing_secret=texts["SLACK_SIGNING_SECRET"],
        slack_api_url=texts["SLACK_API_URL"].rstrip("/") + "/",
        editors=_editors(texts),
        http=parse_address(texts["LIKEWATCH_HTTP"]),
        database=Path(texts["LIKEWATCH_DATABASE"]).expanduser(),
        poll_every=parse_duration(texts["LIKEWATCH_POLL_EVERY"]),
        keep_replies=parse_duration(texts["LIKEWATCH_KEEP_REPLIES"]),
        tsa_url=texts["LIKEWATCH_TSA_URL"],
        tsa_roots=Path(texts["LIKEWATCH_TSA_ROOTS"]).expanduser() if texts["LIKEWATCH_TSA_ROOTS"] else None,
        workspace=parse_address(texts["LIKEWATCH_WORKSPACE"]),
        metrics=parse_address(texts["LIKEWATCH_METRICS"]),
        operators_channel=texts["LIKEWATCH_OPERATORS_CHANNEL"],
        log_in_json=texts["LIKEWATCH_LOG"].upper() == "JSON",
        log_level=texts["LIKEWATCH_LOG_LEVEL"].upper(),
        platforms=platforms,
        secrets=frozenset(
            (texts | platforms)[setting.name] for setting in (*SETTINGS, *platform_settings) if setting.secret
        )
        - {""},
    )


def env_example(platform_settings: Iterable[Setting]) -> str:
    """The text of ``.env.example``, generated from the declarations."""
    head = (
        "# Settings of Likewatch. Copy to .env and fill in what you need; everything is optional.\n"
        "# Without Slack tokens, `make run` opens the local workspace in your browser.\n"
        "# Generated by `make docs` from the declared settings: edit those, not this file.\n"
    )
    blocks = [head]
    for setting in (*SETTINGS, *platform_settings):
        choices = f" One of: {', '.join(setting.choices)}." if setting.choices else ""
        blocks.append(f"# {setting.help}{choices}\n#{setting.name}={setting.default}\n")
    return "\n".join(blocks)


def values_of(env_file: Path | None) -> dict[str, str]:
    """What the file sets, by name; nothing where there is none. Raises ``ConfigError`` where it is no text."""
    if env_file is None or not env_file.exists():
        return {}
    try:
        return {name: value or "" for name, value in dotenv_values(env_file, encoding="utf-8-sig").items()}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{env_file} cannot be read as UTF-8 text ({type(error).__name__}). Save it again as plain text."
        ) from error


def _fault(setting: Setting, text: str) -> str | None:
    """What is wrong with a setting's text. Never repeats a secret."""
    if not text:
        return None
    match setting.kind:
        case Kind.URL:
            return _url_fault(text)
        case Kind.DURATION:
            return _duration_fault(text, SHORTEST_POLL, LONGEST_POLL)
        case Kind.DAYS:
            return _duration_fault(text, _SHORTEST_KEEPING, _LONGEST_KEEPING)
        case Kind.ADDRESS:
            return _address_fault(text)
        case Kind.EDITORS:
            return _editors_fault(text)
        case Kind.CHOICE if text.upper() not in setting.choices:
            return f"{text!r} is not one of {', '.join(setting.choices)}"
        case Kind.TEXT:
            return _text_fault(text)
    return None


def _text_fault(text: str) -> str | None:
    if any(character.isspace() or not character.isprintable() for character in text):
        return "it contains a space or an unprintable character; paste it again without quotes or line breaks"
    return None


def _url_fault(text: str) -> str | None:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    return None if usable else f"{text!r} is not a web address: it must start with https:// (or http://) and a host"


def _duration_fault(text: str, shortest: timedelta, longest: timedelta) -> str | None:
    try:
        length = parse_duration(text)
    except (ValueError, OverflowError) as error:
        return str(error)
    if not shortest <= length <= longest:
        return f"{text!r} is outside what is possible: between {_written(shortest)} and {_written(longest)}"
    return None


def _written(length: timedelta) -> str:
    return f"{length.days}d" if length.days else f"{length.seconds}s"


def _address_fault(text: str) -> str | None:
    try:
        parse_address(text)
    except ValueError as error:
        return str(error)
    return None


def _editors_fault(text: str) -> str | None:
    try:
        parse_editors(text)
    except ValueError as error:
        return str(error)
    return None


def _editors(texts: Mapping[str, str]) -> EditorList:
    """On Slack nobody is let in by default; the local workspace is for trying things."""
    said = texts["LIKEWATCH_EDITORS"]
    return parse_editors(said) if said else EditorList(everybody=not texts["SLACK_BOT_TOKEN"])


def _slack_faults(texts: Mapping[str, str]) -> list[str]:
    bot, app, signing = texts["SLACK_BOT_TOKEN"], texts["SLACK_APP_TOKEN"], texts["SLACK_SIGNING_SECRET"]
    faults = []
    if bot and not bot.startswith("xoxb-"):
        faults.append(
            f"SLACK_BOT_TOKEN: a bot token starts with xoxb-; find it under OAuth & Permissions at {_SLACK_APPS}"
        )
    if app and not app.startswith("xapp-"):
        faults.append(
            f"SLACK_APP_TOKEN: an app-level token starts with xapp-; make one under Basic Information at {_SLACK_APPS}"
        )
    if bot and not app and not signing:
        faults.append(
            "SLACK_BOT_TOKEN is set, but neither SLACK_APP_TOKEN (Socket Mode) nor SLACK_SIGNING_SECRET (HTTP): "
            "set one of them"
        )
    if not bot and (app or signing):
        other = "SLACK_APP_TOKEN" if app else "SLACK_SIGNING_SECRET"
        faults.append(
            f"{other} is set, but SLACK_BOT_TOKEN is not: set it, or remove {other} to use the local workspace"
        )
    return faults
