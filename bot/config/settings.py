"""Likewatch's settings, read from the environment and ``.env`` (the environment wins). Every fault is named at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, PrivateAttr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import DotEnvSettingsSource

from bot.config.editors import EVERYBODY, EditorList, parse_editors
from bot.config.field_types import (
    FilePath,
    ListeningAddress,
    OptionalFilePath,
    Setting,
    SettingGroup,
    WebAddress,
    Word,
    duration_between,
    matching,
    setting,
)
from bot.errors import ConfigError

DEFAULT_ENV_FILE = Path(".env")

_SLACK_APPS = "https://api.slack.com/apps"
_Group = TypeVar("_Group", bound=SettingGroup)
_BotToken = matching("xoxb-.*", f"a bot token starts with xoxb-; find it under OAuth & Permissions at {_SLACK_APPS}")
_AppToken = matching(
    "xapp-.*", f"an app-level token starts with xapp-; make one under Basic Information at {_SLACK_APPS}"
)
_ChannelId = matching(
    "[CG][A-Z0-9]{2,}", "a channel's id starts with C, and Slack shows it at the end of the channel's details"
)
_EndsInSlash = AfterValidator(lambda url: url.rstrip("/") + "/")
_UpperCase = BeforeValidator(str.upper)


class Mode(StrEnum):
    """How the bot talks to a workspace."""

    WORKSPACE = "local workspace"
    SOCKET = "Slack, Socket Mode"
    HTTP = "Slack over HTTP"


class Settings(SettingGroup):
    """Likewatch's own settings. ``load`` adds those of the platforms."""

    slack_bot_token: Annotated[Word, _BotToken] = setting(
        "SLACK_BOT_TOKEN",
        "Bot token of your Slack app (xoxb-…): OAuth & Permissions. Without it, the local workspace opens.",
        secret=True,
    )
    slack_app_token: Annotated[Word, _AppToken] = setting(
        "SLACK_APP_TOKEN",
        "App-level token (xapp-…) with connections:write, for Socket Mode: Basic Information. "
        "Socket Mode needs no public address.",
        secret=True,
    )
    slack_signing_secret: Word = setting(
        "SLACK_SIGNING_SECRET",
        "Signing secret, for Slack over HTTP instead of Socket Mode: Basic Information.",
        secret=True,
    )
    editors: EditorList = setting(
        "LIKEWATCH_EDITORS",
        "People who may track, untrack and mute: ids of members (U…) and user groups (S…), or the word everybody. "
        "The word everybody includes guests and, in Slack Connect channels, people of other organizations. "
        "If it is not set, nobody may on Slack, and everybody may in the local workspace.",
    )
    slack_api_url: Annotated[WebAddress, _EndsInSlash] = setting(
        "SLACK_API_URL", "Slack's Web API.", default="https://slack.com/api/"
    )
    http: ListeningAddress = setting(
        "LIKEWATCH_HTTP",
        "Address at which Slack over HTTP is served (path /slack/events). Put your own TLS proxy before it.",
        default="127.0.0.1:3000",
    )
    database: FilePath = setting(
        "LIKEWATCH_DATABASE",
        "The SQLite database. Put it on a local disk: SQLite's write-ahead log does not work on network drives.",
        default="likewatch.db",
    )
    poll_every: Annotated[timedelta, duration_between("1s", "7d")] = setting(
        "LIKEWATCH_POLL_EVERY", "Interval at which a newly tracked page is read: 1s, 15m, 6h, 1d.", default="15m"
    )
    keep_replies: Annotated[timedelta, duration_between("1d", "3650d")] = setting(
        "LIKEWATCH_KEEP_REPLIES",
        "Time for which platforms' replies are stored as evidence. "
        "Replies behind an alert, and all hashes, are stored for ever.",
        default="30d",
    )
    tsa_url: WebAddress = setting(
        "LIKEWATCH_TSA_URL",
        "Address of a time-stamping authority (RFC 3161), which signs each hour when the evidence existed. "
        "If it is not set, nobody does.",
    )
    tsa_roots: OptionalFilePath = setting(
        "LIKEWATCH_TSA_ROOTS",
        "The authority's root certificate, a PEM file. If it is not set, the roots that browsers trust are used.",
    )
    workspace: ListeningAddress = setting(
        "LIKEWATCH_WORKSPACE",
        "Address at which the local workspace opens when there are no Slack tokens.",
        default="127.0.0.1:8033",
    )
    metrics: ListeningAddress = setting(
        "LIKEWATCH_METRICS",
        "Address of /healthz and Prometheus's /metrics. Keep the address private: both need no password.",
        default="127.0.0.1:8034",
    )
    operators_channel: Annotated[Word, _ChannelId] = setting(
        "LIKEWATCH_OPERATORS_CHANNEL",
        "Id of the Slack channel (C0123…) that gets a message when a platform cannot be read or nothing can be "
        "recorded, and another when that is over.",
    )
    log: Annotated[Literal["TEXT", "JSON"], _UpperCase] = setting(
        "LIKEWATCH_LOG", "Form of the log: lines for people, or one JSON object a line.", default="TEXT"
    )
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], _UpperCase] = setting(
        "LIKEWATCH_LOG_LEVEL", "Least level of a message in the log.", default="INFO"
    )
    _platforms: tuple[SettingGroup, ...] = PrivateAttr(())

    @field_validator("slack_signing_secret")
    @classmethod
    def _check_connection(cls, signing: str, info: ValidationInfo) -> str:
        # ``info.data`` lacks a field whose own text was wrong: it is set nevertheless
        bot, app = (info.data.get(name, "wrong") for name in ("slack_bot_token", "slack_app_token"))
        if bot and not app and not signing:
            raise ValueError("neither it nor SLACK_APP_TOKEN (Socket Mode) is set, but SLACK_BOT_TOKEN is: set one")
        if not bot and (app or signing):
            other = "SLACK_APP_TOKEN" if app else "SLACK_SIGNING_SECRET"
            raise ValueError(
                f"{other} is set, but SLACK_BOT_TOKEN is not: set both, or remove {other} to use the local workspace"
            )
        return signing

    @field_validator("editors", mode="before")
    @classmethod
    def _read_editors(cls, text: str, info: ValidationInfo) -> EditorList:
        in_workspace = info.data.get("slack_bot_token") == ""
        return parse_editors(text or (EVERYBODY if in_workspace else ""))

    @property
    def mode(self) -> Mode:
        """Return Socket Mode if an app token is set, else HTTP; without a bot token, the local workspace."""
        if not self.slack_bot_token:
            return Mode.WORKSPACE
        return Mode.SOCKET if self.slack_app_token else Mode.HTTP

    @property
    def platforms(self) -> Mapping[str, str]:
        """Return the text of every platform's setting, by the setting's name."""
        return {name: text for group in self._platforms for name, text in group.model_dump(by_alias=True).items()}

    def add_platforms(self, groups: Iterable[SettingGroup]) -> None:
        """Add the settings of the platforms."""
        self._platforms = tuple(groups)

    def secrets(self) -> frozenset[str]:
        """Return all texts that no log line may hold, those of the platforms too."""
        return super().secrets().union(*(group.secrets() for group in self._platforms))

    def __repr__(self) -> str:
        return f"Settings(mode={self.mode.value!r}, database={str(self.database)!r})"


def load(environ: Mapping[str, str], env_file: Path | None, platforms: Sequence[type[SettingGroup]]) -> Settings:
    """Read and check every setting, with those of the ``platforms``.

    Raise ``ConfigError`` with all faults, one a line.
    """
    faults: list[str] = []

    def read(group: type[_Group]) -> _Group | None:
        given: dict[str, Any] = {one.name: environ[one.name] for one in group.declared() if one.name in environ}
        given["_env_file"] = env_file
        try:
            return group(**given)
        except ValidationError as error:
            faults.extend(_sentences(group, error))
        except (OSError, UnicodeDecodeError) as error:
            raise _unreadable(env_file, error) from error
        return None

    settings, groups = read(Settings), [read(group) for group in platforms]
    if settings is None or faults:
        raise ConfigError("These settings need your attention:\n" + "\n".join(f"  - {fault}" for fault in faults))
    settings.add_platforms(group for group in groups if group)
    return settings


def declared_settings(platforms: Iterable[type[SettingGroup]]) -> list[Setting]:
    """Return every declared setting: Likewatch's own, then those of the ``platforms``."""
    groups: list[type[SettingGroup]] = [Settings, *platforms]
    return [one for group in groups for one in group.declared()]


def names_in(env_file: Path) -> frozenset[str]:
    """Return the names that the file sets, declared or not. Raise ``ConfigError`` if the file is no text."""
    try:
        return frozenset(DotEnvSettingsSource(Settings, env_file=env_file).env_vars)
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(env_file, error) from error


def env_example(settings: Iterable[Setting]) -> str:
    """Return the text of ``.env.example``."""
    head = (
        "# Settings of Likewatch. Copy to .env and fill in what you need; everything is optional.\n"
        "# Without Slack tokens, `make run` opens the local workspace in your browser.\n"
        "# Generated by `make docs` from the declared settings: edit the declarations, not this file.\n"
    )
    blocks = [head]
    for one in settings:
        choices = f" One of: {', '.join(one.choices)}." if one.choices else ""
        blocks.append(f"# {one.help}{choices}\n#{one.name}={one.default}\n")
    return "\n".join(blocks)


def _sentences(group: type[SettingGroup], error: ValidationError) -> Iterator[str]:
    """Yield one sentence for each fault. The messages never repeat a secret."""
    for fault in error.errors():
        name = str(fault["loc"][0])
        if name in group.model_fields:  # pydantic names a text by the setting, and a default by the field
            name = group.model_fields[name].alias or name
        ours = fault.get("ctx", {}).get("error")
        yield f"{name}: {ours or fault['msg']}"


def _unreadable(env_file: Path | None, error: Exception) -> ConfigError:
    return ConfigError(
        f"{env_file} cannot be read as UTF-8 text ({type(error).__name__}). Save it again as plain text."
    )
