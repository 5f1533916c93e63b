"""The plug's own timer on the wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.drivers.kasa.dead_man import (
    Timer,
    armed_s,
    arming,
    on_and_arming,
    question,
    relay_objection,
    timer_of,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "count_down",
                    "get_rules",
                    "rule_list",
                    "get_device_info",
                    "system",
                    "enable",
                    "act",
                    "remain",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("wanted", "legacy", "smart"), [(600, 600, 600), (6.9, 6, 60), (119, 119, 60), (3, 3, 60)]
)
def test_whole_seconds_or_whole_minutes(wanted: float, legacy: float, smart: float) -> None:
    """Never longer than wanted, but for the one minute that is the newer plugs' shortest."""
    assert armed_s(wanted, is_smart=False) == legacy
    assert armed_s(wanted, is_smart=True) == smart


def test_what_is_sent() -> None:
    """As the fact sheet writes it; the old rule goes before the new one comes."""
    assert arming(600, is_smart=True) == {"set_auto_off_config": {"enable": True, "delay_min": 10}}
    legacy = arming(600, is_smart=False)["count_down"]
    assert list(legacy) == ["delete_all_rules", "add_rule"]
    assert legacy["add_rule"] == {"enable": 1, "delay": 600, "act": 0, "name": "holdfast"}
    assert on_and_arming(600)["system"] == {"set_relay_state": {"state": 1}}
    assert list(on_and_arming(600)) == ["count_down", "system"]
    assert question(is_smart=False) == {"count_down": {"get_rules": {}}}
    assert question(is_smart=True) == {"get_device_info": None}


def rules(*each: object) -> dict[str, object]:
    """An answer with these rules."""
    return {"count_down": {"get_rules": {"rule_list": list(each), "err_code": 0}}}


@pytest.mark.parametrize(
    ("answer", "timer"),
    [
        (rules({"enable": 1, "act": 0, "remain": 420}), Timer(True, 420.0)),
        (rules({"enable": 0, "act": 0, "remain": 420}), Timer(True)),
        (rules({"enable": 1, "act": 1, "remain": 420}), Timer(True)),
        (rules({"enable": 1, "act": 0, "remain": 0}), Timer(True)),
        (rules({"enable": 1, "act": 0, "remain": True}), Timer(True)),
        (rules("odd"), Timer(True)),
        (rules(), Timer(True)),
        ({"count_down": {"err_code": -1, "err_msg": "module not support"}}, Timer(False)),
        (None, Timer(False)),
    ],
)
def test_legacy_answers(answer: object, timer: Timer) -> None:
    """Only a rule that will switch off counts."""
    assert timer_of(answer, is_smart=False) == timer


@pytest.mark.parametrize(
    ("info", "timer"),
    [
        ({"auto_off_status": "on", "auto_off_remain_time": 300}, Timer(True, 300.0, True)),
        ({"auto_off_status": "off", "auto_off_remain_time": 300}, Timer(True, None, True)),
        ({}, Timer(False, None, True)),
    ],
)
def test_newer_answers(info: dict[str, object], timer: Timer) -> None:
    """Left only while it runs."""
    assert timer_of({"get_device_info": info}, is_smart=True) == timer


def test_what_the_relay_said() -> None:
    """An answer without the relay's part proves nothing."""
    assert relay_objection({"system": {"set_relay_state": {"err_code": 0}}}) == ""
    assert "-3" in relay_objection({"system": {"set_relay_state": {"err_code": -3}}})
    assert relay_objection({"system": []})


@given(JSON, st.booleans())
def test_any_answer_is_a_timer(answer: object, is_smart: bool) -> None:
    """Never an exception, never a time that is none."""
    timer = timer_of(answer, is_smart=is_smart)
    assert timer.left_s is None or timer.left_s > 0
    assert isinstance(relay_objection(answer), str)
