"""Faces of the hub for the network: the HTTP API. They listen to the hub and never reach past it."""
