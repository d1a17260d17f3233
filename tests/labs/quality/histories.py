"""A world as a newsroom would have recorded it: the history of a seed, written into a folder."""

from __future__ import annotations

from pathlib import Path

from tests.labs.quality.lists import country_rows
from tests.labs.quality.polling import total_rows
from tests.labs.quality.rows import Listed, write_history
from tests.labs.quality.values import World


def record(world: World, folder: Path) -> None:
    """Write the world's pages.csv, totals.csv and countries.csv: rows sorted by when they could be known."""
    end = world.days * 86_400
    rows = sorted(row for source in (total_rows(world), country_rows(world)) for row in source if row.received <= end)
    pages = [
        Listed(page=one.slug, home=one.home, group=one.group, platform=one.platform, precision=one.precision)
        for one in (latent.page for latent in world.latents)
    ]
    write_history(folder, pages, rows)
