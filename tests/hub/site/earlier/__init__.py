"""Configurations of earlier programs."""
