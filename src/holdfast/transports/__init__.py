"""Transports move bytes and know nothing of meaning."""
