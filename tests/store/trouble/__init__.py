"""A hub that goes on while its store cannot."""
