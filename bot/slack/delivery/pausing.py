"""A channel that nothing can be posted in is paused, and who subscribed it is told, once; later it goes on."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.slack.delivery.filters import drop_reason
from bot.slack.render import block_kit
from bot.text import phrases
from storage.store import Store
from storage.values import AuditEntry, Delivery, Subscription

log = logging.getLogger(__name__)

OURSELVES = "likewatch"
"""Who did it, in the audit, where nobody asked for it."""

LONGEST_WAIT = timedelta(days=7)
"""Alerts that waited longer in a paused channel are no news when it goes on, as those found in imports are not."""

_TOO_OLD = f"it waited for more than {LONGEST_WAIT.days} days in a channel that nothing could be posted in"
_WHY = {
    "not_in_channel": "Likewatch is not in this channel any more. Type /invite @Likewatch in it, and it goes on.",
    "is_archived": "This channel is archived. Once it is not, it goes on, or /trends subscribe there makes it.",
    "channel_not_found": (
        "Slack shows Likewatch no such channel: it was deleted, or it is private and Likewatch is not in it. "
        "Type /invite @Likewatch in it, and it goes on."
    ),
}
_NOT_ALLOWED = (
    "This workspace does not let Likewatch post in this channel ({code}). Ask who administers the workspace to allow "
    "it, then subscribe again."
)
_MEANWHILE = (
    f"Its alerts wait meanwhile: when it goes on, those of the past {LONGEST_WAIT.days} days come as a list; "
    "/trends alerts shows all of them anywhere."
)


def pause(store: Store, delivery: Delivery, code: str, now: datetime) -> None:
    """Nothing more is tried in the delivery's channel, for Slack's reason ``code``; who subscribed it is to be told."""
    why = _WHY.get(code, _NOT_ALLOWED.format(code=code))
    team_id, channel_id = delivery.team_id, delivery.channel_id
    with store.write():
        paused = store.subscriptions.pause(team_id, channel_id, why)
        if not paused:
            return
        for person in sorted(_people(paused)):
            text = (
                f"I stopped posting alerts in <#{channel_id}>. {block_kit.escape(why)} {block_kit.escape(_MEANWHILE)}"
            )
            store.notices.put(team_id, person, text, at=now)
        _note(store, team_id, channel_id, now, by=OURSELVES, action="pause", detail=code)
    log.warning("Alerts in channel %s are paused: %s", channel_id, code)


def resume(store: Store, team_id: str, channel_id: str, now: datetime, *, by: str, request: str = "") -> str:
    """Post in the channel again: a sentence about what waited, for whoever made it go on; "" if it was not paused."""
    with store.write():
        if not store.subscriptions.resume(team_id, channel_id):
            return ""
        for delivery in store.outbox.pending(team_id, channel_id):
            if (why := drop_reason(store, delivery, now)) is not None:
                store.outbox.drop(delivery.id, why.value)
        too_old = store.outbox.drop_older(team_id, channel_id, older_than=now - LONGEST_WAIT, why=_TOO_OLD)
        waiting = len(store.outbox.pending(team_id, channel_id))
        _note(store, team_id, channel_id, now, by=by, action="resume", request=request)
    said = "This channel's alerts go on."
    if waiting:
        said += f" {phrases.several(waiting, 'alert')} waited and {'follow' if waiting > 1 else 'follows'} now."
    if too_old:
        said += (
            f" {phrases.several(too_old, 'alert')} of more than {LONGEST_WAIT.days} days ago will not be posted: "
            "/trends alerts shows what happened."
        )
    return said


def _note(
    store: Store,
    team_id: str,
    channel_id: str,
    now: datetime,
    *,
    by: str,
    action: str,
    detail: str = "",
    request: str = "",
) -> None:
    store.audit.add(
        AuditEntry(
            at=now,
            team_id=team_id,
            channel_id=channel_id,
            user_id=by,
            action=action,
            subject=channel_id,
            detail=detail,
            request=request,
        )
    )


def _people(paused: Iterable[Subscription]) -> set[str]:
    """Those who subscribed, by Slack's id; the bot's own example is nobody's."""
    return {one.by for one in paused if one.by.startswith(("U", "W"))}
