"""The plug's own timer: questions to it and what its answers mean. Kasa fact sheet section 9a.

Pure. Legacy plugs keep one countdown rule; the newer ones switch off by themselves so many whole minutes after they
were switched on. The owner's own rule, if there is one, is replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

MINUTE_S: Final = 60.0
RENEW_AT: Final = 2 / 3
"""Renewed when this share of the time is left: 600 s are renewed every 200 s, so two renewals may fail."""
LAST_CALL_AT: Final = 1 / 3
"""With this share left every renewal has failed: a newer plug is told once more to be on, which starts its timer."""
RULE_NAME: Final = "holdfast"

Query = dict[str, Any]


class Timer(NamedTuple):
    """What a plug said of its timer. ``left_s`` is ``None`` while nothing is armed."""

    is_supported: bool
    left_s: float | None = None
    is_smart: bool = False


def armed_s(wanted_s: float, *, is_smart: bool) -> float:
    """Seconds that the plug really takes for ``wanted_s``: whole ones, or whole minutes, never longer than wanted.

    The shortest of a newer plug is one minute.
    """
    if is_smart:
        return max(MINUTE_S, wanted_s // MINUTE_S * MINUTE_S)
    return float(max(1, int(wanted_s)))


def question(*, is_smart: bool) -> Query:
    """What to ask for the time left."""
    return {"get_device_info": None} if is_smart else {"count_down": {"get_rules": {}}}


def arming(wanted_s: float, *, is_smart: bool) -> Query:
    """What sets the timer, and nothing else. A legacy plug takes one rule: the one before goes in the same object."""
    seconds = armed_s(wanted_s, is_smart=is_smart)
    if is_smart:
        return {"set_auto_off_config": {"enable": True, "delay_min": int(seconds // MINUTE_S)}}
    rule = {"enable": 1, "delay": int(seconds), "act": 0, "name": RULE_NAME}
    return {"count_down": {"delete_all_rules": {}, "add_rule": rule}}


def on_and_arming(wanted_s: float) -> Query:
    """What switches a legacy plug on with its timer set, in one message: never one without the other."""
    return {**arming(wanted_s, is_smart=False), "system": {"set_relay_state": {"state": 1}}}


def timer_of(answer: object, *, is_smart: bool) -> Timer:
    """The timer as an answer to `question` tells it; whatever does not fit is no timer that could be relied upon."""
    return _smart_timer(answer) if is_smart else _legacy_timer(answer)


def _smart_timer(answer: object) -> Timer:
    info = _in(answer, "get_device_info")
    if "auto_off_status" not in info:
        return Timer(is_supported=False, is_smart=True)
    left_s = _seconds(info.get("auto_off_remain_time"))
    return Timer(True, left_s if info["auto_off_status"] == "on" else None, is_smart=True)


def _legacy_timer(answer: object) -> Timer:
    rules = _in(_in(answer, "count_down"), "get_rules").get("rule_list")
    if not isinstance(rules, list):
        return Timer(is_supported=False)
    for rule in rules:
        if isinstance(rule, Mapping) and rule.get("enable") == 1 and rule.get("act") == 0:
            return Timer(True, _seconds(rule.get("remain")))
    return Timer(is_supported=True)


def _seconds(value: object) -> float | None:
    """Time left; a timer that has run out is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        return None
    return float(value)


def relay_objection(answer: object) -> str:
    """Why a legacy plug did not take the relay's part of `on_and_arming`; empty if it did."""
    code = _in(_in(answer, "system"), "set_relay_state").get("err_code")
    return "" if code == 0 else f"error code {code}" if code is not None else "it did not speak of its relay"


def _in(answer: object, key: str) -> Mapping[str, Any]:
    part = answer.get(key) if isinstance(answer, Mapping) else None
    return part if isinstance(part, Mapping) else {}
