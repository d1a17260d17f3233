"""A case: something that goes wrong, what is expected then, and how it is really done to a running bot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory


@dataclass(slots=True, kw_only=True)
class Trial:
    """What came of one case's tries. ``quick`` asks for few of them."""

    quick: bool
    tried: int = 0
    lost: int = 0
    doubled: int = 0
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def seen(self) -> bool:
        """Whether the expected behaviour was seen at every try, and nothing was lost or doubled."""
        return self.tried > 0 and not self.faults and not self.lost and not self.doubled

    def expect(self, held: object, instead: str) -> None:
        """``instead`` says what was seen where ``held`` is false."""
        if not held:
            self.faults.append(instead)

    def note(self, measured: str) -> None:
        """A figure worth printing beside the table."""
        self.notes.append(measured)

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """An empty folder, gone afterwards."""
        with TemporaryDirectory(prefix="likewatch-faults-", ignore_cleanup_errors=True) as name:
            yield Path(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case. ``number`` is that of the reference's list; ``alone``: it measures time, so nothing runs beside it.

    ``seconds`` is about how long its quick form takes: the longest begin first.
    """

    number: str
    name: str
    expected: str
    run: Callable[[Trial], None]
    alone: bool = False
    seconds: int = 20
