"""Random sites: of the right shape, and of any shape."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

words = st.text(st.characters(codec="utf-8"), max_size=6)
odd_words = st.one_of(words, st.sampled_from(["", "\0", "#", "##", "#6", "6", "id", "name", "74 °F"]))
idents = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,5}", fullmatch=True)
whole = st.integers(-(2**64) + 1, 2**64 - 1)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    whole,
    st.sampled_from([0, 1, 0.0, 1.0, -0.0]),
    st.floats(allow_nan=False, allow_infinity=False),
    odd_words,
)
keys = st.one_of(odd_words, whole, st.integers(-3, 20))
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=5,
)
options = st.dictionaries(keys, values, max_size=3)
secrets = st.one_of(
    st.fixed_dictionaries({"env": idents}),
    st.fixed_dictionaries({"file": words}),
    odd_words,
    st.none(),
    values,
)


def maybe(known: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Any of these keys, each with what belongs there or with anything else."""
    return st.fixed_dictionaries({}, optional={key: st.one_of(fit, values) for key, fit in known.items()})


def with_ids(needed: st.SearchStrategy[dict[str, Any]], most: int) -> st.SearchStrategy[list[dict[str, Any]]]:
    """A list of mappings whose ids differ."""
    items = st.tuples(idents, options, needed).map(lambda each: {**each[1], **each[2], "id": each[0]})
    return st.lists(items, unique_by=lambda item: repr(item["id"]), max_size=most)


adapters = with_ids(
    maybe(
        {
            "driver": idents,
            "url": words,
            "username": secrets,
            "password": st.fixed_dictionaries({"env": idents}),
            "priority": st.integers(-5, 2**40),
            "standby": st.sampled_from(["cold", "hot", "warm"]),
            "enabled": st.booleans(),
        }
    ),
    3,
)
batteries = st.dictionaries(st.integers(-1, 255), words, max_size=3)
devices = with_ids(
    maybe(
        {
            "name": words,
            "adapters": adapters,
            "options": st.one_of(
                options, st.tuples(options, batteries).map(lambda two: {**two[0], "batteries": two[1]})
            ),
            "outputs": st.dictionaries(odd_words, options, max_size=3),
            "capabilities": st.dictionaries(idents, maybe({"unit": words}), max_size=3),
        }
    ),
    4,
)


def arrays_of(site: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """The site with arrays of its devices, or of others."""
    known = [device["id"] for device in site.get("devices", ())]
    packs = st.lists(st.sampled_from(known) if known else idents, max_size=3)
    arrays = with_ids(maybe({"name": words, "packs": packs, "attached_to": words}), 3)
    return st.one_of(st.just(site), arrays.map(lambda found: {**site, "arrays": found}))


sites: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "site": st.one_of(st.none(), maybe({"id": idents, "name": words, "timezone": words})),
        "devices": devices,
        "controllers": with_ids(maybe({"kind": words, "low": values}), 3),
        "other": values,
    },
).flatmap(arrays_of)
"""What has the shape of a site, down to values that no reader would accept."""

_TOP = ("site", "devices", "controllers", "arrays")
shapeless: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.one_of(st.sampled_from(_TOP), odd_words), values, max_size=5
)
"""Mappings that hardly are sites."""


# --- what a reader accepts ---------------------------------------------------------------------------------------

_names = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=6)
_option_keys = st.sampled_from(["retries", "modules", "bus", "polling", "limits"])
_options = st.dictionaries(_option_keys, values, max_size=3)
_good_adapter = st.builds(
    lambda ident, said, more: {**more, **said, "id": ident, "driver": "toy", "url": f"toy://{ident}"},
    idents,
    st.fixed_dictionaries(
        {},
        optional={
            "priority": whole,
            "standby": st.sampled_from(["cold", "hot"]),
            "enabled": st.booleans(),
            "username": _names,
            "password": st.fixed_dictionaries({"env": st.just("SECRET")}),
        },
    ),
    _options,
)
_good_device = st.builds(
    lambda ident, found, said: {**said, "id": ident, "adapters": found},
    idents,
    st.lists(_good_adapter, min_size=1, max_size=3, unique_by=lambda each: each["id"]),
    st.fixed_dictionaries(
        {},
        optional={
            "name": _names,
            "options": st.one_of(
                st.none(),
                _options,
                st.tuples(_options, batteries).map(lambda two: {**two[0], "batteries": two[1]}),
            ),
            "outputs": st.one_of(st.none(), st.dictionaries(idents, _options, max_size=3)),
            "capabilities": st.one_of(st.none(), st.dictionaries(idents, _options, max_size=3)),
        },
    ),
)
good_sites: st.SearchStrategy[dict[str, Any]] = st.builds(
    lambda found, said: {"devices": found, **said},
    st.lists(_good_device, max_size=3, unique_by=lambda each: each["id"]),
    st.fixed_dictionaries(
        {},
        optional={
            "site": st.one_of(
                st.none(),
                st.fixed_dictionaries(
                    {}, optional={"id": idents, "name": _names, "timezone": st.just("UTC")}
                ),
            ),
            "controllers": st.one_of(st.none(), st.just([])),
            "arrays": st.one_of(st.none(), st.just([])),
        },
    ),
)
"""What the reader of site files accepts, nearly always."""


def exact(value: object) -> object:
    """Equal only for values that are alike in type, too; the order of a mapping's keys does not matter."""
    if isinstance(value, dict):
        return {(type(key), key): exact(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [exact(inner) for inner in value]
    return type(value), repr(value)
