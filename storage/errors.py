"""What can be wrong with the store. Every message is a sentence for the operator."""

from __future__ import annotations


class StoreError(Exception):
    """The store cannot do what was asked. ``str(error)`` says what is wrong, where, and what to do."""


class StoreInUse(StoreError):
    """Another process holds the writer's lock."""


class StoreTooNew(StoreError):
    """The database was written by a newer version of Likewatch."""


class StoreDamaged(StoreError):
    """The file is not a database, or fails SQLite's own check."""


class StoreUnavailable(StoreError):
    """The file cannot be opened, locked or written: a folder is missing, a disk is full, a right is lacking."""


class AlreadyDone(StoreError):
    """The same request was carried out before; nothing was changed now."""
