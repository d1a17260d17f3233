"""Pause a channel that nothing can be posted in, notify its subscribers once, and resume it later."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from bot.slack.delivery.filters import drop_reason
from bot.slack.render import block_kit
from bot.text import phrases
from storage.store import Store
from storage.values import AuditEntry, Delivery

log = logging.getLogger(__name__)

BY_LIKEWATCH = "likewatch"
"""The actor in the audit log if no person made the change."""

LONGEST_WAIT = timedelta(days=7)
"""Alerts that waited longer in a paused channel are no news any more, and are dropped when it resumes."""

_TOO_OLD = f"it waited for more than {LONGEST_WAIT.days} days in a channel that nothing could be posted in"
_WHY = {
    "not_in_channel": "Likewatch is no longer in this channel. Type /invite @Likewatch in it, and the alerts continue.",
    "is_archived": "This channel is archived. Unarchive it, or type /trends subscribe in it, and the alerts continue.",
    "channel_not_found": (
        "Slack shows Likewatch no such channel: it was deleted, or it is private and Likewatch is not in it. "
        "Type /invite @Likewatch in it, and the alerts continue."
    ),
}
_NOT_ALLOWED = (
    "This workspace does not let Likewatch post in this channel ({code}). Ask an administrator of the workspace to "
    "allow it, then subscribe again."
)
_MEANWHILE = (
    f"Its alerts wait meanwhile. Those of the past {LONGEST_WAIT.days} days follow as a list when it continues. "
    "/trends alerts shows all of them in any channel."
)


def pause(store: Store, delivery: Delivery, code: str, now: datetime) -> None:
    """Pause the channel of a delivery for Slack's reason ``code``, and owe a notice to each subscriber."""
    why = _WHY.get(code, _NOT_ALLOWED.format(code=code))
    team_id, channel_id = delivery.team_id, delivery.channel_id
    with store.write():
        paused = store.subscriptions.pause(team_id, channel_id, why)
        if not paused:
            return
        people = {one.by for one in paused if one.by.startswith(("U", "W"))}  # the bot's own subscription has none
        text = f"I stopped posting alerts in <#{channel_id}>. {block_kit.escape(why)} {block_kit.escape(_MEANWHILE)}"
        for person in sorted(people):
            store.notices.put(team_id, person, text, at=now)
        store.audit.add(
            AuditEntry(
                at=now, team_id=team_id, channel_id=channel_id, user_id=BY_LIKEWATCH, action="pause",
                subject=channel_id, detail=code,
            )
        )  # fmt: skip
    log.warning("Alerts in channel %s are paused: %s", channel_id, code)


def resume(store: Store, team_id: str, channel_id: str, now: datetime, *, by: str, request: str = "") -> str:
    """Resume the channel. Return a sentence about the alerts that waited, or "" if the channel was not paused."""
    with store.write():
        if not store.subscriptions.resume(team_id, channel_id):
            return ""
        for delivery in store.outbox.pending(team_id, channel_id):
            if (why := drop_reason(store, delivery, now)) is not None:
                store.outbox.drop(delivery.id, why.value)
        too_old = store.outbox.drop_older(team_id, channel_id, older_than=now - LONGEST_WAIT, why=_TOO_OLD)
        waiting = len(store.outbox.pending(team_id, channel_id))
        store.audit.add(
            AuditEntry(
                at=now, team_id=team_id, channel_id=channel_id, user_id=by, action="resume",
                subject=channel_id, request=request,
            )
        )  # fmt: skip
    text = "This channel's alerts continue."
    if waiting:
        text += f" {phrases.several(waiting, 'alert')} waited and {'follow' if waiting > 1 else 'follows'} now."
    if too_old:
        text += (
            f" {phrases.several(too_old, 'alert')} of more than {LONGEST_WAIT.days} days ago will not be posted: "
            "/trends alerts shows what happened."
        )
    return text
