"""What an audit or a verification finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFault:
    """Something that is not as it was kept: ``where`` names the row, the file or the figure, ``what`` the matter."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"
