"""The ways to speak to a plug: its family decides the command language, its encryption the transport.

The kinds and their ports come from the Kasa fact sheet section 1. Firmware updates move a plug from one to another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from holdfast.errors import Unsupported

if TYPE_CHECKING:
    from holdfast.drivers.kasa.library import KasaLibrary
    from holdfast.drivers.kasa.options import KasaOptions

LIBRARY_TIMEOUT_S: Final = 3
"""Seconds the library waits for a connection, and again for an answer: fact sheet section 4. Whole, as it wants it."""

WIDE_BATCH: Final = 10
"""Questions in one message for firmware that forgets its login after one (fact sheet section 5 number 6): an update is
nine of them, the library's own five are two messages, and of two it never gets the second answered."""

IOT_PLUG: Final = "IOT.SMARTPLUGSWITCH"
KASA_PLUG: Final = "SMART.KASAPLUG"
TAPO_PLUG: Final = "SMART.TAPOPLUG"
PLUG_FAMILIES: Final = frozenset({IOT_PLUG, KASA_PLUG, TAPO_PLUG})
XOR: Final = "XOR"
KLAP: Final = "KLAP"
ENCRYPTIONS: Final = frozenset({XOR, KLAP})


class Kind(StrEnum):
    """What an owner calls the kinds."""

    AUTO = "auto"
    """Asked of the plug, or found out by trying, and then remembered."""
    LEGACY = "legacy"
    """The old port 9999, without a login."""
    KLAP = "klap"
    """The legacy commands behind a login."""
    SMART = "smart"
    """The newer commands behind a login."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to one plug. ``port`` is the owner's, ``http_port`` the one that the plug announced."""

    host: str
    family: str = IOT_PLUG
    encryption: str = XOR
    login_version: int | None = None
    is_https: bool = False
    http_port: int | None = None
    port: int | None = None

    @property
    def is_smart(self) -> bool:
        """Whether it takes the newer commands."""
        return self.family != IOT_PLUG

    @property
    def kind(self) -> Kind:
        """What an owner would call it."""
        if self.is_smart:
            return Kind.SMART
        return Kind.LEGACY if self.encryption == XOR else Kind.KLAP

    def at(self, host: str) -> Way:
        """The same way to another address."""
        return replace(self, host=host)


def candidates(kind: Kind, host: str, port: int | None) -> tuple[Way, ...]:
    """What to try where nothing is known, the likeliest first; version 2 of the login is that of newer firmware."""
    legacy = Way(host, port=port)
    klap_2 = Way(host, IOT_PLUG, KLAP, 2, port=port)
    klap_1 = Way(host, IOT_PLUG, KLAP, 1, port=port)
    smart = Way(host, KASA_PLUG, KLAP, 2, port=port)
    smart_tls = Way(host, TAPO_PLUG, KLAP, 2, is_https=True, port=port)
    return {
        Kind.LEGACY: (legacy,),
        Kind.KLAP: (klap_2, klap_1),
        Kind.SMART: (smart, smart_tls),
        Kind.AUTO: (legacy, klap_2, smart, klap_1, smart_tls),
    }[kind]


def config_of(library: KasaLibrary, way: Way, options: KasaOptions, batch: int | None = None) -> Any:
    """The library's description of the way, with the login; credentials win over a stored hash.

    ``batch``: how many questions of the newer language go into one message; ``None``: as many as the library likes.
    """
    parameters = library.DeviceConnectionParameters.from_values(
        way.family,
        way.encryption,
        login_version=way.login_version,
        https=way.is_https,
        http_port=way.http_port,
    )
    return library.DeviceConfig(
        host=way.host,
        timeout=LIBRARY_TIMEOUT_S,
        batch_size=batch,
        port_override=way.port,
        credentials=credentials_of(library, options),
        credentials_hash=options.credentials_hash or None,
        connection_type=parameters,
    )


def credentials_of(library: KasaLibrary, options: KasaOptions) -> Any:
    """The login as the library takes it; ``None``: blank, or by hash."""
    if not options.username and not options.password:
        return None
    return library.Credentials(options.username, options.password)


def way_of(config: Any) -> Way:
    """The way that the library's description stands for."""
    parameters = config.connection_type
    return Way(
        host=config.host,
        family=str(parameters.device_family.value),
        encryption=str(parameters.encryption_type.value),
        login_version=parameters.login_version,
        is_https=bool(parameters.https),
        http_port=parameters.http_port,
        port=config.port_override,
    )


def way_record(way: Way) -> dict[str, Any]:
    """The way as JSON values."""
    return asdict(way)


def way_from(record: object) -> Way | None:
    """The way of a record; ``None`` for what is none, or leads to nothing that is spoken."""
    if not isinstance(record, Mapping):
        return None
    names = [each.name for each in fields(Way)]
    if not all(name in record for name in names):
        return None
    way = Way(**{name: record[name] for name in names})
    texts: tuple[object, ...] = (way.host, way.family, way.encryption)
    numbers = ((way.login_version, 9), (way.port, 65535), (way.http_port, 65535))
    flag: object = way.is_https
    if not all(isinstance(each, str) and each for each in texts) or not isinstance(flag, bool):
        return None
    if not all(_is_number(value, most) for value, most in numbers):
        return None
    return way if objection(way.family, way.encryption) is None else None


def _is_number(value: object, most: int) -> bool:
    """Whether it is a small whole number, or nothing."""
    if value is None:
        return True
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= most


COMPATIBILITY: Final = (
    "In the vendor's app switch on 'Third-Party Compatibility' (Tapo Lab, or Integration) and switch off automatic"
    " updates; if that brings nothing, this plug cannot be used locally."
)
"""What re-opens the local door of newer firmware: fact sheet section 1."""
OTHER_PLUG: Final = "Use a plug with one relay and no dimmer."


def objection(family: str, encryption: str) -> Unsupported | None:
    """Why such a plug cannot be spoken to, with what to do; ``None`` if it can."""
    if encryption not in ENCRYPTIONS:
        named = encryption or "no known scheme"
        return Unsupported(
            f"the plug's firmware speaks {named}, which is not supported", advice=COMPATIBILITY
        )
    if family not in PLUG_FAMILIES:
        return Unsupported(f"{family or 'the device'} is not a plug", advice=OTHER_PLUG)
    return None


def shape_objection(device_type: str) -> Unsupported | None:
    """Why a device of that shape is not taken (a strip, a dimmer, a wall switch, a lamp), or ``None``."""
    if device_type == "plug":
        return None
    return Unsupported(f"the device is a {device_type or 'thing unknown'}, not a plug", advice=OTHER_PLUG)
