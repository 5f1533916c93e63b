"""What several places say about one thing, put together without guessing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.hub.site.earlier.plainly import items, line, spelled_out, whole
from holdfast.hub.site.problems import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from holdfast.hub.site.earlier.solarhub.earlier import EarlierAdapter, EarlierBattery, EarlierPack, Said
    from holdfast.hub.site.problems import Findings

MOST_BATTERIES: Final = 16
"""Addresses are four switches: fact sheet section 1."""


class Word(NamedTuple):
    """What all places agree on; else both ``None`` and why."""

    value: int | None = None
    conflict: str = ""
    nonsense: str = ""


def unanimous(said: Sequence[Said], read: Callable[[object], int | None]) -> Word:
    """The one value that is said. A place that says nothing does not contradict; nonsense counts as nothing said."""
    stated = [each for each in said if each.value is not None]
    understood = [(each, value) for each in stated if (value := read(each.value)) is not None]
    nonsense = "; ".join(
        f"{each.where} says {shown(each.value)}" for each in stated if read(each.value) is None
    )
    if len({value for _, value in understood}) > 1:
        words = ", ".join(f"{each.where} says {shown(value)}" for each, value in understood)
        return Word(conflict=words, nonsense=nonsense)
    return Word(value=understood[0][1] if understood else None, nonsense=nonsense)


@dataclass(frozen=True, slots=True)
class Batteries:
    """Names by bus address as far as they were said, and the comment above the device."""

    comment: str
    names: Mapping[int, str] = field(default_factory=dict)


def batteries_of(pack: EarlierPack, adapters: Sequence[EarlierAdapter], findings: Findings) -> Batteries:
    """The pack's batteries. Their order was known, their bus addresses were not (fact sheet section 14).

    Some configurations have ``battery_addresses`` all the same; such a list is believed, and the comment says so.
    """
    addresses = _addresses(adapters, findings)
    count = _count(pack, findings)
    listed = list(pack.batteries)
    if addresses:
        names = {
            address: _name(listed, index) if len(listed) == len(addresses) else f"battery {address}"
            for index, address in enumerate(addresses)
        }
        return Batteries("Compare the bus addresses with the switches of the batteries.", names)
    number = len(listed) or count
    text = ["Fill in the bus address (0 to 15, by its switches) and a name for each battery."]
    if not number:
        text.append(
            "Without this list every battery that is heard is taken in: options: {batteries: {0: front}}"
        )
        return Batteries("\n".join(text))
    guess = ", ".join(f"{index}: {spelled_out(_name(listed, index))}" for index in range(number))
    text.append("The earlier program did not know them. If they count from 0, it is")
    text.append(f"options: {{batteries: {{{guess}}}}}")
    text += [f"{spelled_out(each.name)}: {each.about}" for each in listed if each.about]
    return Batteries("\n".join(text))


def _name(listed: Sequence[EarlierBattery], index: int) -> str:
    return (
        line(listed[index].name) or f"battery {index + 1}" if index < len(listed) else f"battery {index + 1}"
    )


def _addresses(adapters: Sequence[EarlierAdapter], findings: Findings) -> list[int]:
    found: list[list[int]] = []
    for adapter in adapters:
        stated = adapter.config.get("battery_addresses")
        if stated is None:
            continue
        numbers = [number for each in items(stated) if (number := whole(each)) is not None]
        is_possible = (
            len(numbers) == len(items(stated)) == len(set(numbers))
            and all(0 <= number < MOST_BATTERIES for number in numbers)
            and bool(numbers)
        )
        if is_possible:
            found.append(numbers)
        else:
            text = "these are not different addresses from 0 to 15"
            findings.note((*adapter.path, "battery_addresses"), text, "left out")
    if any(each != found[0] for each in found):
        for adapter in adapters:
            text = "battery_addresses differ between the adapters of this pack"
            findings.note(adapter.path, text, "left out: fill them in in the site file")
        return []
    return found[0] if found else []


def _count(pack: EarlierPack, findings: Findings) -> int:
    """How many batteries there are, if it is said once or alike."""
    said = [whole(adapter.config.get("batteries")) for adapter in pack.adapters]
    counts = {number for number in (*said, len(pack.batteries) or None) if number is not None}
    if len(counts) > 1:
        numbers = " and ".join(map(str, sorted(counts)))
        findings.note(pack.path, f"the number of batteries is said differently: {numbers}")
        return 0
    number = next(iter(counts), 0)
    if not 0 <= number <= MOST_BATTERIES:
        findings.note(pack.path, f"{number} batteries cannot be on one bus", "addresses are 0 to 15")
        return 0
    return number
