"""The Kasa driver."""
