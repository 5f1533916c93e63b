"""Sites written as YAML: pleasant to read, and equal when read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.hub.site import dump_site, parse_yaml

SITE = {
    "site": {"id": "home", "name": "Home", "timezone": "Europe/Brussels"},
    "devices": [
        {
            "id": "house",
            "adapters": [
                {
                    "id": "lan",
                    "driver": "ipcom",
                    "url": "tcp://192.168.1.50:5000",
                    "password": {"env": "IPCOM_PASSWORD"},
                }
            ],
            "options": {"modules": {6: {"kind": "dimmer", "scale": 100}}},
            "outputs": {
                "kitchen": {"module": 1, "output": 1, "kind": "light", "name": "Kitchen: west"},
                "blind": {
                    "kind": "cover",
                    "up": {"module": 5, "output": 8},
                    "down": {"module": 5, "output": 7},
                },
            },
        },
        {"id": "2", "adapters": [], "state": "on", "limit": 18.0, "is": None, "name": "Küche 1"},
    ],
}

TEXT = """\
# Made from devices.yaml
# by holdfast import

site: {id: home, name: Home, timezone: Europe/Brussels}
devices:
  - id: house
    adapters:
      - id: lan
        driver: ipcom
        url: "tcp://192.168.1.50:5000"
        # set this variable
        password: {env: IPCOM_PASSWORD}
    options:
      modules:
        6: {kind: dimmer, scale: 100}
    outputs:
      kitchen: {module: 1, output: 1, kind: light, name: "Kitchen: west"}
      blind:
        kind: cover
        up: {module: 5, output: 8}
        down: {module: 5, output: 7}
  # was a spare
  - id: "2"
    adapters: []
    state: "on"
    limit: 18.0
    is: null
    # with an umlaut
    name: Küche 1
"""


def test_as_people_write_it() -> None:
    """Small mappings on one line, comments above what they speak of, quotes only where needed."""
    comments: dict[tuple[str | int, ...], str] = {
        (): "Made from devices.yaml\nby holdfast import",
        ("devices", 0, "adapters", 0, "password"): "set this variable",
        ("devices", 1): "was a spare",
        ("devices", 1, "name"): "with an umlaut",
    }
    assert dump_site(SITE, comments=comments) == TEXT
    assert parse_yaml(TEXT, "site.yaml").value == SITE


def test_a_comment_on_the_first_key_of_an_item() -> None:
    """It stands between the dash and the key."""
    assert dump_site({"a": [{"b": 1}]}, comments={("a", 0, "b"): "c"}) == "a:\n  -\n    # c\n    b: 1\n"


def test_long_mappings_get_a_line_for_each_key() -> None:
    """Beyond 100 characters one line is no help."""
    assert dump_site({"a": {"b": "x" * 60, "c": "y" * 60}}) == f"a:\n  b: {'x' * 60}\n  c: {'y' * 60}\n"


def test_numbers_without_a_value() -> None:
    """YAML has words for them."""
    assert dump_site({"a": [float("nan"), float("inf"), float("-inf")]}) == "a: [.nan, .inf, -.inf]\n"


def test_nothing_at_all() -> None:
    assert dump_site({}) == "{}\n"


def test_what_no_site_holds() -> None:
    """A mistake of ours is no file."""
    with pytest.raises(TypeError, match=r"^a site cannot hold a value of type object$"):
        dump_site({"a": object()})


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    [
        "on",
        "No",
        "~",
        "null",
        "1",
        "1.5",
        ".5",
        "0x1",
        "-",
        "- a",
        "a: b",
        "a #b",
        "#",
        "<<",
        "a ",
        " a",
        "e5",
        "\u2028",
    ]
)
_SCALAR = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | _TEXT
_KEY = _TEXT.filter(lambda key: key != "<<") | st.integers(0, 99)
_TREE = st.recursive(
    _SCALAR,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEY, inner, max_size=4),
    max_leaves=25,
)


@given(st.dictionaries(_KEY, _TREE, min_size=1, max_size=5), st.booleans())
def test_what_is_written_reads_back_equal(mapping: dict[str, object], is_commented: bool) -> None:
    """Whatever the texts look like; judged by another parser than ours."""
    comments: dict[tuple[str | int, ...], str] = {(key,): "a comment\nof two lines" for key in mapping}
    text = dump_site(mapping, comments=comments if is_commented else None)
    found = parse_yaml(text, "site.yaml").value
    assert found == mapping
    assert repr(found) == repr(mapping)  # 1, 1.0 and true are equal, but not the same
