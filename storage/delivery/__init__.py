"""Alerts, the outbox and notices."""
