"""What a simulated world is made of, before anybody has read it. Hours and days count from ``START``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

START = datetime(2024, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
HOURS_A_DAY = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedPage:
    """A page as it is when the world begins.

    ``likes`` it has, ``usual`` likes it gains a day, ``abroad`` the share of its likes from abroad, ``flow`` that of
    its new likes, which moves by ``drift`` until the world ends. ``poll_hours`` is how often it is asked.
    ``coverage`` is the share of its likes that its country lists account for, 0 where it has no lists.
    """

    slug: str
    home: str
    group: str
    platform: str
    precision: str
    likes: int
    usual: float
    abroad: float
    flow: float
    drift: float
    poll_hours: int
    coverage: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """Many likes at once: ``size`` usual days' worth from ``hour``, rising for ``rise`` hours, fading over ``fade``."""

    hour: int
    size: float
    rise: int
    fade: float
    abroad: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """The platform removes this share of a page's likes over so many hours."""

    hour: int
    hours: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """Likes from abroad, ``strength`` usual days' worth a day; ``countries`` are indices into ``ABROAD``."""

    day: int
    days: int
    strength: float
    countries: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """Everything that happens to a page beside its ordinary growth."""

    bursts: tuple[Burst, ...] = ()
    removals: tuple[Removal, ...] = ()
    campaigns: tuple[Campaign, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Latent:
    """The truth about a page that nobody ever sees: exact and without a gap.

    ``likes`` by hour, from the first to the last midnight. ``at_home`` and ``abroad`` split them at each midnight,
    ``by_country`` splits ``abroad`` by the order of ``ABROAD``. ``new_at_home`` and ``new_abroad`` are what each day
    brought, removals apart.
    """

    page: SimulatedPage
    likes: Sequence[int]
    usual: Sequence[float]
    at_home: Sequence[float]
    abroad: Sequence[float]
    by_country: Sequence[Sequence[float]]
    new_at_home: Sequence[float]
    new_abroad: Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """Hours in which nothing of a platform, or of one page, could be read."""

    hour: int
    hours: int
    platform: str = ""
    page: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A simulated world: what truly happened on its pages, and when they could not be read."""

    seed: int
    days: int
    latents: Sequence[Latent]
    outages: Sequence[Outage]

    @property
    def end(self) -> datetime:
        return START + self.days * DAY

    @property
    def page_years(self) -> float:
        return len(self.latents) * self.days / 365.25


HOMES = ("KH", "TH", "LA", "MM", "MY", "NP")
ABROAD = (
    *("IN", "PH", "ID", "BD", "PK", "US", "VN", "BR", "EG", "TR", "MX", "DZ", "IQ", "KR", "JP", "FR", "AU", "TW"),
    *("SG", "CA", "GB", "DE", "CN", "HK", "RU", "AE", "SA", "LK", "MA", "NG", "CO", "PE", "AR", "ES", "IT", "CL"),
    *("TN", "JO", "KE", "GH", "ZA", "NZ", "NL", "BE", "SE", "CH", "NO", "DK", "FI", "PL", "UA", "RO", "CZ", "HU"),
    *("GR", "PT", "IE", "AT", "IL", "KW", "QA", "OM", "BN", "TL", "FJ", "PG", "MN", "KZ", "UZ", "AF", "BT", "MV"),
)
