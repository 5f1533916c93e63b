"""What is done to a controller's plug: switched, kept off for as long as it must be, or lent to a person."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from holdfast.hub.controllers.evidence import PlugWatch, instant
from holdfast.link.wishes import always_open
from holdfast.model import Authority, CommandState, Issuer, Receipt

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.control import Instant
    from holdfast.hub.hub import Hub
    from holdfast.link.device import LinkedDevice
    from holdfast.link.wishes import Gate
    from holdfast.model import Capability

SAME_AGAIN_S: Final = 10.0
"""The same command that succeeded is given at most once in so long; what failed is never held up (fact sheet on
control, section 3)."""
FAILED_AGAIN_S: Final = 1.0
REFUSED_AGAIN_S: Final = 10.0
"""A command that failed has tried for seconds, usually; one that was refused was refused at once, and would be again:
the next one comes with the next cycle. Without these a driver's fault would be asked without a pause."""
TAKE_OVER_S: Final = 3600.0
"""How long a person keeps a plug, unless said (design: commands out)."""
LONGEST_TAKE_OVER_S: Final = 86_400.0
"""A plug that is lent for longer than a day belongs to somebody else: change the site."""


class PlugDesk:
    """One plug in the hands of one controller."""

    def __init__(self, hub: Hub, issuer: Issuer, watch: PlugWatch) -> None:
        self._hub = hub
        self._issuer = issuer
        self.watch = watch
        self._done: tuple[object, float] = (None, -math.inf)
        """The last value that was verified, and when."""
        self._again_s = -math.inf
        """Not before this moment is a command given again that went wrong."""

    # --- kept off ----------------------------------------------------------------------------------------------------

    def keep_off(self, cause: str) -> None:
        """A standing order: OFF until the plug reports it, whatever is believed, and for as long as the cause holds."""
        found = self.watch.find(self._hub)
        if found is None:
            return
        device, capability = found
        if capability.key in device.desk.orders:
            device.desk.hold(capability.key)
        elif capability.fail_safe is not None:
            self._hub.order(self.watch.target, capability.fail_safe, cause)

    def let_go(self) -> None:
        """Nothing is unsafe any more; an order that is not verified yet stands until it is."""
        found = self.watch.find(self._hub)
        if found is None:
            return
        device, capability = found
        order = device.desk.orders.get(capability.key)
        if order is not None and not order.is_released:
            self._hub.release(self.watch.target)

    # --- switched ----------------------------------------------------------------------------------------------------

    def wants_on(self, now: Instant) -> bool:
        """Whether an ON would have to be sent now."""
        found = self.watch.find(self._hub)
        return found is not None and self._must_send(*found, is_on=True, now=now)

    def switch(self, *, is_on: bool, now: Instant, gate: Gate = always_open) -> None:
        """Command it, unless it is so by fresh evidence, or on its way there, or a standing order holds it."""
        found = self.watch.find(self._hub)
        if found is not None and self._must_send(*found, is_on=is_on, now=now):
            device, capability = found
            device.command(capability.key, is_on, self._issuer, gate=gate)

    def _must_send(self, device: LinkedDevice, capability: Capability, *, is_on: bool, now: Instant) -> bool:
        key = capability.key
        if key in device.desk.orders or now.steady_s < self._again_s:
            return False
        command = device.desk.commands.get(key)
        if command is not None and (command.value is is_on or command.authority > self._issuer.authority):
            return False
        if command is None and device.reading(capability).value is is_on:
            return False
        value, at_s = self._done
        return value is not is_on or now.steady_s - at_s >= SAME_AGAIN_S

    def settle(self, *, is_wanted: bool | None) -> None:
        """What went wrong is forgiven once the plug shows what is wanted of it, and what a person tried is his."""
        if is_wanted is None:
            self.watch.error = ""
        found = self.watch.find(self._hub)
        if found is not None and is_wanted is not None and self.watch.error:
            device, capability = found
            if capability.key not in device.desk.commands and device.reading(capability).value is is_wanted:
                self.watch.error = ""

    def receipt_changed(self, receipt: Receipt, now: Instant) -> None:
        """Remember what came of a command, whoever gave it."""
        match receipt.state:
            case CommandState.VERIFIED:
                self.watch.error = ""
                self._done = (receipt.value, now.steady_s)
            case CommandState.FAILED | CommandState.EXPIRED:
                self.watch.error = receipt.reason
                self._again_s = now.steady_s + FAILED_AGAIN_S
            case CommandState.REFUSED if receipt.issuer == self._issuer.name:
                self.watch.error = receipt.reason
                self._again_s = now.steady_s + REFUSED_AGAIN_S

    # --- lent --------------------------------------------------------------------------------------------------------

    def command_by(
        self,
        device: LinkedDevice,
        capability: Capability,
        issuer: Issuer,
        value: object,
        timeout_s: float | None,
        take_over_s: float | None,
        *,
        owner: str,
        forbids_on: Callable[[Instant], str],
        then: Callable[[], None],
    ) -> Receipt:
        """Somebody else's command. Refused unless a person has taken the plug over, or does so by this command."""
        now = instant(self._hub.clock)
        before_s = self.watch.taken_over_until_s
        why = ""
        if take_over_s is not None:
            why = _no_take_over(issuer, take_over_s)
            if not why:
                self.watch.taken_over_until_s = now.steady_s + take_over_s

        def gate() -> str:
            at = instant(self._hub.clock)
            if why:
                return why
            if at.steady_s >= self.watch.taken_over_until_s:
                return f"{self.watch.target} belongs to {owner}: a person may take it over (take_over_s)"
            if issuer.authority < Authority.PERSON:
                return f"{self.watch.target} belongs to {owner}: only a person may take it over"
            return forbids_on(at) if value is True else ""

        receipt = device.command(capability.key, value, issuer, timeout_s, gate=gate)
        if receipt.state is CommandState.REFUSED:
            self.watch.taken_over_until_s = before_s
        elif take_over_s is not None:
            text = f"{issuer.name} takes over {self.watch.target} for {take_over_s:g} s"
            self._hub.note("take-over", text, device=owner, target=self.watch.target)
            then()
        return receipt

    def give_back(self) -> None:
        """The controller decides again."""
        self.watch.taken_over_until_s = -math.inf


def _no_take_over(issuer: Issuer, take_over_s: float) -> str:
    if issuer.authority < Authority.PERSON:
        return "only a person may take over what a controller owns"
    if not 0.0 < take_over_s <= LONGEST_TAKE_OVER_S:
        return f"take_over_s must be a number above 0 and at most {LONGEST_TAKE_OVER_S:g}"
    return ""
