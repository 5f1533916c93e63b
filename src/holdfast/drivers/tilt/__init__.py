"""Tilt hydrometers, heard over Bluetooth LE."""
