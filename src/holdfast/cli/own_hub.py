"""A hub made for one command: the site file's devices, one session each, gone when the command ends.

The event loop runs only while something is awaited. That is enough for commands that ask, wait and print, and it
keeps them free of threads: what they print can never meet a device half way.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from holdfast.app import FAMILIES, run_site
from holdfast.cli import loops, names
from holdfast.cli.face import Change
from holdfast.cli.log_output import logging_to_stderr
from holdfast.cli.records import (
    controller_record,
    device_record,
    reading_record,
    reason_record,
    receipt_record,
    stamp,
)
from holdfast.cli.site_secrets import secrets_of
from holdfast.cli.units import CELSIUS, UNITS
from holdfast.errors import UnknownTarget
from holdfast.hub.events import Kind
from holdfast.hub.site.yaml import load_site
from holdfast.model import Authority, Availability, Issuer

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Sequence
    from pathlib import Path

    from holdfast.cli.records import Record
    from holdfast.hub.events import Record as StreamRecord
    from holdfast.hub.hub import Hub
    from holdfast.hub.site.spec import ControllerSpec, SiteSpec

T = TypeVar("T")

ALIVE_S = 10.0
"""A sign of life for those who watch a quiet house."""
PERSON = Issuer("command line", Authority.PERSON)


class OwnHub:
    """The `Face` of devices that this process itself is connected to."""

    is_here = True
    is_own = True

    def __init__(self, spec: SiteSpec, where: str, left_out: Sequence[ControllerSpec] = ()) -> None:
        self.where = where
        self._temperature_unit = UNITS.get(spec.temperature_unit, CELSIUS)
        self._left_out = left_out
        self._stack = contextlib.AsyncExitStack()
        with contextlib.ExitStack() as around:
            # Failures are told by availability and receipts; the log is for what nobody foresaw.
            around.enter_context(logging_to_stderr("error", secrets=secrets_of(spec.devices)))
            around.callback(_as_interrupt(signal.SIGTERM))
            self._runner = around.enter_context(loops.runner())
            self.hub: Hub = self._runner.run(self._stack.enter_async_context(run_site(spec))).hub
            self._around = around.pop_all()

    @classmethod
    def of_file(cls, file: Path, *, device_of: str = "") -> OwnHub:
        """What a site file has, or only the device or controller that ``device_of`` names or belongs to.

        A controller brings the devices that it names. A device comes without its controller.
        """
        spec = load_site(file, FAMILIES)
        if not device_of:
            return cls(spec, str(file))
        ident = device_meant(device_of, spec)
        controllers = tuple(each for each in spec.controllers if each.id == ident)
        meant = {ident, *(target.partition("/")[0] for each in controllers for target in _targets(each))}
        devices = tuple(each for each in spec.devices if each.device.id in meant)
        left_out = [each for each in spec.controllers if each not in controllers]
        return cls(replace(spec, devices=devices, controllers=controllers), str(file), left_out)

    # --- what is known ------------------------------------------------------------------------------------

    def devices(self) -> list[Record]:
        """All devices."""
        return [device_record(device) for device in self.hub.devices.values()]

    def device(self, device_id: str) -> Record:
        """One device; raises `UnknownTarget`."""
        return device_record(self.hub.device(device_id))

    def controllers(self) -> list[Record]:
        """All controllers."""
        return [controller_record(self.hub, each) for each in self.hub.controllers]

    def temperature_unit(self) -> str:
        """The unit in which the site's owner reads temperatures."""
        return self._temperature_unit

    def owner_of(self, target: str) -> str:
        """The controller that would guard a target and was left out; empty if there is none."""
        owners = [
            each.id for each in self._left_out if target in (each.settings.heater, each.settings.cooler)
        ]
        return owners[0] if owners else ""

    def readings(self, device_id: str | None = None) -> list[Record]:
        """All readings, or those of one device or controller."""
        return [reading_record(each) for each in self.hub.readings(device_id)]

    def links(self) -> list[Record]:
        """The link report of every endpoint."""
        return [{**link.as_dict(), "reason": reason_record(link.reason)} for link in self.hub.links.values()]

    def link(self, endpoint: str) -> Record:
        """One link, with the ``moments`` of its flight recorder."""
        [link] = [each for each in self.hub.links.values() if str(each.endpoint) == endpoint]
        now = self.hub.core.now()
        moments = [
            {"ago_s": now - moment.t, "kind": moment.kind, "text": moment.text}
            for moment in link.recorder.moments()
        ]
        return {**link.as_dict(), "reason": reason_record(link.reason), "moments": moments}

    def alarms(self) -> list[Record]:
        """The alarms that are on."""
        return [{**each, "since": stamp(each["since"])} for each in self.hub.alarms.values()]

    # --- what to do -----------------------------------------------------------------------------------------

    def command(
        self,
        target: str,
        value: object,
        *,
        timeout_s: float | None,
        wait: bool,
        take_over_s: float | None = None,
    ) -> Record:
        """Give a command; the receipt."""

        async def give() -> Record:
            receipt = self.hub.command(target, value, PERSON, timeout_s, take_over_s=take_over_s)
            return receipt_record(await self.hub.ended(receipt) if wait else receipt)

        return self._run(give())

    def retry(self, device_id: str) -> None:
        """Try to reach a device now; raises `UnknownTarget`."""
        self.hub.retry(device_id)

    def changes(self) -> Iterator[Change]:
        """What happens, for ever."""
        with contextlib.closing(self.hub.stream.latest()) as stream:
            yield Change("connected", {})
            while True:
                record = self._run(_within(stream.__anext__, ALIVE_S))
                yield Change("alive", {}) if record is None else self._told(record)

    def _told(self, record: StreamRecord) -> Change:
        payload: Any = record.payload
        match record.kind:
            case Kind.READING:
                payload = reading_record(self.hub.reading(payload.target))
            case Kind.COMMAND:
                payload = receipt_record(payload)
            case Kind.AVAILABILITY:
                payload = {**payload, "reason": reason_record(payload["reason"])}
            case Kind.EVENT:
                payload = {"device": None, **payload, "data": payload}
        return Change(record.kind.value, payload)

    def settle(self, limit_s: float) -> None:
        """Wait until every device has been tried once, at most so long."""
        self._run(_within(self._all_tried, limit_s))

    async def _all_tried(self) -> None:
        def untried() -> bool:
            return any(each.availability is Availability.UNKNOWN for each in self.hub.devices.values())

        async with self.hub.stream.latest(lambda record: record.kind is Kind.AVAILABILITY) as news:
            while untried():
                await anext(news)

    def pause(self, seconds: float) -> None:
        """Let time pass; the links live on meanwhile."""
        self._run(asyncio.sleep(seconds))

    def close(self) -> None:
        """Say goodbye to the devices."""
        with self._around:
            self._runner.run(self._stack.aclose())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)


async def _within(work: Callable[[], Any], seconds: float) -> Any:
    try:
        async with asyncio.timeout(seconds):
            return await work()
    except TimeoutError:
        return None


def _targets(controller: ControllerSpec) -> tuple[str, ...]:
    settings = controller.settings
    return (settings.sensor, settings.gravity, settings.heater, settings.cooler)


def device_meant(name: str, spec: SiteSpec) -> str:
    """The device or controller that an id, a target or a name belongs to; raises `UnknownTarget`."""
    ids = [each.device.id for each in spec.devices] + [each.id for each in spec.controllers]
    head = name.partition("/")[0]
    if head in ids:
        return head
    known = [
        names.Known(
            f"{each.device.id}/{capability.key}",
            capability.name,
            tuple(each.device.outputs.get(capability.key, {}).get("aliases", ())),
        )
        for each in spec.devices
        for driver in each.drivers
        for capability in driver.capabilities
        if capability.writable
    ]
    try:
        return names.find(name, known).partition("/")[0]
    except UnknownTarget as error:
        listed = ", ".join(ids) or "none"
        raise UnknownTarget(error.text, advice=f"Known devices: {listed}. {error.advice}") from None


def _as_interrupt(number: signal.Signals) -> Callable[[], None]:
    """Let a signal end the command as Ctrl-C does, with a goodbye; returns how to undo that."""

    def interrupt(received: int, frame: object) -> None:
        signal.raise_signal(signal.SIGINT)

    def undo() -> None:
        signal.signal(number, before)

    try:
        before = signal.signal(number, interrupt)
    except ValueError:  # not in the main thread: signals are somebody else's business
        return lambda: None
    return undo
