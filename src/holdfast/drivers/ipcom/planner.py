"""What to do now for the open wishes of a house: a pure function of wishes, evidence, wire log and time.

Only whole modules can be written, so each frame is the module's eight outputs as just seen, with the open wishes laid
over them; that overlay is the only shadow there is. Wishes for one module that wait together share a frame. A frame is
built on a snapshot asked for after the wish and after the last write to the module, and at most 100 ms old at
arrival; a stop alone goes out on what is known. What the relays of covers carry is the interlock's word, whatever the
frame is for.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.drivers.ipcom.capabilities import CLOSE, OPEN, STOP, last_level_key
from holdfast.drivers.ipcom.codec import GROUP, MEMBER
from holdfast.drivers.ipcom.interlock import (
    FRESH_S,
    Interlock,
    Limits,
    Verdict,
    guard_mark,
    off_mark,
    on_mark,
    write_tag,
)
from holdfast.drivers.ipcom.levels import to_byte
from holdfast.drivers.ipcom.messages import OUTPUTS, ModuleWrite, offset
from holdfast.drivers.ipcom.wiring import OFF, RELAY_ON, Cover, Output, OutputKind, Place
from holdfast.link.planner import Done, Read, Refuse, Step, Wait, Warn
from holdfast.model import Authority

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from holdfast.drivers.ipcom.options import IpcomOptions
    from holdfast.link.planner import Action, Seen, Sight, WireLog, Wish

_LOOK: Final = Read(MEMBER, GROUP)


class _Need(NamedTuple):
    """A frame that something asks for; ``is_urgent`` ones wait for no fresh snapshot and no spacing."""

    module: int
    is_urgent: bool = False


class IpcomPlanner:
    """The planner of one house. Implements `holdfast.link.planner.Planner`."""

    def __init__(self, options: IpcomOptions) -> None:
        self.limits = Limits(options.bus_latency_s, options.dead_time_s)
        self.restores_level = options.restores_level
        self.outputs: Mapping[str, Output] = {output.key: output for output in options.outputs}
        self.covers: Mapping[str, Cover] = {cover.key: cover for cover in options.covers}
        self.outputs_of: dict[int, list[Output]] = {}
        self.covers_of: dict[int, list[Cover]] = {}
        for output in options.outputs:
            self.outputs_of.setdefault(output.place.module, []).append(output)
        for cover in options.covers:
            for module in {relay.module for relay in cover.relays}:
                self.covers_of.setdefault(module, []).append(cover)
        self.is_guarding = bool(options.covers)

    def __call__(self, wishes: Sequence[Wish], seen: Seen, sent: WireLog, now: float) -> Iterator[Action]:
        """What to do now. Warnings, refusals and waits first, then at most one `Read` or `Step`."""
        sight = seen.get((MEMBER, GROUP))
        if sight is not None:
            return _Moment(self, wishes, sight, sent, now).plan()
        return iter([_LOOK] if any(wish.try_at <= now for wish in wishes) else [])


class _Moment:
    """One run of the planner."""

    def __init__(
        self, house: IpcomPlanner, wishes: Sequence[Wish], sight: Sight, sent: WireLog, now: float
    ) -> None:
        self._house = house
        self._wishes = {wish.key: wish for wish in wishes}
        self._sight = sight
        self._state: bytes = sight.raw
        self._sent = sent
        self._now = now
        self._interlock = Interlock(sight, sent, now, house.limits)
        self._released: set[str] = set()  # covers whose relays must both be off, whoever wants what
        self._done: set[str] = set()
        self._wake_t = math.inf
        # Whoever wants something looks first: what was seen before may miss a switch pressed just then. The oldest
        # new wish decides, so that a stream of wishes cannot put the write off for ever.
        waiting = [wish.issued.n for wish in wishes if wish.sends == 0 and wish.try_at <= now]
        self._first_asked_n = min(waiting, default=-1)

    def plan(self) -> Iterator[Action]:
        needs: list[_Need | None] = []  # None: a fresh snapshot
        for cover in self._house.covers.values():
            yield from self._guard(cover, needs)
        for wish in sorted(self._wishes.values(), key=_rank):
            yield from self._serve(wish, needs)
        if self._wake_t < math.inf:
            yield Wait(self._wake_t)
        if needs:
            yield self._act(needs)

    def _act(self, needs: list[_Need | None]) -> Action:
        need = next((need for need in needs if need is not None and need.is_urgent), needs[0])
        if need is None or not (need.is_urgent or self._is_fresh(need.module)):
            return _LOOK
        return self._frame(need)

    # --- guarding: what is done without a wish ------------------------------------------------------------------

    def _guard(self, cover: Cover, needs: list[_Need | None]) -> Iterator[Action]:
        """Both relays on, or a motor that runs too long: both off at once, until they are seen off."""
        interlock = self._interlock
        reason_t = interlock.since(cover)
        if interlock.is_blocked(cover):
            yield Warn(cover.key, "both of its relays are on; both are being switched off")
            wish = self._wishes.get(cover.key)
            if wish is not None and wish.value != STOP:
                del self._wishes[cover.key]
                yield Refuse(
                    cover.key, "both of its relays are on: until they are off it can only be stopped"
                )
        elif (overrun_t := interlock.overrun_at(cover)) <= self._now:
            reason_t = overrun_t
            yield Warn(
                cover.key, f"it has run for {cover.maximum_run_s:g} s; its motor is being switched off"
            )
        elif interlock.is_being_released(cover):
            yield Warn(cover.key, "its motor still runs; it is being switched off")
        else:
            self._wake_at(overrun_t)
            return
        self._released.add(cover.key)
        for relay in cover.relays:
            if interlock.is_on(relay):
                due_t = interlock.release_at(relay, reason_t)
                if due_t <= self._now:
                    needs.append(_Need(relay.module, is_urgent=True))
                else:
                    self._wake_at(due_t)

    # --- wishes ---------------------------------------------------------------------------------------------------

    def _serve(self, wish: Wish, needs: list[_Need | None]) -> Iterator[Action]:
        """What this wish needs next."""
        if not self._is_due(wish):
            self._wake_at(wish.try_at)
            return
        cover = self._house.covers.get(wish.key)
        if cover is None:
            yield from self._serve_output(self._house.outputs[wish.key], wish, needs)
        elif wish.value != STOP:
            if cover.key not in self._released:  # an overrun motor rests before anything else
                yield from self._serve_motion(cover, wish, needs)
        else:
            waiting = [relay for relay in cover.relays if not self._is_told_off(relay, wish)]
            needs += [_Need(relay.module, is_urgent=True) for relay in waiting]

    def _serve_output(self, output: Output, wish: Wish, needs: list[_Need | None]) -> Iterator[Action]:
        byte = self._wanted_byte(output, wish)
        module = output.place.module
        if byte is None:
            del self._wishes[wish.key]
            yield Refuse(wish.key, f"{output.key} can be on or off, not {wish.value!r}")
        elif self._is_quiet(module) and self._is_so(output, byte) and _may_be_done(wish):
            yield from self._finish(wish, needs)
        else:
            needs.append(_Need(module))

    def _serve_motion(self, cover: Cover, wish: Wish, needs: list[_Need | None]) -> Iterator[Action]:
        relay = _relay_for(cover, wish)
        other = cover.partner(relay)
        is_so = self._interlock.is_on(relay) and not self._interlock.is_on(other)
        is_quiet = self._is_quiet(relay.module) and self._is_quiet(other.module)
        if is_so and is_quiet and _may_be_done(wish):
            yield from self._finish(wish, needs)
            return
        start = self._interlock.start(cover, relay)
        match start.verdict:
            case Verdict.GO:
                needs.append(_Need(relay.module))
            case Verdict.RELEASE:
                needs.append(_Need(other.module))
            case Verdict.LOOK:
                needs.append(None)
            case _:
                self._wake_at(start.until)

    def _finish(self, wish: Wish, needs: list[_Need | None]) -> Iterator[Action]:
        """It is already so: done, if that was asked about after the wish was made."""
        if self._sight.as_of.n > wish.issued.n:
            self._done.add(wish.key)
            yield Done(wish.key)
        else:
            needs.append(None)

    # --- frames -----------------------------------------------------------------------------------------------------

    def _frame(self, need: _Need) -> Step:
        """The eight outputs of a module as they shall be, and whom that serves."""
        module = need.module
        start = offset(module, 1)
        values = bytearray(self._state[start : start + OUTPUTS])
        serves: list[str] = []
        final: list[str] = []
        for output in self._house.outputs_of.get(module, ()):
            wish = self._wishes.get(output.key)
            if wish is None or not self._is_laid_over(wish):
                continue
            byte = self._wanted_byte(output, wish)
            if byte is not None:
                values[output.place.output - 1] = byte
                if self._is_due(wish) and wish.key not in self._done:
                    final.append(wish.key)
        marks = []
        for cover in self._house.covers_of.get(module, ()):
            relays = [relay for relay in cover.relays if relay.module == module]
            bytes_of = self._pair(cover)
            for relay in relays:
                values[relay.output - 1] = bytes_of[relay]
                marks.append((on_mark if bytes_of[relay] else off_mark)(relay))
            if cover.key in self._released:
                marks.append(guard_mark(cover))
            wish = self._wishes.get(cover.key)
            if wish is not None and self._is_due(wish) and wish.key not in self._done:
                (final if self._is_final(cover, wish, relays, bytes_of) else serves).append(wish.key)
        is_urgent = need.is_urgent or any(self._wishes[key].is_urgent for key in final)
        return Step(
            tag=write_tag(module),
            payload=ModuleWrite(module, bytes(values)),
            serves=(*serves, *final),
            final=tuple(final),
            marks=tuple(marks),
            is_urgent=is_urgent,
            member=MEMBER,
            group=GROUP,
        )

    def _pair(self, cover: Cover) -> dict[Place, int]:
        """What a frame says of the relays of a cover; never both on."""
        wish = self._wishes.get(cover.key)
        if cover.key in self._released or (
            wish is not None and self._is_laid_over(wish) and wish.value == STOP
        ):
            return dict.fromkeys(cover.relays, OFF)
        if wish is None or not self._is_laid_over(wish):
            return {relay: self._interlock.carried(cover, relay) for relay in cover.relays}
        relay = _relay_for(cover, wish)
        other = cover.partner(relay)
        is_go = (
            self._is_fresh(relay.module)
            and self._is_fresh(other.module)
            and self._interlock.start(cover, relay).verdict is Verdict.GO
        )
        is_kept = (
            wish.sends > 0 and self._interlock.is_on_its_way(relay) and not self._interlock.may_be_on(other)
        )
        byte = RELAY_ON if is_go or is_kept else self._interlock.carried(cover, relay)
        return {relay: byte, other: OFF}

    def _is_final(
        self, cover: Cover, wish: Wish, relays: Sequence[Place], bytes_of: Mapping[Place, int]
    ) -> bool:
        """Whether a frame with these relays of the cover completes an attempt."""
        if wish.value == STOP:
            return all(relay in relays or self._is_told_off(relay, wish) for relay in cover.relays)
        relay = _relay_for(cover, wish)
        return relay in relays and bytes_of[relay] != OFF

    # --- small questions ---------------------------------------------------------------------------------------------

    def _is_due(self, wish: Wish) -> bool:
        return wish.try_at <= self._now

    def _is_laid_over(self, wish: Wish) -> bool:
        """Whether frames carry it: as soon as it may go, and from then on until it has ended."""
        return wish.sends > 0 or self._is_due(wish)

    def _is_fresh(self, module: int) -> bool:
        """Whether a frame for the module may be built on what was seen.

        That also takes the modules that hold the other relays of its covers.
        """
        modules = {module}
        for cover in self._house.covers_of.get(module, ()):
            modules.update(relay.module for relay in cover.relays)
        as_of_n = self._sight.as_of.n
        is_young = self._now - self._sight.at <= FRESH_S and as_of_n > self._first_asked_n
        return is_young and all(as_of_n > self._sent[write_tag(each)].n for each in modules)

    def _is_quiet(self, module: int) -> bool:
        """Whether nothing written to the module can still be on its way to its outputs."""
        written = self._sent[write_tag(module)]
        return self._sight.as_of.n > written.n and self._now >= written.t + self._house.limits.bus_latency_s

    def _is_so(self, output: Output, byte: int) -> bool:
        shown = self._state[output.place.offset]
        return shown == byte if output.kind is OutputKind.DIMMER else (shown != OFF) is (byte != OFF)

    def _is_told_off(self, relay: Place, wish: Wish) -> bool:
        """Whether the relay was told off within the present attempt of a stop."""
        off = self._sent[off_mark(relay)]
        return off.n > wish.issued.n and off.t >= wish.try_at

    def _wanted_byte(self, output: Output, wish: Wish) -> int | None:
        """The byte of a wish, ``None`` for what an output without levels cannot do."""
        value = wish.value
        if output.kind is not OutputKind.DIMMER and value == 100:
            value = True
        if isinstance(value, bool):
            return self._byte_for_on(output) if value else OFF
        if output.kind is OutputKind.DIMMER and isinstance(value, int | float):
            return to_byte(value, output.module.scale)
        return OFF if value == 0 else None

    def _byte_for_on(self, output: Output) -> int:
        """The byte of "on" without a level: as it is if it is on, else the last level, else full."""
        if not output.module.is_dimmer:
            return RELAY_ON
        shown = self._state[output.place.offset]
        if shown != OFF:
            return shown
        last = self._sight.cells.get(last_level_key(output.key))
        if last is None or not self._house.restores_level or not isinstance(last.value, int):
            return output.module.scale
        return to_byte(last.value, output.module.scale)

    def _wake_at(self, when: float) -> None:
        self._wake_t = min(self._wake_t, when)


def _rank(wish: Wish) -> tuple[bool, int, int]:
    """Urgent ones first, then by authority, then by age."""
    return not wish.is_urgent, -wish.authority, wish.issued.n


def _may_be_done(wish: Wish) -> bool:
    """Whether a wish may end without a send; a standing order never does: it says OFF whatever is believed."""
    return wish.sends == 0 and wish.authority is not Authority.STANDING_ORDER


def _relay_for(cover: Cover, wish: Wish) -> Place:
    """The relay that moves a cover as wished."""
    return {OPEN: cover.up, CLOSE: cover.down}[str(wish.value)]
