"""A page's alerts may come to a channel twice over: with the page, and with a group it is in."""

from __future__ import annotations

from bot.pages.lookup import PageOrGroup
from bot.slack.contract import Call
from storage.store import Store
from storage.values import Target


def groups_subscribed(call: Call, store: Store, found: PageOrGroup) -> list[str]:
    """The groups of a page that the caller's channel is subscribed to; none of a group itself."""
    page = store.pages.get(found.slug) if found.target is Target.PAGE else None
    return [
        slug
        for slug in (page.groups if page else ())
        if store.subscriptions.get(call.team_id, call.channel_id, Target.GROUP, slug)
    ]
