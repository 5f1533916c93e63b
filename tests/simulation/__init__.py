"""The simulated world: virtual time, and a network that fails as real ones do."""
