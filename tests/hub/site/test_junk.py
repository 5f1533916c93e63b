"""Whatever a program or a file hands over, the answer is a site or a `SiteError`."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from holdfast.hub.site import SecretSource, SiteError, read_site
from tests.hub.site.toy import FAMILIES

MARKER = "hunter2-marker"

_KEYS = st.sampled_from(
    [
        "site",
        "devices",
        "controllers",
        "arrays",
        "id",
        "name",
        "timezone",
        "temperature_unit",
        "adapters",
        "options",
        "outputs",
        "capabilities",
        "driver",
        "url",
        "username",
        "password",
        "priority",
        "standby",
        "enabled",
        "kind",
        "env",
        "file",
        "module",
        "fault",
    ]
)
_WORDS = st.sampled_from(
    [
        "toy",
        "puppet",
        "toy://one",
        "UTC",
        "../x",
        "Europe",
        "cold",
        "hot",
        "a",
        "PASS_WORD",
        "bug",
        "\0",
        "\ud800",
        "é:1",
    ]
)
_SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | _WORDS | st.just(10**200)
)
_JUNK = st.recursive(
    _SCALARS | st.binary(max_size=3) | st.builds(object),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            _KEYS | st.text(max_size=4) | st.integers() | st.none() | st.floats(), inner, max_size=5
        )
        | st.tuples(inner)
    ),
    max_leaves=20,
)

_GOOD: dict[str, Any] = {
    "site": {"id": "home", "name": "Home", "timezone": "UTC", "temperature_unit": "celsius"},
    "devices": [
        {
            "id": name,
            "name": name,
            "adapters": [
                {
                    "id": adapter,
                    "driver": "toy",
                    "url": f"toy://{name}-{adapter}",
                    "username": "me",
                    "password": {"env": "PASS_WORD"},
                    "priority": 1,
                    "standby": "cold",
                    "enabled": True,
                    "kind": "auto",
                }
                for adapter in ("lan", "usb")
            ],
            "options": {"modules": {6: {"kind": "dimmer"}}},
            "outputs": {"kitchen": {"module": 1}},
            "capabilities": {"temperature": {"unit": "°C"}},
        }
        for name in ("house", "shed")
    ],
    "controllers": [],
}


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for key, inner in items for deeper in _paths(inner, (*path, key)))]


_PATHS = _paths(_GOOD)[1:]


def _read(raw: Any) -> None:
    """Read it; an error must be ours, must say something, and must say nothing secret."""
    fault: SiteError | None = None
    try:
        spec = read_site(raw, FAMILIES, secrets=SecretSource(environ={"PASS_WORD": MARKER}))
    except SiteError as raised:
        fault = raised
    else:
        assert all(len(device.drivers) == len(device.device.adapters) > 0 for device in spec.devices)
        assert MARKER not in repr(spec)
    if fault is not None:
        assert fault.problems
        assert all(problem.text for problem in fault.problems)
        assert MARKER not in str(fault) + repr(fault.problems)


@given(_JUNK)
def test_anything(raw: object) -> None:
    """Not even a mapping."""
    _read(raw)


@given(st.fixed_dictionaries({"devices": st.lists(_JUNK, max_size=3)}, optional={"site": _JUNK}))
def test_anything_in_the_right_places(raw: dict[str, object]) -> None:
    """The outer shape is right, the rest is not."""
    _read(raw)


@given(st.lists(st.tuples(st.sampled_from(_PATHS), _JUNK), max_size=4))
def test_a_good_site_with_a_few_slips(slips: list[tuple[tuple[Any, ...], object]]) -> None:
    """The usual case: right but for some values."""
    site = copy.deepcopy(_GOOD)
    for path, junk in slips:
        here: Any = site
        for step in path[:-1]:
            try:
                here = here[step]
            except (LookupError, TypeError):
                break  # an earlier slip took it away
        else:
            if isinstance(here, dict) or (isinstance(here, list) and path[-1] in range(len(here))):
                here[path[-1]] = junk
    _read(site)
