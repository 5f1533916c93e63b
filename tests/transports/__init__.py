"""Transports: bytes arrive whole and in order, and every failure has words."""
