"""How a setting is declared: one field holds the name, the type, the default, the help and whether it is secret.

A group of settings is a class. Likewatch's own group is ``bot.config.settings.Settings``; each platform declares one in
its own file. Reading, ``.env.example``, the reference and ``likewatch doctor`` all follow from these fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

_DURATION = re.compile(
    "".join(f"(?:(?P<{unit}>[0-9]{{1,8}}){unit[0]})?" for unit in ("days", "hours", "minutes", "seconds"))
)
_HIGHEST_PORT = 65535


def setting(name: str, help_text: str, *, default: str = "", secret: bool = False) -> Any:
    """Declare a setting as a field: ``name`` in the environment, and ``default`` as a person would write it."""
    return Field(default, alias=name, description=help_text, repr=not secret, json_schema_extra={"secret": secret})


class SettingGroup(BaseSettings):
    """Settings that are declared together. A blank text counts as absent, in the environment too."""

    model_config = SettingsConfigDict(
        case_sensitive=True,
        enable_decoding=False,  # no setting is written in JSON
        env_file_encoding="utf-8-sig",  # Windows editors write a byte-order mark
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 (the signature is pydantic's)
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources, the strongest first. ``load`` passes the environment as initial values."""
        return init_settings, dotenv_settings

    @model_validator(mode="before")
    @classmethod
    def _drop_blanks(cls, texts: dict[str, str | None]) -> dict[str, str]:
        return {name: text.strip() for name, text in texts.items() if text and text.strip()}

    @classmethod
    def declared(cls) -> Iterator[Setting]:
        """Yield the settings of this group, in their order."""
        for field in cls.model_fields.values():
            is_choice = get_origin(field.annotation) is Literal
            yield Setting(
                name=field.alias or "",
                help=field.description or "",
                default=field.default,
                secret=isinstance(field.json_schema_extra, dict) and bool(field.json_schema_extra["secret"]),
                choices=get_args(field.annotation) if is_choice else (),
            )

    def secrets(self) -> frozenset[str]:
        """Return the texts of the secret settings that are set."""
        texts = self.model_dump(by_alias=True)
        return frozenset(texts[one.name] for one in self.declared() if one.secret) - {""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A declared setting, as the docs and the doctor show it. ``choices`` is empty where any text may be right."""

    name: str
    help: str
    default: str
    secret: bool
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A host and a TCP port to listen on."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_duration(text: str) -> timedelta:
    """Return the duration that ``text`` names; raise ValueError with a sentence if it names none.

    >>> parse_duration("1h30m")
    datetime.timedelta(seconds=5400)
    """
    parts = _DURATION.fullmatch(text.lower().replace(" ", ""))
    if not parts or not parts[0]:
        raise ValueError(f"{text!r} is not a duration: write it like 1s, 15m, 6h or 1d")
    return timedelta(**{unit: int(number) for unit, number in parts.groupdict(default="0").items()})


def parse_address(text: str) -> Address:
    """Return the address that ``text`` names; raise ValueError with a sentence if it names none.

    >>> parse_address("127.0.0.1:8033")
    Address(host='127.0.0.1', port=8033)
    """
    host, colon, port = text.strip().rpartition(":")
    host = host.strip("[]")
    if not colon or not host or not re.fullmatch("[0-9]{1,5}", port) or int(port) > _HIGHEST_PORT:
        raise ValueError(f"{text!r} is not an address: write it as host:port, like 127.0.0.1:8033")
    return Address(host=host, port=int(port))


def duration_between(shortest: str, longest: str) -> BeforeValidator:
    """Return a validator of durations from ``shortest`` to ``longest``."""

    def check(text: str) -> timedelta:
        length = parse_duration(text)
        if not parse_duration(shortest) <= length <= parse_duration(longest):
            raise ValueError(f"{text!r} is outside what is possible: between {shortest} and {longest}")
        return length

    return BeforeValidator(check)


def matching(pattern: str, sentence: str) -> AfterValidator:
    """Return a validator of texts that match ``pattern`` or are empty. ``sentence`` tells a person what is wrong."""

    def check(text: str) -> str:
        if text and not re.fullmatch(pattern, text):
            raise ValueError(sentence)  # which does not repeat the text, because it may be a secret
        return text

    return AfterValidator(check)


def _check_word(text: str) -> str:
    if any(character.isspace() or not character.isprintable() for character in text):
        # the text may be a secret, so the message does not repeat it
        raise ValueError("it contains a space or an unprintable character; paste it again without quotes or breaks")
    return text


def _check_web_address(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if text and not usable:
        raise ValueError(f"{text!r} is not a web address: it must start with https:// (or http://) and a host")
    return text


def _path(text: str) -> Path | None:
    try:
        return Path(text).expanduser() if text else None
    except RuntimeError as error:  # "~name/" of a person that this machine does not know
        raise ValueError(f"{text!r} is not a path: {error}") from error


Word = Annotated[str, AfterValidator(_check_word)]
WebAddress = Annotated[str, AfterValidator(_check_web_address)]
ListeningAddress = Annotated[Address, BeforeValidator(parse_address)]
FilePath = Annotated[Path, BeforeValidator(_path)]
OptionalFilePath = Annotated[Path | None, BeforeValidator(_path)]
