"""How long things take on the bus (JK fact sheet section 2)."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

CHARACTER_S = 10 / 115_200
"""One character on the wire: 8N1 at 115200 baud, 87 µs."""

POLL_TO_REPLY_S = 0.038
"""From the first bit of a poll to the last of the reply (measured by the dbus-serialbattery project)."""

PAUSE_S = 0.180
"""What a master waits after a reply (same source)."""

ABSENT_S = 0.220
"""From a poll to the next one if nobody answers (same source, and Gobel's logs)."""

POLL_AND_ANSWER_SIZE = 11 + 308
"""Characters on the wire from poll to reply."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Durations in seconds. `at_pace` makes all of them shorter, for tests on a real clock."""

    character_s: float = CHARACTER_S
    turnaround_s: float = POLL_TO_REPLY_S - POLL_AND_ANSWER_SIZE * CHARACTER_S
    """From the end of a poll to the beginning of the answer: about 10 ms."""
    pause_s: float = PAUSE_S
    absent_s: float = ABSENT_S

    @property
    def answered_s(self) -> float:
        """From a poll that is answered to the next."""
        return self.turnaround_s + POLL_AND_ANSWER_SIZE * self.character_s + self.pause_s

    def at_pace(self, pace: float) -> Timing:
        """The same, ``pace`` times as fast."""
        if pace <= 0.0:
            raise ValueError("a pace is above 0")
        return replace(self, **{item.name: getattr(self, item.name) / pace for item in fields(self)})
