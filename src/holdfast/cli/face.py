"""What the commands need of a hub, be it one that runs somewhere or one made for this command alone."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdfast.cli.records import Record


class Change(NamedTuple):
    """Something happened.

    ``kind`` is one of the stream's (``reading``, ``availability``, ``command`` …), or tells of the stream itself:
    ``connected``, ``resumed``, ``alive``, ``lost``.
    """

    kind: str
    record: Record


class Face(Protocol):
    """A hub as the commands see it. Raises `HoldfastError` only."""

    where: str
    """Its address, or the site file."""

    @property
    def is_here(self) -> bool:
        """Whether it sees the network as this machine does."""

    @property
    def is_own(self) -> bool:
        """Whether this process itself holds the links."""

    def devices(self) -> list[Record]:
        """All devices."""

    def device(self, device_id: str) -> Record:
        """One device; raises `UnknownTarget`."""

    def readings(self, device_id: str | None = None) -> list[Record]:
        """All readings, or those of one device or controller."""

    def links(self) -> list[Record]:
        """The link report of every endpoint."""

    def link(self, endpoint: str) -> Record:
        """One link, with the ``moments`` of its flight recorder."""

    def alarms(self) -> list[Record]:
        """The alarms that are on."""

    def command(
        self,
        target: str,
        value: object,
        *,
        timeout_s: float | None,
        wait: bool,
        take_over_s: float | None = None,
    ) -> Record:
        """Give a command; the receipt, ended if ``wait``. ``take_over_s``: take it over from its controller."""

    def changes(self) -> Iterator[Change]:
        """What happens, for ever."""

    def retry(self, device_id: str) -> None:
        """Try to reach a device now; raises `UnknownTarget`."""

    def settle(self, limit_s: float) -> None:
        """Wait until every device has been tried once, at most so long."""

    def pause(self, seconds: float) -> None:
        """Let time pass."""

    def close(self) -> None:
        """Take leave."""


class SiteFace(Face, Protocol):
    """The same with the controllers of the site."""

    def controllers(self) -> list[Record]:
        """All controllers."""

    def temperature_unit(self) -> str:
        """The unit in which its owner reads temperatures: ``°C`` or ``°F``."""

    def owner_of(self, target: str) -> str:
        """The controller that would guard a target and does not run here; empty if there is none."""


@contextmanager
def face_of(site: Path | None, *, device_of: str = "") -> Iterator[SiteFace]:
    """The hub that the user means: a site file's devices run here, or the hub of ``HOLDFAST_URL``.

    ``device_of`` is a target or name whose device alone is needed, or whose controller with what it names; with a site
    file the others are left in peace.
    """
    face: SiteFace
    if site is None:
        from holdfast.cli.client import hub_meant

        face = hub_meant()
    else:
        from holdfast.cli.own_hub import OwnHub

        face = OwnHub.of_file(site, device_of=device_of)
    try:
        yield face
    finally:
        face.close()
