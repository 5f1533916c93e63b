"""Vessels with simulated plugs on real sockets, a hub as a process of its own, and somebody who watches both."""
