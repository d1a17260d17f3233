"""Errors of the store. Each message is a sentence for the operator: what is wrong, where, and what to do."""

from __future__ import annotations


class StoreError(Exception):
    """The store cannot do what was asked."""


class StoreInUse(StoreError):
    """Another process holds the writer's lock."""


class StoreTooNew(StoreError):
    """A newer version of Likewatch wrote the database."""


class StoreDamaged(StoreError):
    """The file is not a database, or fails SQLite's own check."""


class StoreUnavailable(StoreError):
    """The file cannot be opened, locked or written: a folder is missing, a disk is full, or a permission is missing."""


class AlreadyDone(StoreError):
    """An earlier copy of the same request was carried out; this one changed nothing."""
