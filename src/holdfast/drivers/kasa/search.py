"""Looking for a plug by UDP: at its address for its kind, or everywhere for its hardware address.

Only at set-up and after repeated failure, never on the way of a command: UDP is unreliable on busy wireless
networks and does not pass between networks (Kasa fact sheet section 5 number 15).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from holdfast.drivers.kasa.faults import Meaning, meaning_of, unsupported
from holdfast.drivers.kasa.options import plain_mac
from holdfast.drivers.kasa.ways import LIBRARY_TIMEOUT_S, Way, credentials_of, way_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.drivers.kasa.library import KasaLibrary
    from holdfast.drivers.kasa.options import KasaOptions

ASK_S: Final = 2
"""How long one plug may take to say what it is; it answers the first packet within a second. Whole, as the library
wants it."""
LOOK_S: Final = 3
"""How long all plugs may take."""
MARGIN_S: Final = 0.5
"""For closing the library's socket."""
LEAVE_S: Final = 0.3
"""How long closing a device object may take."""


class Search:
    """Finds the way to one plug."""

    def __init__(self, library: KasaLibrary, options: KasaOptions) -> None:
        self._library = library
        self._options = options

    async def ask(self, host: str, mac: str) -> Way | None:
        """What the plug at ``host`` says it is; ``None`` if it is silent, or another one than ``mac``.

        Raises `Unsupported` when it says that it speaks nothing we do.
        """
        heard: dict[str, str] = {}
        try:
            async with asyncio.timeout(ASK_S + MARGIN_S):
                device = await self._library.Discover.discover_single(
                    host,
                    discovery_timeout=ASK_S,
                    port=self._options.port,
                    timeout=LIBRARY_TIMEOUT_S,
                    credentials=credentials_of(self._library, self._options),
                    on_discovered_raw=lambda raw: _note(heard, raw),
                )
        except Exception as error:  # noqa: BLE001 - a search that fails has found nothing
            self._if_unsupported(error)
            return None
        if device is None:
            return None
        way = way_of(device.config)
        await leave(device)
        # Heard under its number, while the owner may have written a name: whoever it was, it was one.
        if mac and heard and mac not in heard.values():
            return None
        return way.at(host)  # as the owner wrote it: a name may move

    async def look(self, mac: str) -> Way | None:
        """Where the plug with this hardware address is now; ``None`` if it does not answer.

        Raises `Unsupported` when it answers that it speaks nothing we do.
        """
        heard: dict[str, str] = {}
        refused: list[Exception] = []

        async def on_unsupported(error: Exception) -> None:
            refused.append(error)

        try:
            async with asyncio.timeout(LOOK_S + MARGIN_S):
                devices = await self._library.Discover.discover(
                    target=self._options.broadcast,
                    discovery_timeout=LOOK_S,
                    port=self._options.port,
                    timeout=LIBRARY_TIMEOUT_S,
                    credentials=credentials_of(self._library, self._options),
                    on_discovered_raw=lambda raw: _note(heard, raw),
                    on_unsupported=on_unsupported,
                )
        except Exception:  # noqa: BLE001 - the same
            return None
        ways = [way_of(each.config) for each in devices.values()]
        await _leave_all(devices.values())
        for way in ways:
            if heard.get(way.host) == mac:
                return way
        for error in refused:
            if heard.get(str(getattr(error, "host", ""))) == mac:
                raise unsupported(error, self._library)
        return None

    def _if_unsupported(self, error: Exception) -> None:
        if meaning_of(error, self._library) is Meaning.UNSUPPORTED:
            raise unsupported(error, self._library) from error


def _note(heard: dict[str, str], raw: Any) -> None:
    """Keep the hardware address of one answer; called by the library, so nothing may escape."""
    try:
        heard[raw["meta"]["ip"]] = mac_of(raw["discovery_response"])
    except (KeyError, TypeError):
        return


def mac_of(answer: Any) -> str:
    """The hardware address in an answer to discovery, old or new; empty if it holds none."""
    if not isinstance(answer, dict):
        return ""
    old = answer.get("system")
    told = old.get("get_sysinfo") if isinstance(old, dict) else answer.get("result")
    return told_mac(told)


def told_mac(info: Any) -> str:
    """The hardware address in what a plug tells of itself, old or new; empty if it tells none."""
    if not isinstance(info, dict):
        return ""
    return plain_mac(str(info.get("mac") or info.get("mic_mac") or info.get("ethernet_mac") or ""))


async def leave(device: Any) -> None:
    """Close a device object; whatever goes wrong with that, it is not used again."""
    try:
        async with asyncio.timeout(LEAVE_S):
            await device.disconnect()
    except Exception:  # noqa: BLE001 - see above
        return


async def _leave_all(devices: Iterable[Any]) -> None:
    for each in devices:
        await leave(each)
