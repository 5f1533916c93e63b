"""The devices' side of the wire, with faults on a timetable.

Simulators import nothing from the drivers they face, so that a mistake cannot be mirrored: each has its own
codec, and golden vectors judge both.
"""
