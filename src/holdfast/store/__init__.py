"""Where a site and what happened in it outlive the process: SQLite by default, PostgreSQL by URL, memory in simulation.

Listens to the hub through its port (`holdfast.hub.ports.Store`); nothing of it runs on a device's path.
"""

from __future__ import annotations

from holdfast.store.choosing import open_store
from holdfast.store.memory import MemoryStore

__all__ = ["MemoryStore", "open_store"]
