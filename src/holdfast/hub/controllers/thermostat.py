"""One thermostat at work. It decides synchronously, on whatever is known at that moment, and acts afterwards.

What it does to a plug goes through the plug's own desk: commands while all is well, and a standing order for as long as
anything is unsafe. Nothing here waits for a device, and only an ON waits for the store.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from holdfast.control import (
    Decision,
    Evidence,
    Memory,
    Output,
    Pair,
    Role,
    State,
    acknowledge,
    decide,
    objection,
    replace_plug,
    start_profile,
    wake,
)
from holdfast.hub.controllers import asked
from holdfast.hub.controllers.assignment import Assignment
from holdfast.hub.controllers.entered import Entered
from holdfast.hub.controllers.evidence import PlugWatch, instant, sensed
from holdfast.hub.controllers.plugs import PlugDesk
from holdfast.hub.controllers.readings import capabilities_of, reading_of
from holdfast.hub.controllers.record import ASSIGNED, ENTERED, MEMORY, Record, stored
from holdfast.model import Authority, Capability, CommandState, Issuer, Quality, Reading, Receipt

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Collection, Mapping

    from holdfast.control import AlarmKind, Instant, ThermostatSettings
    from holdfast.control.profile import Position
    from holdfast.hub.hub import Hub
    from holdfast.hub.site.spec import ControllerSpec
    from holdfast.link.device import LinkedDevice
    from holdfast.model import Value

STOPPED: Final = (State.OFF, State.NO_READING, State.CONFIGURATION_ERROR, State.SWAPPED_PLUGS)
"""States in which both plugs are kept off, so that the state is the cause."""

FAULT: Final = "fault"
"""The alarm of a thermostat that could not decide; over with the next decision."""

log = logging.getLogger("holdfast.control")


class Thermostat:
    """Keeps one vessel between its limits. ``saved`` is what the store kept of it, by key."""

    def __init__(self, hub: Hub, spec: ControllerSpec, saved: Mapping[str, Any] | None = None) -> None:
        saved = saved or {}
        self._hub = hub
        self.id = spec.id
        self.spec = spec
        self._entered = Entered.from_record(saved.get(ENTERED), spec.raw)
        self.settings: ThermostatSettings = self._entered.settings(spec.settings, spec.raw)
        self._memory = wake(stored(saved.get(MEMORY)), instant(hub.clock))
        self._assigned = Assignment.from_record(saved.get(ASSIGNED))
        self.decision: Decision | None = None
        self.plugs: Pair[PlugDesk] = self._desks()
        self._shown: dict[str, tuple[Value, Quality]] = {}
        self._told: tuple[Any, ...] = ()
        self._set_here: set[str] = set()  # what was set in this run, also where it says what the site says
        self._record = Record(hub, spec.id)
        self._timer: asyncio.TimerHandle | None = None
        self._is_asked = False
        self.is_running = False

    def __repr__(self) -> str:
        return f"<Thermostat {self.id}>"

    @property
    def name(self) -> str:
        """What people call it."""
        return self.spec.name

    @property
    def memory(self) -> Memory:
        """What it carries from one decision to the next."""
        return self._memory

    @property
    def entered(self) -> Entered:
        """What was set while it ran."""
        return self._entered

    @property
    def sources(self) -> set[str]:
        """The targets that it goes by."""
        settings = self.settings
        targets = (settings.sensor, settings.gravity, settings.heater, settings.cooler)
        return {target for target in targets if target}

    # --- its life ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to control; the first look is taken at once."""
        self.is_running = True
        self._assign(self.settings.sensor)
        self.look()

    def stop(self) -> None:
        """Decide nothing any more; no timer and no task is left. Who stops the hub sees to the plugs."""
        if self.is_running:
            self._record.keep_last(self._memory, instant(self._hub.clock))
        self.is_running = False
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self._record.close()
        self._publish()

    def retire(self) -> None:
        """It goes for good."""
        self.stop()
        self._record.forget()

    def adapt(self, spec: ControllerSpec) -> None:
        """The site says something else. What was set meanwhile stays where the site did not change it."""
        before = self.settings
        self.spec = spec
        self._entered = Entered.from_record(self._entered.to_record(), spec.raw)
        self._record.keep(ENTERED, self._entered.to_record())
        self._use(self._entered.settings(spec.settings, spec.raw))
        for role in Role:
            if before.targets.of(role) != self.settings.targets.of(role):
                self._memory = replace_plug(self._memory, role)
        self.plugs = self._desks(self.plugs)
        if self.is_running:
            self._assign(self.settings.sensor)
            self.look()

    def plugs_replaced(self, devices: Collection[str]) -> None:
        """These devices were made anew: what is behind their plugs may be another compressor, and has just stopped."""
        for role in self.settings.roles:
            target = self.settings.targets.of(role)
            if target.partition("/")[0] in devices:
                self._memory = replace_plug(self._memory, role)
                issuer = Issuer(self.id, Authority.CONTROLLER)
                self.plugs = self.plugs.put(role, PlugDesk(self._hub, issuer, PlugWatch(target)))

    def catch_up(self, saved: Mapping[str, Any]) -> None:
        """The store answers only now: what was set in an earlier run holds, unless it was set anew in this one.

        What was remembered of the plugs is of no use any more: this run began as if they had just stopped.
        """
        earlier = Entered.from_record(saved.get(ENTERED), self.spec.raw)
        rest = {key: entry for key, entry in earlier.entries.items() if key not in self._set_here}
        self._entered = Entered({**rest, **self._entered.entries})
        assigned = Assignment.from_record(saved.get(ASSIGNED))
        if assigned.sensor == self._assigned.sensor:
            self._assigned = assigned
            self._record.keep(ASSIGNED, assigned.to_record())
        self._record.keep(ENTERED, self._entered.to_record())
        self._use(self._entered.settings(self.spec.settings, self.spec.raw))
        self.ask()

    def _desks(self, before: Pair[PlugDesk] | None = None) -> Pair[PlugDesk]:
        def desk(role: Role) -> PlugDesk:
            target = self.settings.targets.of(role)
            if before is not None and before.of(role).watch.target == target:
                return before.of(role)
            return PlugDesk(self._hub, Issuer(self.id, Authority.CONTROLLER), PlugWatch(target))

        return Pair(desk(Role.HEATER), desk(Role.COOLER))

    def _use(self, settings: ThermostatSettings) -> None:
        if settings.profile != self.settings.profile:
            self._memory = start_profile(self._memory, instant(self._hub.clock))
        self.settings = settings

    def _assign(self, sensor: str) -> None:
        if self._assigned.sensor != sensor:
            self._assigned = Assignment(sensor, self._hub.clock.now())
            self._record.keep(ASSIGNED, self._assigned.to_record())

    # --- deciding ----------------------------------------------------------------------------------------------------

    def ask(self) -> None:
        """Look again as soon as the present call is over."""
        if not self._is_asked and self.is_running:
            self._is_asked = True
            self._hub.core.loop.call_soon(self.look)

    def look(self) -> None:
        """Decide on what is known now, remember it, tell it, and do it."""
        self._is_asked = False
        if not self.is_running:
            return
        try:
            look_s = self._look()
        except Exception as error:  # noqa: BLE001 - a fault of ours must not leave a heater on
            look_s = self._failed(error)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._hub.core.loop.call_later(look_s, self.look)

    def _look(self) -> float:
        """One look; seconds until the next."""
        now = instant(self._hub.clock)
        for role in self.settings.roles:
            self.plugs.of(role).settle(is_wanted=self._is_wanted(role))
        decision = decide(self.settings, self.evidence(now), self._memory, now)
        self._memory = decision.memory
        self.decision = decision
        self._record.keep_memory(self._memory, now, is_moving=bool(self.settings.profile))
        self._tell(decision)
        for role in self.settings.roles:
            self._carry_out(role, decision, now)
        return decision.look_s

    def _failed(self, error: Exception) -> float:
        """It could not decide: both plugs are kept off, it is told, and the next cycle tries again."""
        log.error("%s could not decide", self.id, exc_info=error)
        text = f"the thermostat failed ({type(error).__name__}: {error}): heater and cooler are kept off"
        if (self.id, FAULT) not in self._hub.alarms:
            self._hub.tell_alarm(self.id, FAULT, text, is_on=True)
        for role in self.settings.roles:
            self.plugs.of(role).keep_off(f"{self.id}: {text}")
        return self.settings.cycle_s

    def evidence(self, now: Instant) -> Evidence:
        """What is known at this moment."""
        settings, hub = self.settings, self._hub
        plugs = Pair(*(self.plugs.of(role).watch.look(hub, now) for role in Role))
        return Evidence(
            reading=sensed(hub, settings.sensor) if settings.sensor else None,
            gravity=sensed(hub, settings.gravity) if settings.gravity else None,
            plugs=plugs,
            assigned_s=self._assigned.age_s(now),
        )

    def _is_wanted(self, role: Role) -> bool | None:
        """What is wanted of a plug; ``None`` where it is not ours to want anything."""
        output = None if self.decision is None else self.decision.outputs.of(role)
        return None if output in (None, Output.RELEASED) else output is Output.ON

    def _carry_out(self, role: Role, decision: Decision, now: Instant) -> None:
        plug = self.plugs.of(role)
        match decision.outputs.of(role):
            case Output.SAFETY_OFF:
                plug.keep_off(f"{self.id}: {self._why_off(role, decision)}")
            case Output.OFF:
                plug.let_go()
                plug.switch(is_on=False, now=now)
            case Output.ON:
                plug.let_go()
                if plug.wants_on(now):
                    if self._record.is_safe(self._memory):
                        plug.switch(is_on=True, now=now, gate=lambda: self._objection(role))
                    else:
                        self._record.make_safe(self._memory, self.ask)
            case _:
                plug.let_go()

    def _why_off(self, role: Role, decision: Decision) -> str:
        if not self.settings.modes.of(role):
            return f"{'heating' if role is Role.HEATER else 'cooling'} is not enabled"
        if decision.state in STOPPED:
            return f"{decision.state}: {decision.reason}"
        return f"the {role}'s plug has not proved that it is off"

    def _objection(self, role: Role) -> str:
        """Why an ON may not be written at this very moment; empty if it may."""
        if not self.is_running:
            return f"{self.id} has stopped"
        now = instant(self._hub.clock)
        try:
            decision = decide(self.settings, self.evidence(now), self._memory, now)
        except Exception as error:  # noqa: BLE001 - as in `look`
            return f"{self.id} failed: {type(error).__name__}: {error}"
        return "" if decision.is_wanted(role) else f"{self.id} does not want it any more: {decision.reason}"

    # --- telling -----------------------------------------------------------------------------------------------------

    def _tell(self, decision: Decision) -> None:
        hub = self._hub
        active = {alarm.kind.value: alarm.text for alarm in decision.alarms}
        for device_id, key in [each for each in hub.alarms if each[0] == self.id]:
            if key not in active:
                hub.tell_alarm(device_id, key, hub.alarms[device_id, key]["text"], is_on=False)
        for key, text in active.items():
            if (self.id, key) not in hub.alarms:
                hub.tell_alarm(self.id, key, text, is_on=True)
        outputs = {role.value: decision.outputs.of(role).value for role in self.settings.roles}
        told = (decision.state, outputs)
        if told != self._told:
            self._told = told
            log.info("%s: %s: %s", self.id, decision.state, decision.reason)
            hub.note("control", decision.reason, device=self.id, state=decision.state.value, wanted=outputs)
        self._publish()

    def _publish(self) -> None:
        """Readings that are different now go out."""
        for capability in self.capabilities.values():
            reading = self.reading(capability)
            shown = (reading.value, reading.quality)
            if self._shown.get(capability.key) != shown:
                self._shown[capability.key] = shown
                self._hub.publish_reading(reading)

    def receipt_changed(self, receipt: Receipt) -> None:
        """A command on one of its plugs took a step."""
        for role in self.settings.roles:
            if receipt.target == self.settings.targets.of(role):
                self.plugs.of(role).receipt_changed(receipt, instant(self._hub.clock))
        if receipt.state.is_end:
            self.ask()

    # --- what is known -----------------------------------------------------------------------------------------------

    @property
    def capabilities(self) -> Mapping[str, Capability]:
        """What it reports and takes, by key."""
        return capabilities_of(self.settings)

    def reading(self, capability: Capability) -> Reading:
        """What is known of one of its capabilities at this moment; of decisions nothing once it has stopped. No I/O."""
        decision = self.decision if self.is_running else None
        return reading_of(self._hub, self.id, self.settings, decision, capability)

    # --- what people ask of it ---------------------------------------------------------------------------------------

    def command(self, key: str, value: object, issuer: Issuer, timeout_s: float | None = None) -> Receipt:
        """Take a command on one of its own capabilities; it has ended when this returns."""
        why = ""
        try:
            self._enter(asked.of_command(self.settings, self._memory, key, value), issuer)
        except asked.NotPossible as error:
            why = error.text
        return self._answered(key, value, issuer, why)

    def set_limits(self, limits: Mapping[str, object], issuer: Issuer) -> None:
        """Set limits at once, as entered, with the keys of the site (``low``, ``high``, ``cooling``).

        Raises `NotPossible`.
        """
        self._enter(asked.of_limits(self.settings, self._memory, limits), issuer)

    def set_profile(self, steps: list[Any], issuer: Issuer) -> None:
        """Follow these steps from the first one on; without any the usual limits hold. Raises `NotPossible`."""
        raw = self._entered.laid_over(self.spec.raw)
        self._enter(asked.of_profile(self.settings, raw, steps), issuer)
        self._memory = start_profile(self._memory, instant(self._hub.clock))
        self.ask()

    def move_profile(self, move: str, issuer: Issuer) -> None:
        """One of `asked.MOVES`; raises `NotPossible`."""
        self._memory = asked.moved(self.settings, self._memory, move, instant(self._hub.clock))
        self._hub.note("control", f"{issuer.name}, profile: {move}", device=self.id)
        self.ask()

    @property
    def position(self) -> Position:
        """The place in the profile."""
        return self._memory.position

    def acknowledge(self, kind: AlarmKind, issuer: Issuer) -> None:
        """A person has seen an alarm; plugs that looked swapped may be used again."""
        self._memory = acknowledge(self._memory, kind)
        self._hub.note("control", f"{issuer.name} acknowledged {kind.value}", device=self.id)
        self.ask()

    def _enter(self, values: Mapping[str, Any], issuer: Issuer) -> None:
        """Values that hold from now on, also after a restart."""
        words = ", ".join(f"{key} {'steps' if key == 'profile' else value}" for key, value in values.items())
        self._hub.note("control", f"{issuer.name} set {words}", device=self.id)
        self._set_here |= values.keys()
        for key, value in values.items():
            self._entered = self._entered.put(key, value, self.spec.raw)
        self._record.keep(ENTERED, self._entered.to_record())
        self._use(self._entered.settings(self.spec.settings, self.spec.raw))
        self.look()
        if not self.is_running:
            self._publish()

    def _answered(self, key: str, value: object, issuer: Issuer, why: str) -> Receipt:
        now = self._hub.clock.now()
        receipt = Receipt(
            id=self._hub.core.new_id("c"),
            target=f"{self.id}/{key}",
            value=value if isinstance(value, bool | int | float | str) else None,
            issuer=issuer.name,
            state=CommandState.REFUSED if why else CommandState.VERIFIED,
            reason=why,
            timeout_s=0.0,
            created_at=now,
            ended_at=now,
            ended_after_s=0.0,
        )
        self._hub.publish_receipt(receipt)
        return receipt

    # --- take-over ---------------------------------------------------------------------------------------------------

    def command_plug(
        self,
        role: Role,
        device: LinkedDevice,
        capability: Capability,
        value: object,
        issuer: Issuer,
        timeout_s: float | None,
        take_over_s: float | None,
    ) -> Receipt:
        """Somebody else commands one of its plugs: persons may for a time, nobody else, and nobody against safety."""
        return self.plugs.of(role).command_by(
            device,
            capability,
            issuer,
            value,
            timeout_s,
            take_over_s,
            owner=self.id,
            forbids_on=lambda now: objection(self.settings, self.evidence(now), self._memory, role, now),
            then=self.ask,
        )

    def give_back(self, role: Role, issuer: Issuer) -> None:
        """A person's take-over is over."""
        text = f"{issuer.name} gives back {self.settings.targets.of(role)}"
        self._hub.note("take-over", text, device=self.id, target=self.settings.targets.of(role))
        self.plugs.of(role).give_back()
        self.ask()
