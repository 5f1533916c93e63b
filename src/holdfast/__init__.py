"""Local devices that stay connected, and a state you can believe."""
