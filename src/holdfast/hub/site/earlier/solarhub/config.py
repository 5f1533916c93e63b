"""The earlier ``config.yaml``. Source: fact sheet section 14 and the requirement's adapter types.

A bank has one ``adapter``, or ``adapters`` in order, each with an ``adapter`` of its own beside ``priority`` and
``enabled``. Arrays of banks and their attachments stand in lists of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from holdfast.hub.site.earlier.note import Note
from holdfast.hub.site.earlier.plainly import items, line, mapping
from holdfast.hub.site.earlier.solarhub.attachments import Attachments
from holdfast.hub.site.earlier.solarhub.earlier import (
    Earlier,
    EarlierAdapter,
    EarlierArray,
    EarlierBattery,
    EarlierPack,
    Said,
)
from holdfast.hub.site.earlier.solarhub.writing import write
from holdfast.hub.site.problems import Findings, kind_of, shown

if TYPE_CHECKING:
    from holdfast.hub.site.earlier.solarhub.takeover import Takeover
    from holdfast.hub.site.problems import Locate, Place

_BANKS, _BANK, _PACKS = "battery_banks", "battery_bank", "battery_packs"
_ARRAYS, _ATTACHMENTS = "battery_bank_arrays", "battery_bank_array_attachments"
_INVERTER_ARRAYS: Final = "arrays"
_NOTED: Final = {
    "inverters": "an inverter",
    "meters": "a meter",
    _INVERTER_ARRAYS: "an array of inverters",
    "attachments": "an attachment of a battery pack",
}
"""Lists of things that there is no driver for."""
_TAKEN: Final = frozenset(
    {"timezone", "home", _BANKS, _BANK, _PACKS, _ARRAYS, _ATTACHMENTS, "battery_data_source", *_NOTED}
)


def of_config(raw: object, *, source: str = "config.yaml", locate: Locate | None = None) -> Takeover:
    """Convert a parsed ``config.yaml``. Pure; never raises: what is wrong stands in the reports, all of it."""
    findings = Findings(source, locate)
    if not isinstance(raw, Mapping):
        findings.note((), f"a configuration is a mapping, not {kind_of(raw)}", f"it has the key {_BANKS}")
    return write(_Reading(mapping(raw), findings).earlier(), findings)


class _Reading:
    def __init__(self, raw: Mapping[Any, Any], findings: Findings) -> None:
        self._raw = raw
        self._findings = findings
        self._notes: list[Note] = []
        self._facts = {line(mapping(each).get("id")): mapping(each) for each in items(raw.get(_PACKS))}

    def earlier(self) -> Earlier:
        home = mapping(self._raw.get("home"))
        packs = self._packs()
        arrays = self._arrays()
        self._note_the_rest()
        return Earlier(
            id=line(home.get("id")),
            name=line(home.get("name")),
            timezone=line(self._raw.get("timezone")),
            packs=packs,
            arrays=arrays,
            notes=self._notes,
        )

    # --- banks ---------------------------------------------------------------------------------------------------

    def _packs(self) -> list[EarlierPack]:
        banks: list[tuple[Place, object]] = [
            ((_BANKS, number), bank) for number, bank in enumerate(self._list(_BANKS))
        ]
        if self._raw.get(_BANK) is not None:  # the older form, for a single bank
            banks.append(((_BANK,), self._raw[_BANK]))
        if not banks:
            self._findings.note((), "there is no battery bank here", f"banks stand under {_BANKS}")
        packs: list[EarlierPack] = []
        for place, bank in banks:
            if not isinstance(bank, Mapping):
                self._findings.note(place, f"a battery bank is a mapping, not {kind_of(bank)}", "left out")
                continue
            ident = line(bank.get("id")) or "battery"
            if ident in [each.id for each in packs]:
                self._findings.note(place, f"{shown(ident)} is the id of two banks", "rename one of them")
            packs.append(self._pack(place, ident, bank))
        return packs

    def _pack(self, place: Place, ident: str, bank: Mapping[Any, Any]) -> EarlierPack:
        facts = self._facts.get(ident, {})
        batteries = [_battery(mapping(each)) for each in items(facts.get("units"))]
        return EarlierPack(
            path=place,
            id=ident,
            name=line(bank.get("name")) or line(facts.get("name")),
            adapters=self._adapters(place, bank),
            batteries=batteries,
            data=facts,
        )

    def _adapters(self, place: Place, bank: Mapping[Any, Any]) -> list[EarlierAdapter]:
        single, several = bank.get("adapter"), bank.get("adapters")
        if single is not None and several:
            text = "both adapter and adapters stand here; the earlier program refused that"
            self._findings.note((*place, "adapter"), text, "adapters are taken over, then this one")
        listed: list[tuple[Place, object]] = [
            ((*place, "adapters", number), each) for number, each in enumerate(items(several))
        ]
        if single is not None:
            listed.append(((*place, "adapter"), single))
        return [adapter for where, each in listed if (adapter := self._adapter(where, each)) is not None]

    def _adapter(self, place: Place, raw: object) -> EarlierAdapter | None:
        if not isinstance(raw, Mapping):
            self._findings.note(place, f"an adapter is a mapping, not {kind_of(raw)}", "left out")
            return None
        inner = raw.get("adapter", raw)
        if not isinstance(inner, Mapping):
            self._findings.note(
                (*place, "adapter"), f"a mapping is expected, not {kind_of(inner)}", "left out"
            )
            return None
        around = [("the list", raw)] if inner is not raw else []
        said = [*around, ("the adapter", inner)]
        return EarlierAdapter(
            path=place,
            id=line(raw.get("id")),
            kind=line(inner.get("type")),
            config={key: value for key, value in inner.items() if key not in ("type", "id")},
            priority=[Said(where, each.get("priority")) for where, each in said],
            enabled=[Said(where, each.get("enabled")) for where, each in said],
        )

    # --- arrays and the rest -------------------------------------------------------------------------------------

    def _arrays(self) -> list[EarlierArray]:
        found = [(number, mapping(raw)) for number, raw in enumerate(self._list(_ARRAYS))]
        attachments = Attachments(
            self._list(_ATTACHMENTS),
            "battery_bank_array_id",
            {line(raw.get("id")) for _, raw in found},
            self._findings,
            (_ATTACHMENTS,),
        )
        inverter_arrays = {line(mapping(raw).get("id")): raw for raw in self._list(_INVERTER_ARRAYS)}
        attachments.check(inverter_arrays, self._findings, (_ATTACHMENTS,))
        self._notes += attachments.notes
        return [
            EarlierArray(
                path=(_ARRAYS, number),
                id=line(raw.get("id")),
                name=line(raw.get("name")),
                packs=[line(each) for each in items(raw.get("battery_bank_ids"))],
                attached_to=attachments.now(line(raw.get("id"))),
            )
            for number, raw in found
        ]

    def _note_the_rest(self) -> None:
        for key, what in _NOTED.items():
            for raw in self._list(key):
                ident = line(mapping(raw).get("id"))
                self._notes.append(Note(f"{what} {shown(ident)}" if ident else what, mapping(raw)))
        banks = {line(mapping(each).get("id")) for each in [*self._list(_BANKS), self._raw.get(_BANK)]}
        for ident, facts in self._facts.items():
            if ident not in banks:
                self._notes.append(
                    Note(f"what is written of the pack {shown(ident)}, which is no bank", facts)
                )
        left = sorted(line(key) for key in self._raw if key not in _TAKEN)
        if left:
            # By name only: there are passwords and keys among them.
            self._notes.append(Note(f"sections that are not about batteries: {', '.join(left)}"))

    def _list(self, key: str) -> list[Any]:
        raw = self._raw.get(key)
        if raw is not None and not isinstance(raw, list | tuple):
            self._findings.note((key,), f"a list is expected here, not {kind_of(raw)}", "left out")
        return items(raw)


def _battery(unit: Mapping[Any, Any]) -> EarlierBattery:
    serial = line(unit.get("serial"))
    return EarlierBattery(line(unit.get("id")), f"serial number {serial}" if serial else "")
