"""Pages, subscriptions, the audit log."""
