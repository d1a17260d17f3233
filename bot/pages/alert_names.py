"""The names of the pages and countries in an alert."""

from __future__ import annotations

from bot.text.countries import country_name
from handlers.contract import Names
from handlers.model import Alert
from handlers.wording import sentences
from storage.store import Store


def alert_sentence(alert: Alert, store: Store) -> str:
    """Return the alert in one sentence."""
    return sentences.headline(alert, names_in(alert, store))


def names_in(alert: Alert, store: Store) -> Names:
    """Return the newsroom's names of the pages that an alert is about, and the names of countries."""
    slugs = {fact.about for fact in alert.facts}
    if not alert.others:  # else ``page`` is the name of a platform
        slugs |= {alert.page, alert.rival or alert.page}
    pages = store.pages.get_many(slugs)
    return Names(page=lambda slug: pages[slug].name if slug in pages else slug, country=country_name)
