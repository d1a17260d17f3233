"""Likewatch in Slack: commands and cards in plain values; Bolt around them."""
