"""Anything that can send HTTP as a sensor: readings are posted to the hub, which dials nobody."""
