"""Kills programs at work on a store with ``kill -9`` and looks at what is left: ``python -m tests.store.kills``."""
