"""The three files become a site."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from holdfast.hub.site.earlier.fermenter.heading import site_head, unit_of
from holdfast.hub.site.earlier.fermenter.hydrometers import Hydrometers
from holdfast.hub.site.earlier.fermenter.leftovers import tell_leftovers
from holdfast.hub.site.earlier.fermenter.plugs import plug_address
from holdfast.hub.site.earlier.fermenter.takeover import Report, Takeover
from holdfast.hub.site.earlier.fermenter.thermostat import PLUGS, TAKEN, PlugKeys, Thermostat
from holdfast.hub.site.earlier.fermenter.tilts import tilt_of
from holdfast.hub.site.earlier.plainly import line
from holdfast.hub.site.problems import Findings, kind_of, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.hub.site.earlier.fermenter.files import EarlierFile, EarlierFiles
    from holdfast.hub.site.problems import Place

_CONTROLLERS: Final = "controllers"
"""Later versions have a list of up to three; the settings of the one controller stood at the top before."""


def of_files(files: EarlierFiles) -> Takeover:
    """Convert the files. Pure apart from looking up a time zone; never raises: what is wrong stands in the reports."""
    return _Writing(files).takeover()


class _Entry:
    """One controller on its way into the site."""

    def __init__(self, number: int, raw: Mapping[str, Any], place: Place, findings: Findings) -> None:
        self.suffix = "" if number == 1 else f"-{number}"
        self.raw = raw
        self.place = place
        self.thermostat = Thermostat(raw, place, findings)
        self.urls: dict[str, str] = {}
        """Plugs by role."""


class _Writing:
    def __init__(self, files: EarlierFiles) -> None:
        self._files = files
        self._findings = {each.name: _findings_of(each) for each in files}
        self._temperature = self._findings[files.temperature.name]
        self._system = self._findings[files.system.name]
        self._devices: list[dict[str, Any]] = []
        self._comments: dict[Place, str] = {}
        findings = self._findings[files.tilts.name]
        self._tilts = Hydrometers(files.tilts.values, findings, self._devices, self._comments)

    def takeover(self) -> Takeover:
        site = site_head(self._files.system.values, self._system, self._comments)
        entries = self._entries()
        plugs = self._plugs(entries)
        controllers = [self._controller(at, entry, plugs) for at, entry in enumerate(entries)]
        self._tilts.take_the_rest()
        mapping: dict[str, Any] = {"site": site, "devices": self._devices}
        if controllers:
            mapping["controllers"] = controllers
        return Takeover(
            mapping=mapping,
            comments=self._comments,
            reports=tuple(
                Report(name, each)
                for name, findings in self._findings.items()
                for each in sorted(findings.problems, key=lambda problem: problem.line or 0)
            ),
            notes=tuple(self._tilts.notes),
        )

    # --- controllers ---------------------------------------------------------------------------------------------

    def _entries(self) -> list[_Entry]:
        values = self._files.temperature.values
        if _CONTROLLERS not in values:
            if not values:
                return []
            tell_leftovers(values, TAKEN, self._temperature)
            return [_Entry(1, values, (), self._temperature)]
        for key in sorted(TAKEN & values.keys()):
            self._temperature.note((key,), "not taken over", "the list of controllers counts")
        tell_leftovers(values, (_CONTROLLERS, *TAKEN), self._temperature)
        listed = values[_CONTROLLERS]
        if not isinstance(listed, list):
            text = f"a list is expected here, not {kind_of(listed)}"
            self._temperature.note((_CONTROLLERS,), text, "no controller is taken over")
            return []
        entries: list[_Entry] = []
        for index, raw in enumerate(listed):
            place: Place = (_CONTROLLERS, index)
            if not isinstance(raw, Mapping):
                text = f"a mapping is expected here, not {kind_of(raw)}"
                self._temperature.note(place, text, "this controller is left out")
            elif all(raw.get(key) in (None, "") for key in ("tilt_color", *(plug.earlier for plug in PLUGS))):
                limits = " and ".join(shown(raw.get(key)) for key in ("low_limit", "high_limit"))
                text = f"this controller has neither a plug nor a Tilt (its limits: {limits})"
                self._temperature.note(place, text, "left out: it was never set up")
            else:
                tell_leftovers(raw, TAKEN, self._temperature, place)
                entries.append(_Entry(len(entries) + 1, raw, place, self._temperature))
        return entries

    def _controller(self, at: int, entry: _Entry, plugs: Mapping[str, str]) -> dict[str, Any]:
        thermostat = entry.thermostat
        tilt = tilt_of(entry.raw.get("tilt_color"))
        if tilt is None:
            self._miss_tilt(entry)
        if unit_of(self._files.system.values) == "celsius":
            text = "the earlier program showed °C and compared in °F all the same"
            thermostat.doubt("low_limit", text, "check that both limits are °F")
        devices = {role: plugs[url] for role, url in entry.urls.items()}
        sensor = self._tilts.device(tilt) if tilt else ""
        written = thermostat.written(f"fermenter{entry.suffix}", sensor, devices)
        comment = ["Stop the earlier program before this one switches its plugs."]
        if thermostat.doubts:
            doubts = "\n".join(f"- {each}" for each in dict.fromkeys(thermostat.doubts))
            comment = [f"Not enabled, because\n{doubts}", *comment]
        self._comments[_CONTROLLERS, at] = "\n".join(comment)
        return written

    def _miss_tilt(self, entry: _Entry) -> None:
        raw = entry.raw.get("tilt_color")
        brewing = [each.colour for each in self._tilts.brewing]
        hint = f"perhaps sensor: tilt-{brewing[0]}/temperature" if len(brewing) == 1 else "name a sensor"
        if line(raw):
            entry.thermostat.doubt("tilt_color", f"{shown(raw)} is no Tilt", hint)
            return
        text = "no Tilt is assigned: the earlier program took any that it heard, Holdfast takes none"
        entry.thermostat.doubt("tilt_color", text, hint)

    # --- plugs ---------------------------------------------------------------------------------------------------

    def _plugs(self, entries: Sequence[_Entry]) -> dict[str, str]:
        """Make a device of each plug; the result are their ids by address."""
        claims: dict[str, list[tuple[_Entry, PlugKeys]]] = {}
        for entry in entries:
            for plug in PLUGS:
                if url := self._plug(entry, plug):
                    claims.setdefault(url, []).append((entry, plug))
        ids: dict[str, str] = {}
        for url, claimed in claims.items():
            entry, plug = claimed[0]
            if len(claimed) == 1:
                ids[url] = f"{plug.device}{entry.suffix}"
                entry.urls[plug.role] = url
            else:
                shared = sum(1 for each in ids.values() if each.startswith("plug")) + 1
                ids[url] = "plug" if shared == 1 else f"plug-{shared}"
                self._tell_shared(url, claimed)
            adapter = {"id": "lan", "driver": "kasa", "url": url}
            self._devices.append({"id": ids[url], "adapters": [adapter]})
        return ids

    def _plug(self, entry: _Entry, plug: PlugKeys) -> str:
        address = plug_address(entry.raw.get(plug.earlier), entry.raw.get(plug.port))
        port = entry.raw.get(plug.port)
        if address.remark:
            entry.thermostat.note(plug.earlier, address.remark, f"taken over as {address.url}")
        if address.fault:
            advice = f"left out: the controller has no {plug.role} until an address is filled in"
            entry.thermostat.note(plug.earlier, address.fault, advice)
        elif port not in (None, "") and not address.url.endswith(f":{line(port)}"):
            entry.thermostat.note(plug.port, f"{shown(port)} is no port, or of no plug", "left out")
        return address.url

    def _tell_shared(self, url: str, claimed: Sequence[tuple[_Entry, PlugKeys]]) -> None:
        for entry, plug in claimed:
            text = f"{url} is the plug of {len(claimed)} tasks at once"
            advice = f"decide what it switches; until then the controller has no {plug.role}"
            entry.thermostat.doubt(plug.earlier, text, advice)


def _findings_of(file: EarlierFile) -> Findings:
    findings = Findings(file.name, file.locate)
    for each in file.problems:
        findings.add(each)
    return findings
