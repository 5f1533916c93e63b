"""JK frames: Holdfast's decoder beside that of aiobmsble, in the same run and on the same bytes.

Only `ours` imports Holdfast: the peer runs in an environment that has none of it.
"""
