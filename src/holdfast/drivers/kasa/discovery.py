"""Device discovery of plugs: whoever answers a question by UDP, and what can be said of it.

A legacy plug answers with its whole state, a newer one only with what it is; the rest needs a login. One answer per
address is heard: of two plugs behind one address the other is found by its port. Source: Kasa fact sheet sections 2
and 5 (number 16).
"""

from __future__ import annotations

import asyncio
import math
import socket
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from holdfast.drivers.kasa.faults import as_fault, translated
from holdfast.drivers.kasa.library import Load, load_library
from holdfast.drivers.kasa.options import EVERYBODY, KasaOptions
from holdfast.drivers.kasa.plug import CONNECT_S
from holdfast.drivers.kasa.search import MARGIN_S, leave, mac_of
from holdfast.drivers.kasa.state import SWITCH, state_of
from holdfast.drivers.kasa.ways import (
    COMPATIBILITY,
    LIBRARY_TIMEOUT_S,
    PLUG_FAMILIES,
    XOR,
    Way,
    config_of,
    objection,
    shape_objection,
    way_of,
)
from holdfast.errors import ConfigurationError, HoldfastError, LinkFault, Nonsense, Unreachable, Unsupported
from holdfast.link.discovery import Discover, Discovery, Found, Sweep
from holdfast.options import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from holdfast.drivers.kasa.library import KasaLibrary
    from holdfast.model import Value

LOOKUP_S: Final = 3.0
"""How long looking up a name may take: a resolver repeats its question after some seconds, and a person waits."""
LEGACY_PORT: Final = 9999
WEB_PORTS: Final = (None, 80)
"""Where newer plugs are reached without saying so: fact sheet section 1."""
LONGEST_NAME: Final = 64
"""Characters of a name that somebody on the network says is a plug's; the app allows half as many."""

_NETWORK_ADVICE: Final = "Check this machine's network and the address."
_LOGIN: Final = "more is told, and the plug can be used, only with the login of the vendor's account"


class Target(NamedTuple):
    """Whom to ask. ``port`` is in the place of the legacy one."""

    host: str
    port: int | None = None


class Answer(NamedTuple):
    """One device that answered; ``way`` is missing where the library did not take it."""

    host: str
    told: Mapping[str, Any]
    """What it says of itself, old or new."""
    mac: str
    way: Way | None = None
    shape: str = ""
    is_refused: bool = False
    """Whether the library said that it knows no such kind."""


def discovery(load: Load = load_library) -> Discover:
    """The family's discovery, with another library than the installed one."""
    return partial(_discover, load)


async def _discover(load: Load, sweep: Sweep) -> Discovery:
    targets = [target_of(each) for each in sweep.targets] or [Target(EVERYBODY)]
    library = await asyncio.to_thread(load)  # the import takes half a second
    login = KasaOptions(host="", username=sweep.username, password=sweep.password)
    asked = await asyncio.gather(*(_at(library, each, sweep.seconds, login) for each in targets))
    faults = [each for each in asked if isinstance(each, HoldfastError)]
    if len(faults) == len(targets):
        raise faults[0]
    found = {
        one.url: one for each in asked if not isinstance(each, HoldfastError) for one in each
    }  # a broadcast and a host may bring the same
    return Discovery(tuple(found.values()), tuple(faults))


def target_of(text: str) -> Target:
    """Read ``HOST`` or ``HOST:PORT``; raises `ConfigurationError`."""
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
        is_whole = parts.netloc == text and "@" not in text
    except ValueError:
        host, port, is_whole = None, None, False
    if not host or port == 0 or not is_whole:
        raise ConfigurationError(f"{shown(text)} is nobody to ask", advice="write HOST or HOST:PORT")
    return Target(host, port)


# --- asking --------------------------------------------------------------------------------------------------------


async def _at(
    library: KasaLibrary, target: Target, seconds: float, login: KasaOptions
) -> list[Found] | HoldfastError:
    """Whoever answers there, or why nobody could be asked."""
    try:
        address = await _address(target.host)
        _expect_route(address)
        answers = await _answers(library, Target(address, target.port), seconds)
    except HoldfastError as error:
        return error
    except Exception as error:  # noqa: BLE001 - nothing of the library's may escape
        return as_fault(translated(error, library, f"looking for plugs at {target.host}"))
    return list(await asyncio.gather(*(_told(library, each, login) for each in answers)))


async def _address(host: str) -> str:
    """The library sends to addresses only. Raises `Unreachable` for a name that is not known."""
    try:
        async with asyncio.timeout(LOOKUP_S):
            known = await asyncio.get_running_loop().getaddrinfo(
                host, None, family=socket.AF_INET, type=socket.SOCK_DGRAM
            )
    except TimeoutError:
        raise Unreachable(f"looking up the host name {host} took too long", advice=_NETWORK_ADVICE) from None
    except (OSError, UnicodeError):
        raise Unreachable(
            f"the host name {host} is not known", advice="Check the spelling, or use the address in numbers."
        ) from None
    return str(known[0][4][0])


def _expect_route(address: str) -> None:
    """Raise `Unreachable` where this machine knows no way there: the library would only log that, and wait."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.setblocking(False)
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        try:
            probe.connect((address, LEGACY_PORT))  # sends nothing: the system only chooses the way
        except OSError as error:
            text = f"nobody can be asked at {address}: {error.strerror or error}"
            raise Unreachable(text, advice=_NETWORK_ADVICE) from None


async def _answers(library: KasaLibrary, target: Target, seconds: float) -> list[Answer]:
    """Everybody that answered. Every device object that the library made is closed again."""
    heard: dict[str, Any] = {}
    refused: list[Exception] = []

    async def on_unsupported(error: Exception) -> None:
        refused.append(error)

    async with asyncio.timeout(seconds + MARGIN_S):
        devices = await library.Discover.discover(
            target=target.host,
            discovery_timeout=seconds,
            port=target.port,
            timeout=LIBRARY_TIMEOUT_S,
            on_discovered_raw=partial(_note, heard),
            on_unsupported=on_unsupported,
        )
    try:
        taken = {
            host: (way_of(each.config), _shape(each)) for host, each in devices.items()
        }  # nothing is awaited here: they are closed in any case
    finally:
        await asyncio.gather(*(leave(each) for each in devices.values()))
    return [
        Answer(host, _self(raw), mac_of(raw), *taken[host])
        if host in taken
        else Answer(host, _self(raw), mac_of(raw), is_refused=_is_refused(refused, host, mac_of(raw)))
        for host, raw in heard.items()
    ]


def _note(heard: dict[str, Any], raw: Any) -> None:
    """Keep one answer; called by the library, so nothing may escape."""
    try:
        heard[str(raw["meta"]["ip"])] = raw["discovery_response"]
    except (KeyError, TypeError):
        return


def _self(raw: Any) -> Mapping[str, Any]:
    """What an answer says of the device itself, old or new; empty if nothing."""
    if not isinstance(raw, dict):
        return {}
    old = raw.get("system")
    told = old.get("get_sysinfo") if isinstance(old, dict) else raw.get("result")
    return told if isinstance(told, dict) else {}


def _shape(device: Any) -> str:
    try:
        return str(device.device_type.value)
    except Exception:  # noqa: BLE001 - an answer that makes the library stumble is told as unknown
        return ""


def _is_refused(refused: Iterable[Exception], host: str, mac: str) -> bool:
    """Whether one of the library's complaints is about that one; it names the host in some cases only."""
    for each in refused:
        result = getattr(each, "discovery_result", None)
        told = result if isinstance(result, dict) and "result" in result else {"result": result}
        if getattr(each, "host", None) == host or (mac and mac_of(told) == mac):
            return True
    return False


# --- telling -------------------------------------------------------------------------------------------------------


class Inside(NamedTuple):
    """What a plug tells those whom it lets in."""

    name: str
    shape: str = "plug"
    signal_dbm: float | None = None
    values: Mapping[str, Value] = {}


async def _told(library: KasaLibrary, answer: Answer, login: KasaOptions) -> Found:
    way = answer.way
    if way is None:
        return _unsupported(answer, _why_not(answer))
    why = objection(way.family, way.encryption)
    if why is None and way.encryption == XOR:
        why = shape_objection(answer.shape)  # of the others it is known once they have let us in
    if why is not None:
        return _unsupported(answer, why)
    if way.encryption == XOR:
        return _legacy(answer, way)
    return await _newer(library, answer, way, login)


def _why_not(answer: Answer) -> LinkFault:
    """Why the library did not take it, by what it says of itself: anybody on the network may say anything."""
    told = answer.told
    family = _text(told.get("device_type") or told.get("mic_type") or told.get("type"))
    if not answer.is_refused and (not family or family in PLUG_FAMILIES):
        return Nonsense("its answer was not understood", advice="Update its firmware with the vendor's app.")
    why = objection(family, _text(_scheme(told)))
    return why or Unsupported("the plug's firmware speaks nothing that is known", advice=COMPATIBILITY)


def _unsupported(answer: Answer, why: LinkFault) -> Found:
    told, spoken = answer.told, answer.way.encryption if answer.way is not None else _scheme(answer.told)
    return Found(
        driver="kasa",
        url=_url(answer.host),
        name=_alias(told),
        model=_model(told),
        mac=answer.mac,
        kind=_text(spoken).lower() if answer.shape in ("", "plug", "unknown") else answer.shape,
        signal_dbm=_number(told.get("rssi")),
        is_supported=False,
        note=why.text,
        advice=why.advice,
    )


def _legacy(answer: Answer, way: Way) -> Found:
    told = answer.told
    return Found(
        driver="kasa",
        url=_url(way.host, None if way.port == LEGACY_PORT else way.port),
        name=_alias(told),
        model=_model(told),
        mac=answer.mac,
        kind=way.kind.value,
        signal_dbm=_number(told.get("rssi")),
        values={SWITCH: bool(told["relay_state"])} if "relay_state" in told else {},
        adapter=_adapter(answer, way),
    )


async def _newer(library: KasaLibrary, answer: Answer, way: Way, login: KasaOptions) -> Found:
    """A plug behind a login."""
    inside, note, advice = Inside(_alias(answer.told)), _LOGIN, ""
    if login.username or login.password:
        note = ""
        try:
            # The port that was asked for the old kind is none of this one.
            inside = await _let_in(library, replace(way, port=None), login)
        except LinkFault as fault:
            note, advice = fault.text, fault.advice
        if (why := shape_objection(inside.shape)) is not None:
            return _unsupported(answer._replace(shape=inside.shape), why)
    return Found(
        driver="kasa",
        url=_url(way.host, None if way.is_https or way.http_port in WEB_PORTS else way.http_port),
        name=inside.name,
        model=_model(answer.told),
        mac=answer.mac,
        kind=way.kind.value,
        signal_dbm=inside.signal_dbm,
        values=inside.values,
        needs_login=True,
        note=note,
        advice=advice,
        adapter=_adapter(answer, way),
    )


async def _let_in(library: KasaLibrary, way: Way, login: KasaOptions) -> Inside:
    """Log in, look, and leave. Raises a `LinkFault`."""
    device = None
    try:
        async with asyncio.timeout(CONNECT_S):
            device = await library.Device.connect(config=config_of(library, way, login))
        state = state_of(device, None)
        return Inside(_text(device.alias), _shape(device), state.rssi, {SWITCH: state.is_on})
    except Exception as error:
        raise as_fault(translated(error, library, f"connecting to {way.host}")) from error
    finally:
        if device is not None:
            await leave(device)


def _adapter(answer: Answer, way: Way) -> dict[str, Any]:
    """Keys for the site file. By its kind nobody has to ask by UDP, and by its address another plug is never switched.

    How newer ones are reached by TLS no kind tells: the driver finds that out.
    """
    kind = {} if way.is_https else {"kind": way.kind.value}
    return {**kind, **({"mac": answer.mac} if answer.mac else {})}


def _url(host: str, port: int | None = None) -> str:
    return f"kasa://{host}" if port is None else f"kasa://{host}:{port}"


def _alias(told: Mapping[str, Any]) -> str:
    return _text(told.get("alias") or "")


def _model(told: Mapping[str, Any]) -> str:
    return _text(told.get("model") or told.get("device_model") or "")


def _scheme(told: Mapping[str, Any]) -> object:
    """How it is spoken to; whoever answers the old question speaks the old way."""
    if "device_type" not in told:
        return XOR if told else ""
    schemes = (("mgt_encrypt_schm", "encrypt_type"), ("encrypt_info", "sym_schm"))
    found = (inner.get(key) for name, key in schemes if isinstance(inner := told.get(name), dict))
    return next(filter(None, found), "")


def _text(told: object) -> str:
    return str(told or "")[:LONGEST_NAME]


def _number(told: object) -> float | None:
    """A finite number, or nothing."""
    if isinstance(told, bool) or not isinstance(told, int | float) or not math.isfinite(told):
        return None
    return float(told)
