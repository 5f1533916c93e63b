"""The few public names of python-kasa that the driver uses, and the only place where it is imported.

The library is GPL-3.0-or-later and never part of the base install: the extra ``kasa`` brings it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Final, Protocol, cast

from holdfast.errors import ConfigurationError


class KasaLibrary(Protocol):
    """What of the library's public names is used: Kasa fact sheet section 2. A test brings its own ends of them."""

    @property
    def Device(self) -> Any:  # noqa: N802
        """Its ``connect`` makes a device object."""

    @property
    def Discover(self) -> Any:  # noqa: N802
        """``discover`` and ``discover_single``, by UDP."""

    @property
    def DeviceConfig(self) -> Any:  # noqa: N802
        """Where and how to connect."""

    @property
    def DeviceConnectionParameters(self) -> Any:  # noqa: N802
        """The kind of connection."""

    @property
    def Credentials(self) -> Any:  # noqa: N802
        """Account name and password."""

    @property
    def Module(self) -> Any:  # noqa: N802
        """Names of modules."""

    @property
    def KasaException(self) -> type[Exception]:  # noqa: N802
        """The base of the library's exceptions."""

    @property
    def AuthenticationError(self) -> type[Exception]:  # noqa: N802
        """The plug refused the login."""

    @property
    def DeviceError(self) -> type[Exception]:  # noqa: N802
        """The plug answered with an error code."""

    @property
    def TimeoutError(self) -> type[Exception]:  # noqa: N802
        """Nothing came in time."""

    @property
    def UnsupportedDeviceError(self) -> type[Exception]:  # noqa: N802
        """The library does not speak that kind."""


Load = Callable[[], KasaLibrary]
"""Brings the library: `load_library`, or a test's own."""

_NAME: Final = "kasa"


def load_library() -> KasaLibrary:
    """Import python-kasa; raises `ConfigurationError` without the extra. Slow at first: it is a second's import."""
    try:
        return cast("KasaLibrary", importlib.import_module(_NAME))
    except ImportError as error:
        raise ConfigurationError(
            f"Kasa plugs need the extra 'kasa' ({error})",
            advice="pip install 'holdfast[kasa]'",
            path=("driver",),
        ) from error
