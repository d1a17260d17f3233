"""Everything that truly happened in a world and should, or may, be told."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from tests.labs.quality.events import Event
from tests.labs.quality.true_counts import milestones, platform_events, purges, surges
from tests.labs.quality.true_leads import Pair, overtakes, pairs, passings
from tests.labs.quality.true_shares import majorities, new_shares, total_shares
from tests.labs.quality.values import World


def true_events(world: World, leads: Sequence[Pair] | None = None) -> list[Event]:
    """The world's events by their first sign; foreign ones only of pages that have country lists."""
    found = [event for pair in leads or [*pairs(world)] for event in chain(overtakes(pair), passings(pair))]
    for latent in world.latents:
        found += chain(surges(latent), purges(latent), milestones(latent))
        if latent.page.coverage:
            found += chain(new_shares(latent), total_shares(latent), majorities(latent))
    found += platform_events(world, [event for event in found if event.kind == "purge"])
    return sorted(found, key=lambda event: (event.seen, event.kind, event.page, event.rival))
