"""Post alerts and notices, and lose none."""

SCOPES = (
    "chat:write",  # alerts and notices
    "channels:history",  # reconciliation: whether a post arrived before the connection broke
    "groups:history",  # the same in private channels
    "im:write",  # direct messages: a subscriber learns that alerts in the channel are paused
)
"""Slack permissions that delivery needs. The manifest lists them."""
