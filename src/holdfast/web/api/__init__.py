"""The HTTP API: one file a resource, a guard in front of all, and one encoding for what goes out."""
