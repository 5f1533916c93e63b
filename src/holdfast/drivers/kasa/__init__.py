"""Kasa and Tapo plugs on the local network, by way of the python-kasa library."""
