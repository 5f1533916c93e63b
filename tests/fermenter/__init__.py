"""The whole hub with a fermenter: plugs, vessel, sensor and store in virtual time."""
