"""The real libraries: loaded only when used, and told in words where there is no Bluetooth."""

from __future__ import annotations

import subprocess
import sys

import pytest

from holdfast.errors import Unreachable
from holdfast.transports.ble import dial_ble
from tests.transports.ear import Ear
from tests.transports.gatt import ADDRESS


@pytest.mark.parametrize(("module", "library"), [("serial", "serialx"), ("ble", "bleak")])
def test_the_libraries_are_not_loaded_early(module: str, library: str) -> None:
    """The base install has neither, so that importing a transport must not ask for it."""
    program = f"import sys, holdfast.transports.{module}; assert {library!r} not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=50)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere Bluetooth is not reached by D-Bus")
@pytest.mark.blocking_allowed  # the library loads its backend and dials a local socket
async def test_a_machine_without_bluetooth(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's own client fits behind `dial_ble`, and its failure has words."""
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    dial = dial_ble(ADDRESS, notify="FFE1", write="FFE1")
    with pytest.raises(Unreachable, match="Bluetooth service does not answer"):
        await dial(Ear, 5.0)
