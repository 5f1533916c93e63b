"""What a person set while a controller runs: laid over the site's settings, until the site says something new. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from holdfast.control import EnteredBand, EnteredLimits, ThermostatSettings, parse_settings
from holdfast.errors import ConfigurationError
from holdfast.options import Section

KEYS: Final = ("low", "high", "cooling", "enabled", "profile")
"""What may be set while the controller runs, as the site calls it."""


class Entry(NamedTuple):
    """A value that was set, and the site's own at that moment: when that changes, whoever changed it is the newer."""

    value: Any
    instead_of: Any


@dataclass(frozen=True, slots=True)
class Entered:
    """All entries of one controller, by key."""

    entries: Mapping[str, Entry]

    @classmethod
    def from_record(cls, record: object, site: Mapping[str, Any]) -> Entered:
        """What an earlier run stored, without what the site has overtaken or nobody understands."""
        found = {}
        for key, pair in record.items() if isinstance(record, Mapping) else ():
            if key in KEYS and isinstance(pair, list | tuple) and len(pair) == len(Entry._fields):
                entry = Entry(*pair)
                if _plain(entry.instead_of) == _plain(site.get(key)):
                    found[key] = entry
        return cls(found)

    def to_record(self) -> dict[str, Any]:
        """As JSON values."""
        return {key: list(entry) for key, entry in self.entries.items()}

    def put(self, key: str, value: Any, site: Mapping[str, Any]) -> Entered:
        """The same with one more entry; one that says what the site says is none."""
        rest = {name: entry for name, entry in self.entries.items() if name != key}
        if _plain(value) == _plain(site.get(key)):
            return Entered(rest)
        return Entered({**rest, key: Entry(value, site.get(key))})

    def laid_over(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """The controller's part of the site as it is in force."""
        return {**raw, **{key: entry.value for key, entry in self.entries.items()}}

    def settings(self, usual: ThermostatSettings, raw: Mapping[str, Any]) -> ThermostatSettings:
        """The settings in force. An entry that cannot be read any more leaves the site's own."""
        values = {key: entry.value for key, entry in self.entries.items()}
        band = usual.limits.band
        settings = replace(
            usual,
            limits=EnteredLimits(
                EnteredBand(values.get("low", band.low), values.get("high", band.high)),
                _band(values["cooling"]) if "cooling" in values else usual.limits.cooling,
            ),
            is_enabled=bool(values.get("enabled", usual.is_enabled)),
        )
        if "profile" not in values:
            return settings
        try:
            read = parse_settings(Section({**raw, "profile": values["profile"]}, ()))
        except ConfigurationError:
            return settings
        return replace(settings, profile=read.profile)


def _band(value: Any) -> EnteredBand | None:
    """A band of its own for cooling; ``None``: there is none."""
    return EnteredBand(value.get("low"), value.get("high")) if isinstance(value, Mapping) else None


def _plain(value: Any) -> Any:
    """Lists and tuples, and mappings of any kind, compare by what is in them."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
