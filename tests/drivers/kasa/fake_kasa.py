"""python-kasa faked at its boundary: the few public names that the driver uses, over plugs that exist as numbers only.

Exceptions, configurations and the cause chains are the library's own, so that what the driver makes of them is real;
what is faked is `Device.connect`, `Discover.discover` and `Discover.discover_single`, and the device objects. All times
are the loop's: in virtual time a year costs seconds. Deterministic: what happens is what a test asks for.
"""

from __future__ import annotations

import asyncio
import math
from enum import Enum
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import kasa

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SILENT_S = 23.0
"""How long the library tries a silent plug with its own default patience; the driver's own deadlines come first."""

MOST_WAY_S = 0.02
"""How long a question is on its way at most; the rest of a slow answer is the way back."""


class Trouble(Enum):
    """How a call fails, by the exceptions that the real library was seen to raise."""

    REFUSED = "refused"
    """Nothing listens: fails at once."""
    RESET = "reset"
    """The connection breaks in mid-answer."""
    DISCONNECTED = "server disconnected"
    """KLAP: the plug hangs up."""
    SILENT = "silent"
    """No answer, ever: the call hangs."""
    TIMEOUT = "timeout"
    """The library itself gave up waiting."""
    LOGIN = "login"
    """The plug refuses the login."""
    SAYS_NO = "says no"
    """An error code in the answer."""
    GARBLED = "garbled"
    """An answer that is no JSON."""
    KEY = "missing key"
    """The whole update cannot be understood, the bare state can."""
    ZONE = "unknown time zone"
    UNSUPPORTED = "unsupported"
    BROKEN = "a bug"
    """An exception that means nothing at all."""


def raised(trouble: Trouble, *, is_wrapped: bool = False) -> Exception:
    """The exception of that kind, with its causes; wrapped in a plain one as IOT plugs' ``turn_on`` does."""
    error = _raw(trouble)
    if not is_wrapped or trouble is Trouble.BROKEN:
        return error
    outer = kasa.KasaException("Communication error on system:set_relay_state")
    outer.__cause__ = error
    return outer


def _raw(trouble: Trouble) -> Exception:
    private = kasa.exceptions
    match trouble:
        case Trouble.REFUSED:
            return _caused(
                kasa.KasaException("Unable to connect to the device: plug:9999"),
                ConnectionRefusedError(111, "Connection refused"),
            )
        case Trouble.RESET:
            return _caused(
                private._RetryableError("Unable to query the device"), ConnectionResetError(104, "reset")
            )
        case Trouble.DISCONNECTED:
            return _caused(
                private._ConnectionError("Device connection error: plug"), RuntimeError("disconnected")
            )
        case Trouble.TIMEOUT:
            return _caused(kasa.TimeoutError("Timeout after 3 seconds"), TimeoutError())
        case Trouble.LOGIN:
            return kasa.AuthenticationError("Device response did not match our challenge on ip plug")
        case Trouble.SAYS_NO:
            return kasa.DeviceError(
                "the plug answered", error_code=kasa.exceptions.SmartErrorCode.PARAMS_ERROR
            )
        case Trouble.GARBLED:
            return _caused(kasa.KasaException("Unable to read response"), ValueError("no JSON"))
        case Trouble.KEY:
            return KeyError("get_realtime")
        case Trouble.ZONE:
            return _caused(KeyError("No time zone found with key XYZ"), ModuleNotFoundError("tzdata"))
        case Trouble.UNSUPPORTED:
            told = {"device_type": "SMART.KASAPLUG", "mgt_encrypt_schm": {"encrypt_type": "TPAP"}}
            return kasa.UnsupportedDeviceError("Unsupported device", discovery_result=told, host="plug")
        case _:
            return RuntimeError("boom")


def _caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


class Call(tuple[float, str]):
    """When, and what reached the plug."""

    __slots__ = ()


class FakePlug:
    """One plug: a relay, a timer of its own, and whatever can go wrong with it.

    ``trouble`` fails every call that reaches it, ``troubles`` those of one name ("connect", "update", "on", "off",
    "timer", "arm", "plain"); both hold until they are taken back. ``next_troubles`` fails the next calls, one each.
    """

    def __init__(
        self,
        mac: str = "AA:BB:CC:00:00:01",
        *,
        family: str = "IOT.SMARTPLUGSWITCH",
        encryption: str = "XOR",
        login_version: int | None = None,
        is_metered: bool = False,
        has_timer: bool = True,
        password: str = "",
        shape: str = "plug",
    ) -> None:
        self.mac = mac
        self.family = family
        self.encryption = encryption
        self.login_version = login_version
        self.is_metered = is_metered
        self.has_timer = has_timer
        self.password = password
        self.shape = shape
        self.rssi = -50
        self.power = 40.0
        self.answer_s = 0.03
        self.late_s = 0.0
        """How long after its acknowledgement the relay moves."""
        self.is_ignoring = False
        """Acknowledges and does nothing."""
        self.acts_without_answer = False
        """Does what it is told and never answers to it."""
        self.is_stubborn = False
        """Calls that hang swallow their cancellation."""
        self.renewal_counts = True
        """Whether setting the timer again starts it anew (newer plugs may not)."""
        self.hears_udp = True
        self.trouble: Trouble | None = None
        self.troubles: dict[str, Trouble] = {}
        self.next_troubles: list[Trouble | None] = []
        self.calls: list[Call] = []
        self.moves: list[tuple[float, bool]] = []
        """When the relay really moved, and to where."""
        self.running = self.most_running = 0
        self.open_objects = 0
        self._relay = False
        self._pending: list[tuple[float, bool]] = []
        self._ends_t = math.inf
        self._auto_off_s = 0.0

    # --- what a person at the plug sees and does --------------------------------------------------------------------

    @property
    def is_on(self) -> bool:
        """The relay, now."""
        self._catch_up()
        return self._relay

    @property
    def seconds_left(self) -> float | None:
        """Until it switches itself off; ``None`` while nothing is armed."""
        self._catch_up()
        return None if self._ends_t == math.inf else self._ends_t - self._now()

    def press(self, is_on: bool | None = None) -> None:
        """The button (or, with a value, somebody's app)."""
        self._catch_up()
        self._move(not self._relay if is_on is None else is_on, self._now())

    def power_cut(self) -> None:
        """It loses its power for a moment: the timer is gone, the relay keeps its state."""
        self._catch_up()
        self._ends_t = math.inf
        self._pending.clear()

    def sends(self) -> list[float]:
        """When switching reached it."""
        return [t for t, what in self.calls if what in ("on", "off", "on+arm")]

    def names(self) -> list[str]:
        """What reached it, in order."""
        return [what for _, what in self.calls]

    def well(self) -> None:
        """End every trouble."""
        self.trouble = None
        self.troubles.clear()
        self.next_troubles.clear()
        self.is_ignoring = self.acts_without_answer = self.is_stubborn = False
        self.answer_s, self.late_s = 0.03, 0.0

    # --- its inside -------------------------------------------------------------------------------------------------

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _catch_up(self) -> None:
        now = self._now()
        while True:
            due = [(t, value) for t, value in self._pending if t <= now]
            if self._ends_t <= now and all(self._ends_t <= t for t, _ in due):
                at, self._ends_t = self._ends_t, math.inf
                self._move(False, at)
            elif due:
                self._pending.remove(due[0])
                self._move(due[0][1], due[0][0])
            else:
                return

    def _move(self, is_on: bool, at: float) -> None:
        if is_on and self._auto_off_s:
            self._ends_t = at + self._auto_off_s
        elif not is_on and self.is_smart:
            self._ends_t = math.inf
        if is_on is not self._relay:
            self.moves.append((at, is_on))
        self._relay = is_on

    @property
    def is_smart(self) -> bool:
        """Whether it speaks the newer language."""
        return self.family != "IOT.SMARTPLUGSWITCH"

    def switch(self, is_on: bool) -> None:
        """The relay is told to move."""
        self._catch_up()
        if self.is_ignoring:
            return
        if self.late_s:
            self._pending.append((self._now() + self.late_s, is_on))
        else:
            self._move(is_on, self._now())

    def arm(self, seconds: float) -> None:
        """Its timer is set."""
        self._catch_up()
        if not self.is_smart:
            self._ends_t = self._now() + seconds
            return
        self._auto_off_s = seconds
        if self._relay and (self.renewal_counts or self._ends_t == math.inf) and self.renewal_counts:
            self._ends_t = self._now() + seconds

    async def call(
        self, what: str, act: Callable[[], None] = lambda: None, *, is_wrapped: bool = False
    ) -> None:
        """One call of the library: it may fail; what it does it does early, and its answer may be slow."""
        self.calls.append(Call((self._now(), what)))
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            trouble = self._trouble_of(what)
            if trouble is Trouble.SILENT:
                await self._hang()
            if trouble is not None:
                await asyncio.sleep(0.0)
                raise raised(trouble, is_wrapped=is_wrapped)
            there_s = min(self.answer_s / 2, MOST_WAY_S)
            await asyncio.sleep(there_s)
            act()
            if self.acts_without_answer and what in ("on", "off", "on+arm"):
                await self._hang()
            await asyncio.sleep(self.answer_s - there_s)
        finally:
            self.running -= 1

    def _trouble_of(self, what: str) -> Trouble | None:
        if self.next_troubles:
            return self.next_troubles.pop(0)
        return self.troubles.get(what, self.trouble)

    def _is_hanging(self) -> bool:
        return self.acts_without_answer or Trouble.SILENT in (self.trouble, *self.troubles.values())

    async def _hang(self) -> None:
        ends_t = self._now() + SILENT_S
        while self._now() < ends_t and (self._is_hanging() or not self.is_stubborn):
            try:
                await asyncio.sleep(0.5)
            except asyncio.CancelledError:
                if not self.is_stubborn:
                    raise
        raise raised(Trouble.TIMEOUT)

    # --- its languages ----------------------------------------------------------------------------------------------

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """What it answers; what it is told to do it does."""
        return self._smart(request) if self.is_smart else self._legacy(request)

    def info(self) -> dict[str, Any]:
        """What it says of itself."""
        if not self.is_smart:
            return {"err_code": 0, "relay_state": int(self.is_on), "rssi": self.rssi, "mac": self.mac}
        info: dict[str, Any] = {"device_on": self.is_on, "rssi": self.rssi, "mac": self.mac}
        if self.has_timer:
            left_s = self.seconds_left
            info |= {
                "auto_off_status": "off" if left_s is None else "on",
                "auto_off_remain_time": left_s or 0,
            }
        return info

    def _smart(self, request: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = {}
        for method, told in request.items():
            if method == "get_device_info":
                answer[method] = self.info()
            elif method == "set_auto_off_config" and self.has_timer:
                self.arm(told["delay_min"] * 60.0 if told["enable"] else 0.0)
                answer[method] = {}
            else:
                code = kasa.exceptions.SmartErrorCode.UNKNOWN_METHOD_ERROR
                raise kasa.DeviceError(f"Error querying device: {method}", error_code=code)
        return answer

    def _legacy(self, request: dict[str, Any]) -> dict[str, Any]:
        return {module: self._module(module, methods) for module, methods in request.items()}

    def _module(self, module: str, methods: dict[str, Any]) -> dict[str, Any]:
        if module == "count_down" and self.has_timer:
            return {method: self._rule(method, told) for method, told in methods.items()}
        if module == "system" and "set_relay_state" in methods:
            self.switch(methods["set_relay_state"]["state"] == 1)
            return {"set_relay_state": {"err_code": 0}}
        if module == "system":
            return {"get_sysinfo": self.info()}
        return {"err_code": -1, "err_msg": "module not support"}

    def _rule(self, method: str, told: dict[str, Any]) -> dict[str, Any]:
        left_s = self.seconds_left
        if method == "get_rules":
            rule = {"id": "1", "name": "holdfast", "enable": 1, "delay": 600, "act": 0, "remain": left_s}
            return {"rule_list": [] if left_s is None else [rule], "err_code": 0}
        if method == "delete_all_rules":
            self._ends_t = math.inf
            return {"err_code": 0}
        if left_s is not None:
            return {"err_code": -10, "err_msg": "table is full"}
        self.arm(float(told["delay"]))
        return {"id": "1", "err_code": 0}


class FakeDevice:
    """What `Device.connect` and discovery return. Its properties tell the last update, never the present."""

    def __init__(self, plug: FakePlug, config: Any) -> None:
        self.plug = plug
        self.config = config
        self.protocol = SimpleNamespace(query=self._query)
        self.device_type = SimpleNamespace(value=plug.shape)
        self.mac = plug.mac
        self.model = "HS110"
        self.alias = "plug"
        self.hw_info = {"sw_ver": "1.2.6 Build 200727", "hw_ver": "4.0", "mac": plug.mac}
        self.credentials_hash = "hash"
        self.is_on = False
        self.sys_info: dict[str, Any] = {}
        self.rssi: int | None = None
        self.modules: dict[Any, Any] = {}
        self._is_closed = False
        plug.open_objects += 1

    async def update(self) -> None:
        """Ask the plug."""
        await self.plug.call("update", self.take)

    def take(self) -> None:
        """The answer: what is true at this moment."""
        plug = self.plug
        self.is_on = plug.is_on
        self.sys_info = plug.info()
        self.rssi = plug.rssi
        if plug.is_metered:
            power = plug.power if plug.is_on else 0.0
            self.modules[kasa.Module.Energy] = SimpleNamespace(
                current_consumption=power, voltage=230.0, current=power / 230.0, consumption_total=1.5
            )

    async def turn_on(self) -> None:
        """Tell the relay; the cached state does not change."""
        await self.plug.call("on", lambda: self.plug.switch(True), is_wrapped=not self.plug.is_smart)

    async def turn_off(self) -> None:
        """See `turn_on`."""
        await self.plug.call("off", lambda: self.plug.switch(False), is_wrapped=not self.plug.is_smart)

    async def _query(self, request: dict[str, Any], retry_count: int = 3) -> dict[str, Any]:
        answers: list[dict[str, Any] | Exception] = []

        def act() -> None:
            try:
                answers.append(self.plug.answer(request))
            except kasa.KasaException as error:
                answers.append(error)

        await self.plug.call(_name(request), act)
        (answer,) = answers
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def disconnect(self) -> None:
        """Close its connection."""
        if not self._is_closed:
            self._is_closed = True
            self.plug.open_objects -= 1


def _name(request: dict[str, Any]) -> str:
    arms = "set_auto_off_config" in request or "add_rule" in request.get("count_down", {})
    if arms:
        return "on+arm" if "system" in request else "arm"
    return "timer" if "count_down" in request else "plain"


class FakeKasa:
    """The library's module, as `holdfast.drivers.kasa.library.load_library` would return it.

    ``plugs`` says which plug has which address now: move one and it has moved.
    """

    DeviceConfig = kasa.DeviceConfig
    DeviceConnectionParameters = kasa.DeviceConnectionParameters
    Credentials = kasa.Credentials
    Module = kasa.Module
    KasaException = kasa.KasaException
    AuthenticationError = kasa.AuthenticationError
    DeviceError = kasa.DeviceError
    TimeoutError = kasa.TimeoutError
    UnsupportedDeviceError = kasa.UnsupportedDeviceError

    def __init__(self, plugs: dict[str, FakePlug] | None = None) -> None:
        self.plugs = {} if plugs is None else plugs
        self.Device = SimpleNamespace(connect=self._connect)
        self.Discover = SimpleNamespace(discover=self._discover, discover_single=self._discover_single)
        self.dials: list[tuple[float, str]] = []
        self.searches: list[tuple[float, str]] = []
        self.on_dial: Callable[[str], None] = lambda host: None

    def __call__(self) -> FakeKasa:
        """As the driver's way to load a library."""
        return self

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _connect(self, *, config: Any) -> FakeDevice:
        self.dials.append((self._now(), config.host))
        self.on_dial(config.host)
        plug = self.plugs.get(config.host)
        if plug is None:
            await asyncio.sleep(SILENT_S)
            raise raised(Trouble.TIMEOUT)
        await plug.call("connect")
        way = config.connection_type
        if way.encryption_type.value != plug.encryption:
            raise raised(Trouble.REFUSED)
        if plug.encryption == "KLAP":
            is_right = way.device_family.value.startswith("IOT") is not plug.is_smart
            is_right &= plug.login_version in (None, way.login_version)
            told = config.credentials.password if config.credentials is not None else ""
            if not is_right or told != plug.password:
                raise raised(Trouble.LOGIN)
        device = FakeDevice(plug, config)
        device.take()
        return device

    async def _discover_single(self, host: str, **options: Any) -> FakeDevice:
        self.searches.append((self._now(), host))
        plug = self.plugs.get(host)
        if plug is None or not plug.hears_udp or plug.trouble in (Trouble.SILENT, Trouble.REFUSED):
            await asyncio.sleep(options["discovery_timeout"])
            raise kasa.TimeoutError(f"Timed out getting discovery response for {host}")
        await asyncio.sleep(plug.answer_s)
        return self._found(host, plug, options)

    async def _discover(self, **options: Any) -> dict[str, FakeDevice]:
        self.searches.append((self._now(), options["target"]))
        await asyncio.sleep(options["discovery_timeout"])
        devices: dict[str, FakeDevice] = {}
        for host, plug in self.plugs.items():
            if plug.hears_udp and plug.trouble not in (Trouble.SILENT, Trouble.REFUSED):
                try:
                    devices[host] = self._found(host, plug, options)
                except kasa.UnsupportedDeviceError as error:
                    await options["on_unsupported"](error)
        return devices

    def _found(self, host: str, plug: FakePlug, options: dict[str, Any]) -> FakeDevice:
        info = {"mac": plug.mac.replace(":", "-"), "device_type": plug.family, "ip": host}
        scheme = {"encrypt_type": plug.encryption, "lv": plug.login_version}
        response: dict[str, Any] = {"result": {**info, "mgt_encrypt_schm": scheme}, "error_code": 0}
        if plug.encryption == "XOR":
            response = {"system": {"get_sysinfo": {"mac": plug.mac}}}
        options["on_discovered_raw"]({"meta": {"ip": host, "port": 20002}, "discovery_response": response})
        if plug.encryption not in ("XOR", "KLAP", "AES"):
            told = response["result"]
            raise kasa.UnsupportedDeviceError("Unsupported", discovery_result=told, host=host)
        parameters = kasa.DeviceConnectionParameters.from_values(
            plug.family, plug.encryption, login_version=plug.login_version
        )
        config = kasa.DeviceConfig(host, port_override=options.get("port"), connection_type=parameters)
        return FakeDevice(plug, config)


def open_objects(plugs: Iterable[FakePlug]) -> int:
    """Device objects that nobody closed."""
    return sum(plug.open_objects for plug in plugs)
