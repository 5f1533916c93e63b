"""Benchmarks: what Holdfast costs and how fast it is, against a bare asyncio loop in the same run.

`python -m bench` runs all of them. Nothing here asserts a speed: a table with targets is the result.
"""
