"""Configurations of earlier programs, made into sites: a room for each program, and what they share."""
