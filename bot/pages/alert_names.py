"""What the pages and countries of an alert are called."""

from __future__ import annotations

from bot.text.countries import country_name
from handlers.contract import Names
from handlers.model import Alert
from handlers.wording import sentences
from storage.store import Store


def alert_sentence(alert: Alert, store: Store) -> str:
    """The alert in one sentence."""
    return sentences.headline(alert, names_in(alert, store))


def names_in(alert: Alert, store: Store) -> Names:
    """Return the names of the pages that an alert is about, as the newsroom calls them, and of countries."""
    slugs = (
        {alert.page, alert.rival or alert.page} if not alert.others else set()
    )  # with others, it is a platform's name
    slugs |= {fact.about for fact in alert.facts}
    pages = store.pages.get_many(slugs)
    return Names(page=lambda slug: pages[slug].name if slug in pages else slug, country=country_name)
