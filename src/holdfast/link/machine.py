"""The states of a link and what moves it from one to the next. The diagram in the docs is made from this table.

A link is a lasting intention to be connected; a session is one life of its path. Two rules shape the table. A new
session is dialled only from WAITING or BLOCKED, and both are entered only when the session before is gone: so there
is never more than one. And a fault in any state in which a session may exist leads through ENDING, where it is torn
down whole: keys, buffers and pending jobs go with it.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a link stands."""

    STOPPED = "stopped"
    WAITING = "waiting"
    """Between two tries; a hint cuts the wait short."""
    BLOCKED = "blocked"
    """The breaker is open: refused login or wrong device, tried rarely."""
    RESTING = "resting"
    """Nobody needs it now: a reserve, connected when its turn comes."""
    OPENING = "opening"
    """Dialling and logging in."""
    EXPECTING = "expecting"
    """The session is open and nothing has been heard on it yet."""
    LIVE = "live"
    """Evidence comes."""
    ENDING = "ending"
    """The session is being torn down; the next dial waits until it is gone."""
    STOPPING = "stopping"


class Cue(StrEnum):
    """What happens to a link."""

    START = "start"
    DUE = "due"
    REST = "rest"
    NEEDED = "needed"
    OPENED = "opened"
    EVIDENCE = "evidence"
    FAULT = "fault"
    GONE = "gone"
    GONE_REFUSED = "gone_refused"
    STOP = "stop"


TRANSITIONS: dict[tuple[State, Cue], State] = {
    (State.STOPPED, Cue.START): State.WAITING,
    (State.WAITING, Cue.DUE): State.OPENING,
    (State.BLOCKED, Cue.DUE): State.OPENING,
    (State.WAITING, Cue.REST): State.RESTING,
    (State.BLOCKED, Cue.REST): State.RESTING,
    (State.RESTING, Cue.NEEDED): State.WAITING,
    (State.OPENING, Cue.OPENED): State.EXPECTING,
    (State.OPENING, Cue.FAULT): State.ENDING,
    (State.EXPECTING, Cue.EVIDENCE): State.LIVE,
    (State.EXPECTING, Cue.FAULT): State.ENDING,
    (State.LIVE, Cue.EVIDENCE): State.LIVE,
    (State.LIVE, Cue.FAULT): State.ENDING,
    (State.ENDING, Cue.GONE): State.WAITING,
    (State.ENDING, Cue.GONE_REFUSED): State.BLOCKED,
    (State.WAITING, Cue.STOP): State.STOPPING,
    (State.BLOCKED, Cue.STOP): State.STOPPING,
    (State.RESTING, Cue.STOP): State.STOPPING,
    (State.OPENING, Cue.STOP): State.STOPPING,
    (State.EXPECTING, Cue.STOP): State.STOPPING,
    (State.LIVE, Cue.STOP): State.STOPPING,
    (State.ENDING, Cue.STOP): State.STOPPING,
    (State.STOPPED, Cue.STOP): State.STOPPED,
    (State.STOPPING, Cue.STOP): State.STOPPING,
    (State.STOPPING, Cue.GONE): State.STOPPED,
}

WITH_SESSION = frozenset({State.EXPECTING, State.LIVE})
"""States in which jobs may be started."""


class IllegalTransition(AssertionError):
    """A bug of ours: something happened to a link that cannot happen in its state."""


def advance(state: State, cue: Cue) -> State:
    """The state that follows; raises `IllegalTransition` where the table has no line."""
    try:
        return TRANSITIONS[state, cue]
    except KeyError:
        raise IllegalTransition(f"{cue} while {state}") from None


def diagram() -> str:
    """The table as a Mermaid state diagram, one arrow a line."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.STOPPED}"]
    for (state, cue), following in TRANSITIONS.items():
        if state is not following:
            lines.append(f"    {state} --> {following}: {cue}")
    return "\n".join(lines) + "\n"
