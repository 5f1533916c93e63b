"""How older databases become today's: one step each, only forwards, each frozen once it was released."""
