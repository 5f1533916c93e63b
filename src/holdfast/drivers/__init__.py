"""Device families: bytes to readings and back. Each family has a room of its own and knows no other."""
