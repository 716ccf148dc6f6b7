"""Stores: `MemoryStore`, the sealed SQLite file, and the seat in the seal directory that opens it."""

from sealmesh.adapters.store.memory import MemoryStore
from sealmesh.adapters.store.seat import SealedSeat
from sealmesh.adapters.store.sqlite import SqliteStore

__all__ = ["MemoryStore", "SealedSeat", "SqliteStore"]
