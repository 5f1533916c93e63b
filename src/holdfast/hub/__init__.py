"""The hub: which devices exist, what they report, and what becomes of each command."""
