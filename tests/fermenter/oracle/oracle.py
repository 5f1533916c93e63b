"""All checks together, fed with everything that happens around a cellar."""

from __future__ import annotations

import contextvars
import logging
from typing import TYPE_CHECKING, Any

from holdfast.control.temperature import from_entry
from holdfast.hub.events import Kind
from holdfast.simulation import START_S
from tests.fermenter.cellar import Cellar, Onlooker
from tests.fermenter.oracle.alarms import Alarms, Work
from tests.fermenter.oracle.display import Display, Evidence, Told
from tests.fermenter.oracle.exclusion import Exclusion
from tests.fermenter.oracle.facts import Facts
from tests.fermenter.oracle.failsafe import FailSafe, NoLockout
from tests.fermenter.oracle.latency import Latency
from tests.fermenter.oracle.records import Records
from tests.fermenter.oracle.rests import Rests, Wire
from tests.fermenter.plugs import WatchedPlug, WireCall, Witness

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.hub.events import Record
    from holdfast.hub.hub import Hub
    from tests.fermenter.oracle.check import Check
    from tests.fermenter.plugs import Move

CHECKS: tuple[type[Check], ...] = (
    Display,
    Told,
    Evidence,
    Exclusion,
    FailSafe,
    NoLockout,
    Work,
    Rests,
    Wire,
    Latency,
    Alarms,
    Records,
)
MOST = 5
"""So many objections are kept: what follows the first is mostly its echo."""


class Oracle(Witness, Onlooker):
    """Watches a cellar from its making. ``objections`` are what the checks found, each with the loop's time."""

    def __init__(self, cellar: Cellar, checks: Sequence[type[Check]] = CHECKS) -> None:
        self.facts = Facts(cellar)
        self.objections: list[str] = []
        self.checks = [check(self.facts, self.objects) for check in checks]
        self.told: list[str] = []
        """The last things that the hub told."""
        self._loop = cellar.loop
        self._context = contextvars.Context()
        self._is_asked = False
        cellar.onlooker = self
        for plug in cellar.plugs.values():
            plug.witness = self
        self._loop.set_exception_handler(self._broken)
        self._log = _Log(self.objects)

    def check(self, kind: type[Check]) -> Any:
        """One of the checks."""
        return next(each for each in self.checks if type(each) is kind)

    def objects(self, text: str) -> None:
        """Keep an objection."""
        if len(self.objections) < MOST:
            self.objections.append(f"{self._loop.time() - START_S:.3f} s: {text}")

    def _broken(self, loop: Any, context: dict[str, Any]) -> None:
        self.objects(f"error: {context.get('message')}: {context.get('exception')!r}")

    def __enter__(self) -> Oracle:
        logging.getLogger("holdfast").addHandler(self._log)
        return self

    def __exit__(self, *error: object) -> None:
        logging.getLogger("holdfast").removeHandler(self._log)

    # --- looking -----------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Judge the present moment."""
        self._is_asked = False
        facts = self.facts
        for plug in facts.plugs.values():
            _ = plug.plug.is_on
        if facts.hub is None or facts.cellar.hub is None:
            for check in self.checks:
                check.look_down()
            return
        facts.take()
        facts.look()
        for check in self.checks:
            check.look()

    def _ask(self) -> None:
        if not self._is_asked:
            self._is_asked = True
            self._loop.call_soon(self.look, context=self._context)

    # --- Onlooker ----------------------------------------------------------------------------------------------------

    def hub_starts(self, hub: Hub) -> None:
        """See `Onlooker`."""
        self.facts.started(hub)
        self.facts.alarms_on.discard("hub/store")  # a new hub finds out anew
        for check in self.checks:
            check.hub_starts(hub)
        hub.stream.tap(lambda record: self._heard(hub, record))

    def hub_stops(self) -> None:
        """See `Onlooker`."""
        self.facts.is_stopping = True
        for check in self.checks:
            check.hub_stops()

    def hub_ended(self, *, is_killed: bool) -> None:
        """See `Onlooker`."""
        for check in self.checks:
            check.hub_ended(is_killed=is_killed)
        self.facts.ended()

    def site_changes(self, site: Mapping[str, Any]) -> None:
        """See `Onlooker`."""
        self.facts.site_changed(site)

    def sent(self, value: object) -> None:
        """See `Onlooker`."""
        facts = self.facts
        if isinstance(value, bool) or not isinstance(value, int | float) or not -20.0 <= value <= 60.0:
            facts.odd = True
        else:
            facts.odd = False
            facts.sent, facts.sent_grid = (facts.steady, value), from_entry(value)
        self._ask()

    def _heard(self, hub: Hub, record: Record) -> None:
        if hub is not self.facts.hub:
            return
        if record.kind is Kind.ALARM:
            change = self.facts.alarms_on.add if record.payload["is_on"] else self.facts.alarms_on.discard
            change(record.payload["target"])
        if record.kind is not Kind.READING:
            self.told.append(f"{self._loop.time() - START_S:.3f} s: {record.kind} {_short(record.payload)}")
            del self.told[:-40]
        for check in self.checks:
            check.heard(record)
        self._ask()

    # --- Witness -----------------------------------------------------------------------------------------------------

    def call_begun(self, plug: WatchedPlug, call: WireCall) -> None:
        """See `Witness`."""
        if call.life is None or call.life.is_over:
            return
        facts = self.facts.facts_of(plug)
        self.facts.call_begun(facts, call)
        for check in self.checks:
            check.call_begun(facts, call)

    def call_ended(self, plug: WatchedPlug, call: WireCall) -> None:
        """See `Witness`."""
        if call.life is None or call.life.is_over:
            return
        facts = self.facts.facts_of(plug)
        self.facts.call_ended(facts, call)
        for check in self.checks:
            check.call_ended(facts, call)
        self._ask()

    def moved(self, plug: WatchedPlug, move: Move) -> None:
        """See `Witness`."""
        facts = self.facts.facts_of(plug)
        self.facts.moved(facts, move)
        for check in self.checks:
            check.moved(facts, move)


class _Log(logging.Handler):
    """Errors with a traceback, and memories that cannot be read, are objections."""

    def __init__(self, objection: Any) -> None:
        super().__init__(logging.WARNING)
        self._objection = objection

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        text = record.getMessage()
        if record.exc_info or "cannot be read" in text:
            self._objection(f"log: {text}: {record.exc_info}")


_LONG = frozenset(
    {"phase", "purpose", "address", "sent_at", "ended_at", "after_at", "step", "by", "since", "issued_at"}
)


def _short(payload: Any) -> str:
    """What was told, without what is in its text already."""
    if isinstance(payload, dict):
        return str({key: value for key, value in payload.items() if key not in _LONG})
    return str(payload)
