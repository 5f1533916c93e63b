"""What a plug speaks: family, encryption, login and timer (Kasa fact sheet section 1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from holdfast.simulators.kasa.klap import Account, LoginVersion

LEGACY_PORT = 9999
HTTP_PORT = 80
DISCOVERY_PORT = 20002
SESSION_TIMEOUT_S = 86_400
"""What the cookie promises (Kasa fact sheet section 9)."""


class Family(StrEnum):
    """The command language, by the name that discovery tells."""

    IOT = "IOT.SMARTPLUGSWITCH"
    SMART_KASA = "SMART.KASAPLUG"
    SMART_TAPO = "SMART.TAPOPLUG"

    @property
    def is_smart(self) -> bool:
        """Whether it speaks ``method`` and ``params``."""
        return self is not Family.IOT


class Encryption(StrEnum):
    """The transport, by the name that discovery tells."""

    XOR = "XOR"
    KLAP = "KLAP"
    TPAP = "TPAP"
    """Announced by newer firmware; the local door is closed."""


@dataclass(frozen=True, kw_only=True)
class Firmware:
    """One kind of firmware."""

    family: Family = Family.IOT
    encryption: Encryption = Encryption.XOR
    login: LoginVersion = LoginVersion.V2
    account: Account = field(default_factory=Account, repr=False)
    has_timer: bool = True
    has_voltage: bool = True
    """Whether the meter tells voltage and current; some of the SMART family do not."""
    has_milli_units: bool = True
    """Whether the IOT meter tells ``voltage_mv`` and the like, or volts as floats as the oldest ones do."""
    sessions: int = 4
    """KLAP logins held at once; one more drops the oldest. Not known of real ones beyond "some hold one"."""
    session_timeout_s: int = SESSION_TIMEOUT_S
    requests_per_session: int | None = None
    """Some firmware forgets a session after one request (Kasa fact sheet section 5, pitfall 6)."""

    def __post_init__(self) -> None:
        if self.family.is_smart and self.encryption is Encryption.XOR:
            raise ValueError("the SMART family does not speak the legacy cipher")


LEGACY = Firmware()
"""HS103, HS110, KP115 as they were sold: the legacy cipher on port 9999, no login."""


def klap_v1(account: Account) -> Firmware:
    """An IOT plug after its first forced update: HTTP, and the first kind of login."""
    return Firmware(encryption=Encryption.KLAP, login=LoginVersion.V1, account=account)


def klap_v2(account: Account) -> Firmware:
    """An IOT plug with firmware from about December 2024 on."""
    return Firmware(encryption=Encryption.KLAP, account=account)


def smart(account: Account, family: Family = Family.SMART_KASA) -> Firmware:
    """A plug of the SMART family."""
    return Firmware(family=family, encryption=Encryption.KLAP, account=account)


CLOSED = Firmware(encryption=Encryption.TPAP)
"""Firmware that closed the local door: it is found, and says what it speaks, and that is all."""
