"""Planted faults: known mistakes, put into a copy of the source one at a time, each to be caught by a named test."""
