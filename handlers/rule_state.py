"""Store a rule's state as text: JSON, written and read by the type hints of the state's class.

| hint | JSON |
|---|---|
| dataclass | an object with its fields; an absent field has its default |
| NamedTuple, tuple | a list |
| frozenset | a sorted list |
| Mapping with text keys | an object |
| Mapping with other keys | a sorted list of [key, value] |
| datetime | ISO 8601 |
| Enum | its value |
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Generic, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

S = TypeVar("S")


def _as_stored(version: int, stored: Any) -> Any:  # noqa: ARG001 - the signature of an upgrade
    return stored


def told_is_raised(version: int, stored: Any) -> Any:  # noqa: ARG001 - the signature of an upgrade
    """Bring a state from before version 3 up to date, whose field ``raised`` was called ``told``."""
    return {("raised" if name == "told" else name): value for name, value in stored.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class StateForm(Generic[S]):
    """How a comparison's state is stored, and how older forms are read.

    Attributes:
        cls: The state's class; ``cls()`` is the state of a scope seen for the first time.
        version: The number of the present form. Raise it whenever the stored text changes its form.
        upgrade: Turns the parsed JSON of an older version into that of the present one. A result of
            None means that the older state is worthless and the scope begins anew.

    Version 0 are the forms before migration 0004, version 1 those before migration 0005, and version 2 those of
    Likewatch 0.1.

    """

    cls: type[S]
    version: int
    upgrade: Callable[[int, Any], Any] = _as_stored

    @property
    def _codec(self) -> _Codec:
        hint: Any = self.cls
        return _codec(hint)

    def initial(self) -> S:
        """Return the state of a scope seen for the first time."""
        return self.cls()

    def dump(self, state: S) -> str:
        """Return the state as text of the present version."""
        return json.dumps(self._codec.encode(state), separators=(",", ":"))

    def load(self, version: int, text: str) -> S:
        """Return the state of a text that was stored with this version number.

        Raises:
            ValueError: A newer Likewatch stored it.

        """
        if version > self.version:
            raise ValueError(f"a state of version {version} cannot be read: this Likewatch knows {self.version}")
        stored = json.loads(text)
        if version < self.version:
            stored = self.upgrade(version, stored)
            if stored is None:
                return self.initial()
        state: S = self._codec.decode(stored)
        return state


class _Codec(NamedTuple):
    """How values of one type hint become JSON, and back."""

    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]


def _same(value: Any) -> Any:
    return value


@cache
def _codec(hint: Any) -> _Codec:
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _optional(*(_codec(arg) for arg in args if arg is not NoneType))
    if origin is tuple:
        return _tuple(args)
    if origin is frozenset:
        one = _codec(args[0])
        return _Codec(lambda values: sorted(map(one.encode, values)), lambda kept: frozenset(map(one.decode, kept)))
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(_codec(args[0]), _codec(args[1]), is_text=issubclass(args[0], str))
    if is_dataclass(hint):
        return _object(hint)
    if issubclass(hint, Enum):
        return _Codec(lambda value: value.value, hint)
    if issubclass(hint, datetime):
        return _Codec(datetime.isoformat, datetime.fromisoformat)
    if issubclass(hint, tuple):  # a NamedTuple
        parts = _tuple(tuple(get_type_hints(hint).values()))
        return _Codec(parts.encode, lambda kept: hint(*parts.decode(kept)))
    return _Codec(_same, _same)


def _optional(one: _Codec) -> _Codec:
    return _Codec(
        lambda value: None if value is None else one.encode(value),
        lambda kept: None if kept is None else one.decode(kept),
    )


def _tuple(args: tuple[Any, ...]) -> _Codec:
    if args[-1] is Ellipsis:
        one = _codec(args[0])
        return _Codec(lambda values: list(map(one.encode, values)), lambda kept: tuple(map(one.decode, kept)))
    parts = tuple(map(_codec, args))
    return _Codec(
        lambda values: [part.encode(value) for part, value in zip(parts, values, strict=True)],
        lambda kept: tuple(part.decode(value) for part, value in zip(parts, kept, strict=True)),
    )


def _mapping(key: _Codec, value: _Codec, *, is_text: bool) -> _Codec:
    def encode(mapping: Mapping[Any, Any]) -> Any:
        pairs = sorted((key.encode(one), value.encode(mapping[one])) for one in mapping)
        return dict(pairs) if is_text else pairs

    def decode(kept: Any) -> Any:
        pairs = kept.items() if is_text else kept
        return {key.decode(one): value.decode(found) for one, found in pairs}

    return _Codec(encode, decode)


def _object(cls: Any) -> _Codec:
    codecs = {name: _codec(hint) for name, hint in get_type_hints(cls).items()}
    return _Codec(
        lambda value: {name: codec.encode(getattr(value, name)) for name, codec in codecs.items()},
        lambda kept: cls(**{name: codecs[name].decode(found) for name, found in kept.items()}),
    )
