"""Order: the pages of a group sorted by count, kept between two evaluations.

Finding who passed whom then costs as much as what changed, and not the square of the number of pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from operator import le

from handlers.model import SeriesState


def resort(
    order: tuple[str, ...], series_states: Mapping[str, SeriesState]
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Insertion-sort an almost sorted order, lowest count first.

    Return the new order and every pair that changed places, as (page that passed, page that was passed). Pages with
    equal counts keep their places. For n pages and k pairs that change places the cost is O(n + k).
    """
    counts = [series_states[slug].last.count for slug in order]
    if all(map(le, counts, islice(counts, 1, None))):
        return order, ()
    slugs = list(order)
    crossings: list[tuple[str, str]] = []
    highest = counts[0]
    for index, count in enumerate(counts):
        if count >= highest:
            highest = count
            continue
        slug, place = slugs[index], index
        while place and counts[place - 1] > count:
            counts[place], slugs[place] = counts[place - 1], slugs[place - 1]
            crossings.append((slugs[place], slug))
            place -= 1
        counts[place], slugs[place] = count, slug
    return tuple(slugs), tuple(crossings)


def seat(order: Sequence[str], newcomers: Sequence[str], series_states: Mapping[str, SeriesState]) -> tuple[str, ...]:
    """Return the order with new pages inserted; a new page follows pages of equal count, and new pages sort by slug."""
    return tuple(sorted([*order, *sorted(newcomers)], key=lambda slug: series_states[slug].last.count))


def overlapping(
    order: Sequence[str], newcomers: Sequence[str], series_states: Mapping[str, SeriesState]
) -> set[tuple[str, str]]:
    """Return every pair (slugs sorted) of a new page and another page whose newest intervals overlap."""
    if not newcomers:
        return set()
    fresh = set(newcomers)
    widest = max(series_states[slug].last.high - series_states[slug].last.low for slug in order)
    pairs: set[tuple[str, str]] = set()
    for index, slug in enumerate(order):
        point = series_states[slug].last
        for place in range(index + 1, len(order)):
            other = order[place]
            next_point = series_states[other].last
            if next_point.count - point.count > 2 * widest:
                break
            if next_point.low <= point.high and point.low <= next_point.high and (slug in fresh or other in fresh):
                pairs.add((slug, other) if slug < other else (other, slug))
    return pairs
