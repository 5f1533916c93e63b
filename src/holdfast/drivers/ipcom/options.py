"""What a site file says about an IPCom controller, read and checked before anything is dialled."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from holdfast.addresses import TcpAddress, parse_tcp
from holdfast.drivers.ipcom.messages import MODULES, OUTPUTS, PASSWORD_ROOM, USER_ROOM
from holdfast.drivers.ipcom.wiring import (
    RELAYS,
    RELAYS_OR_DIMMERS,
    Cover,
    ModuleKind,
    ModuleType,
    Output,
    OutputKind,
    Place,
)
from holdfast.errors import ConfigurationError
from holdfast.options import Section, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from holdfast.model import Adapter, Device

PORT: Final = 5000
"""The controller's port. Source: the vendor's app."""
POLL_S: Final = 0.35
"""The poll period of the vendor's app and of an earlier client."""
BUS: Final = 2
"""What the vendor's app writes for bus 1 of type Minido and for TriCom devices; right in the only known house."""
BASE_ADDRESS: Final = 60
"""The bus address of module 1 on every bus but a BiBus, where it is 30. Source: the vendor's app."""
LOGIN_BUS: Final = 1
"""The bus number within the login. Source: the vendor's app, field recording."""
KEEP_ALIVE_S: Final = 30.0
"""The vendor's app sends one every 30 s, the first after 30 s."""
BUS_LATENCY_S: Final = 1.0
"""How long a write may take until its outputs move: design.md; random trials had up to 0.6 s."""
DEAD_TIME_S: Final = 0.5
"""The pause of a motor between two directions: design.md."""
DIAL_S: Final = 3.0
LOGIN_FIRST_S: Final = 0.5
LOGIN_S: Final = 1.0
"""Limits for reaching the device and for its answer to the login (first try of an outage, later ones): design.md."""
REPLY_S: Final = 0.65
"""An answer that takes longer counts as missed: design.md. With the poll period it stays below the silence deadline."""
SILENCE_S: Final = 1.4
"""Without a snapshot for so long the session is dropped: design.md."""

_OPTIONS: Final = (
    "allow_plain",
    "base_address",
    "bus",
    "bus_latency_s",
    "dead_time_s",
    "dial_s",
    "dimmer_on",
    "keepalive_s",
    "login_bus",
    "login_lock",
    "login_s",
    "modules",
    "plausibility",
    "poll_s",
    "serial",
)
_KEY: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class IpcomOptions:
    """One controller by one path. All durations are in seconds; secrets are left out of ``repr``."""

    host: str
    port: int = PORT
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    bus: int = BUS
    base_address: int = BASE_ADDRESS
    modules: Mapping[int, ModuleType] = field(default_factory=dict)
    plausibility: bool = True
    """Whether relays that read neither 0 nor 255, and dimmers outside their scale, make a snapshot nonsense."""
    poll_s: float = POLL_S
    keepalive_s: float = KEEP_ALIVE_S
    """0: none is sent."""
    login_bus: int = LOGIN_BUS
    login_lock: int = 0
    allow_plain: bool = False
    """Whether to log in without obfuscation when the device asks for it: anybody on the path can then read along."""
    dial_s: float = DIAL_S
    login_first_s: float = LOGIN_FIRST_S
    login_s: float = LOGIN_S
    bus_latency_s: float = BUS_LATENCY_S
    dead_time_s: float = DEAD_TIME_S
    restores_level: bool = True
    """Whether a dimmer told "on" takes its last level; otherwise it goes to full."""
    outputs: tuple[Output, ...] = ()
    covers: tuple[Cover, ...] = ()

    def module(self, number: int) -> ModuleType:
        """What module ``number`` is; relays where the site file does not say."""
        return self.modules.get(number, RELAYS)

    def looks_like(self, number: int) -> ModuleType:
        """What snapshots may show of a module: one that the site file does not speak of may be relays or dimmers."""
        if number in self.modules:
            return self.modules[number]
        places = [output.place for output in self.outputs]
        places += [relay for cover in self.covers for relay in cover.relays]
        return RELAYS if any(place.module == number for place in places) else RELAYS_OR_DIMMERS

    @property
    def address(self) -> str:
        """Host and port as one text."""
        return str(TcpAddress(self.host, self.port))


def parse_options(device: Device, adapter: Adapter) -> IpcomOptions:
    """Read a device and one of its adapters; raises `ConfigurationError` with the path to what is wrong.

    An option may stand with the device or with the adapter, which wins: a forwarded port needs more patience.
    """
    elsewhere = {key: ("adapters", adapter.id, key) for key in adapter.options}
    section = Section({**device.options, **adapter.options}, ("options",), elsewhere)
    section.allow(_OPTIONS)
    where = parse_tcp(adapter.url, PORT, "a controller")
    modules = _modules(section)
    outputs, covers = _wiring(device.outputs, modules, device.owned)
    login_s = section.seconds("login_s", 0.1, 60.0, 0.0) if "login_s" in section.raw else None
    return IpcomOptions(
        host=where.host,
        port=where.port,
        username=_username(adapter, section.text("serial", "")),
        password=_password(adapter),
        bus=section.whole("bus", 0, 255, BUS),
        base_address=section.whole("base_address", 0, 256 - MODULES, BASE_ADDRESS),
        modules=modules,
        plausibility=section.flag("plausibility", default=True),
        # Two questions must fit into the silence deadline: reply + poll < silence.
        poll_s=section.seconds("poll_s", 0.1, 0.7, POLL_S),
        keepalive_s=_keep_alive(section),
        login_bus=section.whole("login_bus", 0, 255, LOGIN_BUS),
        login_lock=section.whole("login_lock", 0, 255, 0),
        allow_plain=section.flag("allow_plain", default=False),
        dial_s=section.seconds("dial_s", 0.1, 60.0, DIAL_S),
        login_first_s=LOGIN_FIRST_S if login_s is None else login_s,
        login_s=LOGIN_S if login_s is None else login_s,
        bus_latency_s=section.seconds("bus_latency_s", 0.1, 30.0, BUS_LATENCY_S),
        dead_time_s=section.seconds("dead_time_s", 0.1, 60.0, DEAD_TIME_S),
        restores_level=section.choice("dimmer_on", ("last", "full"), "last") == "last",
        outputs=outputs,
        covers=covers,
    )


# --- the path and the login -----------------------------------------------------------------------------------


def _username(adapter: Adapter, serial: str) -> str:
    if not adapter.username:
        raise ConfigurationError(
            "the user name is missing", advice="add username to the adapter", path=("username",)
        )
    name = serial + adapter.username
    length = len(name.encode())
    if length > USER_ROOM:
        what = "the serial number and the user name have" if serial else "the user name has"
        raise ConfigurationError(
            f"{what} {length} bytes, and only {USER_ROOM} fit",
            advice="choose a shorter one; letters with accents take two bytes or more",
            path=("username",),
        )
    return name


def _password(adapter: Adapter) -> str:
    length = len(adapter.password.encode())
    if length > PASSWORD_ROOM:
        raise ConfigurationError(
            f"the password has {length} bytes, and only {PASSWORD_ROOM} fit",
            advice="choose a shorter one; letters with accents take two bytes or more",
            path=("password",),
        )
    return adapter.password


def _keep_alive(section: Section) -> float:
    value = section.seconds("keepalive_s", 0.0, 3600.0, KEEP_ALIVE_S)
    if 0.0 < value < 1.0:
        raise section.fail(
            "keepalive_s", f"keepalive_s {value:g} is out of range", "use 0 for none, or 1 to 3600"
        )
    return value


# --- the house ------------------------------------------------------------------------------------------------


def _modules(section: Section) -> dict[int, ModuleType]:
    raw = Section(section.raw.get("modules", {}), section.at("modules"))
    modules = {}
    for key in raw.raw:
        number = int(key) if isinstance(key, str) and key.isascii() and key.isdigit() else key
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= MODULES:
            raise raw.fail(key, f"{shown(key)} is no module", f"modules are numbered 1 to {MODULES}")
        if number in modules:
            raise raw.fail(key, f"module {number} is described twice", "keep one of the two")
        modules[number] = _module(Section(raw.raw[key], raw.at(key)))
    return modules


def _module(section: Section) -> ModuleType:
    section.allow(("kind", "scale"))
    kind = ModuleKind(section.choice("kind", [*ModuleKind]))
    if "scale" not in section.raw:
        return ModuleType(kind)
    scale = section.raw["scale"]
    if kind is not ModuleKind.DIMMER:
        raise section.fail("scale", "only dimmers have a scale", "leave it out, or use kind: dimmer")
    if isinstance(scale, bool) or scale not in (100, 255):
        raise section.fail("scale", f"{shown(scale)} is no scale", "use 100 or 255: the byte that means full")
    return ModuleType(kind, int(scale))


def _wiring(
    raw: Mapping[str, Mapping[str, Any]], modules: Mapping[int, ModuleType], owned: Collection[str]
) -> tuple[tuple[Output, ...], tuple[Cover, ...]]:
    wiring = _Wiring(modules, owned)
    for key in raw:
        wiring.add(key, Section(raw[key], ("outputs", key)))
    wiring.check_aliases()
    return tuple(wiring.outputs), tuple(wiring.covers)


class _Wiring:
    """Outputs and covers under reading, and which output is already taken by whom."""

    def __init__(self, modules: Mapping[int, ModuleType], owned: Collection[str]) -> None:
        self.outputs: list[Output] = []
        self.covers: list[Cover] = []
        self._modules = modules
        self._owned = owned
        self._taken: dict[Place, str] = {}

    def add(self, key: Any, section: Section) -> None:
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            raise ConfigurationError(
                f"{shown(key)} cannot be a name",
                advice="use a-z, 0-9, _ and -, beginning with a letter or digit",
                path=section.path,
            )
        if section.choice("kind", [*OutputKind]) == OutputKind.COVER:
            self.covers.append(self._cover(key, section))
        else:
            self.outputs.append(self._output(key, section))

    def _output(self, key: str, section: Section) -> Output:
        for only_cover in ("up", "down", "maximum_run_s"):
            if only_cover in section.raw:
                raise section.fail(
                    only_cover, f"only covers have {only_cover!r}", "leave it out, or use kind: cover"
                )
        section.allow(("kind", "module", "output", "name", "fail_safe", "aliases"))
        kind = OutputKind(section.raw["kind"])
        place = self._take(section, key)
        module = self._modules.get(place.module, RELAYS)
        if kind is OutputKind.DIMMER and not module.is_dimmer:
            raise section.fail(
                "kind",
                f"module {place.module} is a {module.kind} module and cannot dim",
                f"use kind: light, or say under options modules: {{{place.module}: {{kind: dimmer}}}}",
            )
        fail_safe = section.raw.get("fail_safe")
        if fail_safe is not None and fail_safe is not False:
            raise section.fail(
                "fail_safe", f"{shown(fail_safe)} is no fail-safe value", "use false, or leave it out"
            )
        return Output(
            key=key,
            name=section.text("name", "") or key,
            kind=kind,
            place=place,
            module=module,
            must_end_off=fail_safe is False or key in self._owned,
            aliases=section.names("aliases"),
        )

    def _cover(self, key: str, section: Section) -> Cover:
        for only_output in ("module", "output"):
            if only_output in section.raw:
                raise section.fail(
                    only_output,
                    "a cover has two outputs",
                    "write up: {module: M, output: N} and down: {module: M, output: N}",
                )
        if "fail_safe" in section.raw:
            raise section.fail(
                "fail_safe", "a cover has no fail-safe value", "use maximum_run_s to limit its motor"
            )
        section.allow(("kind", "up", "down", "name", "maximum_run_s", "aliases"))
        up = self._relay(section, key, "up")
        down = self._relay(section, key, "down")
        limit_s = (
            section.seconds("maximum_run_s", 1.0, 3600.0, 0.0) if "maximum_run_s" in section.raw else None
        )
        return Cover(
            key=key,
            name=section.text("name", "") or key,
            up=up,
            down=down,
            maximum_run_s=limit_s,
            aliases=section.names("aliases"),
        )

    def _relay(self, section: Section, key: str, role: str) -> Place:
        advice = f"write {role}: {{module: M, output: N}}; a cover needs both up and down"
        if role not in section.raw:
            raise ConfigurationError(f"the cover has no {role!r}", advice=advice, path=section.path)
        inner = Section(section.raw[role], section.at(role))
        inner.allow(("module", "output"))
        place = self._take(inner, f"{key} ({role})")
        if self._modules.get(place.module, RELAYS).is_dimmer:
            raise inner.fail(
                "module",
                f"module {place.module} is a dimmer module and cannot drive a motor",
                "use an output of a relay or shutter module",
            )
        return place

    def _take(self, section: Section, owner: str) -> Place:
        place = Place(section.whole("module", 1, MODULES), section.whole("output", 1, OUTPUTS))
        other = self._taken.setdefault(place, owner)
        if other != owner:
            is_one_cover = owner.endswith(" (down)") and other == owner.replace(" (down)", " (up)")
            text = f"both relays are {place}" if is_one_cover else f"{place} is already {other}"
            raise section.fail("output", text, "give each output one name and one purpose")
        return place

    def check_aliases(self) -> None:
        everything: list[Output | Cover] = [*self.outputs, *self.covers]
        taken = {each.key: each.key for each in everything}
        for each in everything:
            for alias in each.aliases:
                if taken.setdefault(alias, each.key) != each.key:
                    raise ConfigurationError(
                        f"{alias!r} already means {taken[alias]!r}",
                        advice="give each alias to one output",
                        path=("outputs", each.key, "aliases"),
                    )
