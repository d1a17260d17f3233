"""The numbers of a rule: one field for each, with its default, its unit, and the name that alerts list it by."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any, Self, TypeVar

from handlers.model import Parameter

N = TypeVar("N", int, float)


def parameter(default: N, unit: str, name: str = "") -> N:
    """Declare one number of a rule, as the default of a field of a ``Parameters`` class.

    Args:
        default: The number, in ``unit``. For a share, from 0 to 1.
        unit: May contain ``{words}`` that ``Parameters.listed`` fills in, such as ``{metric}``.
        name: The name in alerts, also with ``{words}``; alerts do not list a parameter without a name.

    Example:
        >>> days_quiet: int = parameter(7, "days", "quiet after")

    """
    declared: N = field(default=default, metadata={"name": name, "unit": unit})
    return declared


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """The parameter that a channel may set, in the unit that people write: ``foreign>10`` (points), ``surge>5x``.

    ``scale`` turns what people write into the parameter's unit: 0.01 for points and per cent. The written number lies
    between ``least`` and ``most``; ``default`` holds for channels that set none. ``mark`` follows the number where it
    is written, ``unit`` where it is read out.
    """

    parameter: str
    unit: str
    mark: str
    default: float
    least: float
    most: float
    scale: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """The numbers of a rule without any; rules with numbers declare a subclass with ``parameter`` fields."""

    def listed(self, **words: str) -> tuple[Parameter, ...]:
        """Return the named parameters, as alerts list them."""
        return tuple(
            Parameter(
                name=one.metadata["name"].format(**words),
                value=getattr(self, one.name),
                unit=one.metadata["unit"].format(**words),
            )
            for one in fields(self)
            if one.metadata["name"]
        )

    def fill(self, sentence: str, **words: Any) -> str:
        """Return a sentence with the parameters (and ``words``) in place of its ``{fields}``."""
        return sentence.format(**{one.name: getattr(self, one.name) for one in fields(self)}, **words)

    def tuned(self, name: str, value: float) -> Self:
        """Return the parameters with another value for one of them; subclasses may move related ones with it."""
        return replace(self, **{name: value})

    def threshold(self, name: str, *, unit: str, mark: str, least: float, most: float, scale: float) -> Threshold:
        """Return the threshold that sets this parameter."""
        default = round(getattr(self, name) / scale, 6)
        return Threshold(parameter=name, unit=unit, mark=mark, default=default, least=least, most=most, scale=scale)
