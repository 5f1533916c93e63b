"""The IOT family's language: module, method, arguments (Kasa fact sheet sections 8 and 9a)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.simulators.kasa.access import Wish
from holdfast.simulators.kasa.firmware import Family
from holdfast.simulators.kasa.timer import NoSuchRule, Rule, RuleExists
from holdfast.simulators.kasa.truth import Part

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from holdfast.simulators.kasa.access import Access, Json

OK: Json = {"err_code": 0}
NO_MODULE: Json = {"err_code": -1, "err_msg": "module not support"}
NO_METHOD: Json = {"err_code": -2, "err_msg": "member not support"}
BAD_ARGUMENT: Json = {"err_code": -3, "err_msg": "invalid argument"}
TABLE_IS_FULL: Json = {"err_code": -10, "err_msg": "table is full"}
NO_ENTRY: Json = {"err_code": -14, "err_msg": "entry not exist"}
"""The last three codes as public dumps of such plugs show them; the fact sheet names none for the timer."""

UTC_INDEX = 39
"""The plug's number for UTC in its own list of time zones."""


class IotLanguage:
    """Several modules may share one request; the answer has its shape."""

    def wishes(self, request: Json) -> list[Wish]:
        """Relay states, and delays of the countdown rule."""
        wishes = []
        for module, methods in request.items():
            for method, arguments in _pairs(methods):
                match module, method, arguments:
                    case "system", "set_relay_state", {"state": state}:
                        wishes.append(Wish(Part.RELAY, bool(state)))
                    case "count_down", "add_rule" | "edit_rule", {"delay": int() | float() as delay_s}:
                        wishes.append(Wish(Part.TIMER, float(delay_s)))
                    case "count_down", "delete_rule" | "delete_all_rules", _:
                        wishes.append(Wish(Part.TIMER, None))
        return wishes

    def answer(self, request: Json, access: Access) -> Json:
        """Each method in order."""
        return {module: _answer_module(access, module, methods) for module, methods in request.items()}


def _pairs(methods: Any) -> list[tuple[str, Any]]:
    return list(methods.items()) if isinstance(methods, dict) else []


def _answer_module(access: Access, module: str, methods: Any) -> Json:
    if not _has_module(access, module):
        return dict(NO_MODULE)
    return {method: _answer_method(access, module, method, given) for method, given in _pairs(methods)}


def _has_module(access: Access, module: str) -> bool:
    if module == "emeter":
        return access.identity.has_meter
    if module == "count_down":
        return access.firmware.has_timer
    return any(module == known for known, _ in METHODS)


def _answer_method(access: Access, module: str, method: str, given: Any) -> Json:
    if access.error_code is not None:
        return {"err_code": access.error_code, "err_msg": "simulated"}
    do = METHODS.get((module, method))
    if do is None:
        return dict(NO_METHOD)
    try:
        return do(access, given if isinstance(given, dict) else {})
    except (KeyError, TypeError, ValueError, OverflowError):
        return dict(BAD_ARGUMENT)


# --- system ----------------------------------------------------------------------------------------------


def _sysinfo(access: Access, _: Mapping[str, Any]) -> Json:
    who, shown = access.identity, access.show()
    info = {
        "sw_ver": who.sw_version,
        "hw_ver": who.hw_version,
        "model": who.model,
        "deviceId": who.device_id,
        "oemId": "FFF22CFF774A0B89F7624BFC6F50D5DE",
        "hwId": "044A516EE63C875F9458DA25C2CCC5A0",
        "rssi": who.rssi,
        "alias": who.alias,
        "status": "configured",
        "mic_type": Family.IOT.value,
        "feature": "TIM:ENE" if who.has_meter else "TIM",
        "mac": who.mac,
        "updating": 0,
        "led_off": int(access.plug.is_led_off),
        "relay_state": int(shown.is_on),
        "on_time": int(shown.on_for_s),
        "active_mode": "none",
        "icon_hash": "",
        "dev_name": "Smart Wi-Fi Plug",
        "next_action": {"type": -1},
        "ntc_state": 0,
        "err_code": 0,
    }
    return {name: value for name, value in info.items() if name not in access.left_out}


def _set_relay_state(access: Access, given: Mapping[str, Any]) -> Json:
    access.switch(bool(int(given["state"])))
    return dict(OK)


def _set_led_off(access: Access, given: Mapping[str, Any]) -> Json:
    access.plug.is_led_off = bool(int(given["off"]))
    return dict(OK)


# --- the countdown rule ----------------------------------------------------------------------------------


def _in_words(rule: Rule, remaining_s: float) -> Json:
    return {
        "id": rule.id,
        "name": rule.name,
        "enable": int(rule.is_enabled),
        "delay": int(rule.delay_s),
        "act": int(rule.turns_on),
        "remain": int(remaining_s),
    }


def _get_rules(access: Access, _: Mapping[str, Any]) -> Json:
    countdown = access.plug.countdown
    rules = [] if countdown.rule is None else [_in_words(countdown.rule, countdown.remaining_s)]
    return {"rule_list": rules, "err_code": 0}


def _add_rule(access: Access, given: Mapping[str, Any]) -> Json:
    delay_s, turns_on = float(given["delay"]), bool(int(given["act"]))
    is_enabled, name = bool(int(given.get("enable", 1))), str(given.get("name", ""))
    if not access.sets_timer:
        return {"id": "0" * 32, "err_code": 0}
    try:
        rule = access.plug.countdown.add(delay_s, turns_on=turns_on, is_enabled=is_enabled, name=name)
    except RuleExists:
        return dict(TABLE_IS_FULL)
    return {"id": rule.id, "err_code": 0}


def _edit_rule(access: Access, given: Mapping[str, Any]) -> Json:
    rule = Rule(
        str(given["id"]),
        float(given["delay"]),
        bool(int(given["act"])),
        bool(int(given.get("enable", 1))),
        str(given.get("name", "")),
    )
    if access.sets_timer:
        try:
            access.plug.countdown.edit(rule)
        except NoSuchRule:
            return dict(NO_ENTRY)
    return dict(OK)


def _delete_rule(access: Access, given: Mapping[str, Any]) -> Json:
    if access.sets_timer:
        try:
            access.plug.countdown.delete(str(given["id"]))
        except NoSuchRule:
            return dict(NO_ENTRY)
    return dict(OK)


def _delete_all_rules(access: Access, _: Mapping[str, Any]) -> Json:
    if access.sets_timer:
        access.plug.countdown.clear()
    return dict(OK)


# --- the meter -------------------------------------------------------------------------------------------


def _realtime(access: Access, _: Mapping[str, Any]) -> Json:
    flow = access.show().flow
    if not access.firmware.has_milli_units:
        return {
            "voltage": flow.voltage_v,
            "current": flow.current_a,
            "power": flow.power_w,
            "total": flow.total_wh / 1000.0,
            "err_code": 0,
        }
    return {
        "voltage_mv": round(flow.voltage_v * 1000),
        "current_ma": round(flow.current_a * 1000),
        "power_mw": round(flow.power_w * 1000),
        "total_wh": round(flow.total_wh),
        "err_code": 0,
    }


def _daystat(access: Access, given: Mapping[str, Any]) -> Json:
    year, month = int(given["year"]), int(given["month"])
    access.plug.meter.count(access.plug.wall())
    days = access.plug.meter.days_of(year, month)
    listed = [
        {"year": year, "month": month, "day": day, "energy_wh": round(wh)} for day, wh in sorted(days.items())
    ]
    return {"day_list": listed, "err_code": 0}


def _monthstat(access: Access, given: Mapping[str, Any]) -> Json:
    year = int(given["year"])
    access.plug.meter.count(access.plug.wall())
    months = access.plug.meter.months_of(year)
    listed = [{"year": year, "month": month, "energy_wh": round(wh)} for month, wh in months.items()]
    return {"month_list": listed, "err_code": 0}


# --- what updates ask besides ------------------------------------------------------------------------------


def _time(access: Access, _: Mapping[str, Any]) -> Json:
    now = access.plug.wall()
    return {
        "year": now.year,
        "month": now.month,
        "mday": now.day,
        "hour": now.hour,
        "min": now.minute,
        "sec": now.second,
        "err_code": 0,
    }


def _cloud(_access: Access, _: Mapping[str, Any]) -> Json:
    return {
        "username": "",
        "server": "n-devs.tplinkcloud.com",
        "binded": 0,
        "cld_connection": 0,
        "illegalType": 0,
        "stopConnect": 0,
        "tcspStatus": 0,
        "tcspInfo": "",
        "fwDlPage": "",
        "fwNotifyType": -1,
        "err_code": 0,
    }


def _always(answer: Json) -> Callable[[Access, Mapping[str, Any]], Json]:
    return lambda _access, _given: {**answer, "err_code": 0}


METHODS: Mapping[tuple[str, str], Callable[[Access, Mapping[str, Any]], Json]] = {
    ("system", "get_sysinfo"): _sysinfo,
    ("system", "set_relay_state"): _set_relay_state,
    ("system", "set_led_off"): _set_led_off,
    ("count_down", "get_rules"): _get_rules,
    ("count_down", "add_rule"): _add_rule,
    ("count_down", "edit_rule"): _edit_rule,
    ("count_down", "delete_rule"): _delete_rule,
    ("count_down", "delete_all_rules"): _delete_all_rules,
    ("emeter", "get_realtime"): _realtime,
    ("emeter", "get_daystat"): _daystat,
    ("emeter", "get_monthstat"): _monthstat,
    ("schedule", "get_rules"): _always({"rule_list": [], "enable": 0, "version": 2}),
    ("schedule", "get_next_action"): _always({"type": -1}),
    ("schedule", "get_daystat"): _always({"day_list": []}),
    ("schedule", "get_monthstat"): _always({"month_list": []}),
    ("anti_theft", "get_rules"): _always({"rule_list": [], "enable": 0, "version": 2}),
    ("time", "get_time"): _time,
    ("time", "get_timezone"): _always({"index": UTC_INDEX}),
    ("cnCloud", "get_info"): _cloud,
}
