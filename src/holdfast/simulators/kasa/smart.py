"""The SMART family's language: one method with parameters, or many at once (Kasa fact sheet sections 9 and 9a)."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

from holdfast.simulators.kasa.access import Wish
from holdfast.simulators.kasa.timer import MINUTE_S, NoSuchRule, Rule, RuleExists
from holdfast.simulators.kasa.truth import Part

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from holdfast.simulators.kasa.access import Access, Json

UNKNOWN_METHOD = -1002
BAD_PARAMETER = -1008
NO_RULE = -1901
RULE_EXISTS = -1902


class Refused(Exception):
    """The method answers with an error code and no result."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class SmartLanguage:
    """Methods of a batch are answered in order, up to the first that fails."""

    def wishes(self, request: Json) -> list[Wish]:
        """Relay states and timer settings, those in a batch included."""
        wishes = []
        for method, given in _methods(request):
            match method, given:
                case "set_device_info", {"device_on": state}:
                    wishes.append(Wish(Part.RELAY, bool(state)))
                case "set_auto_off_config", {"enable": enable, "delay_min": int() | float() as delay_min}:
                    wishes.append(Wish(Part.TIMER, delay_min * MINUTE_S if enable else None))
                case "add_countdown_rule" | "edit_countdown_rule", {"delay": int() | float() as delay_s}:
                    wishes.append(Wish(Part.TIMER, float(delay_s)))
                case "remove_countdown_rules", _:
                    wishes.append(Wish(Part.TIMER, None))
        return wishes

    def answer(self, request: Json, access: Access) -> Json:
        """One answer, or one with as many answers in it."""
        if access.error_code is not None:
            return {"error_code": access.error_code}
        if request.get("method") != "multipleRequest":
            return _answer_one(access, request)
        responses: list[Json] = []
        for method, given in _methods(request):
            responses.append({"method": method, **_answer_one(access, {"method": method, "params": given})})
            if responses[-1]["error_code"]:
                break
        return {"result": {"responses": responses}, "error_code": 0}


def _methods(request: Json) -> list[tuple[str, Any]]:
    params = request.get("params")
    if request.get("method") != "multipleRequest":
        return [(str(request.get("method")), params)]
    several = params.get("requests") if isinstance(params, dict) else None
    if not isinstance(several, list):
        return []
    return [(str(one.get("method")), one.get("params")) for one in several if isinstance(one, dict)]


def _answer_one(access: Access, request: Json) -> Json:
    do = METHODS.get(str(request.get("method")))
    given = request.get("params")
    if do is None:
        return {"error_code": UNKNOWN_METHOD}
    try:
        result = do(access, given if isinstance(given, dict) else {})
    except Refused as refusal:
        return {"error_code": refusal.code}
    except (KeyError, TypeError, ValueError, OverflowError):
        return {"error_code": BAD_PARAMETER}
    return {"result": result, "error_code": 0} if result else {"error_code": 0}


# --- the plug ----------------------------------------------------------------------------------------------


def _components(access: Access, _: Mapping[str, Any]) -> Json:
    versions = {"device": 2, "led": 1, "time": 1, "cloud_connect": 1}
    if access.firmware.has_timer:
        versions |= {"auto_off": 2, "countdown": 2}
    if access.identity.has_meter:
        versions["energy_monitoring"] = 2 if access.firmware.has_voltage else 1
    return {"component_list": [{"id": name, "ver_code": version} for name, version in versions.items()]}


def _device_info(access: Access, _: Mapping[str, Any]) -> Json:
    who, shown, auto_off = access.identity, access.show(), access.plug.auto_off
    info = {
        "device_id": who.device_id,
        "fw_ver": who.sw_version,
        "hw_ver": who.hw_version,
        "type": access.firmware.family.value,
        "model": who.model.partition("(")[0],
        "mac": who.mac.replace(":", "-"),
        "hw_id": "044A516EE63C875F9458DA25C2CCC5A0",
        "fw_id": "00000000000000000000000000000000",
        "oem_id": "FFF22CFF774A0B89F7624BFC6F50D5DE",
        "ip": "127.0.0.1",
        "time_diff": 0,
        "ssid": _in_base64("home"),
        "rssi": who.rssi,
        "signal_level": 3,
        "lang": "en_US",
        "avatar": "plug",
        "region": "UTC",
        "specs": "EU",
        "nickname": _in_base64(who.alias),
        "has_set_location_info": False,
        "device_on": shown.is_on,
        "on_time": int(shown.on_for_s),
        "default_states": {"type": "last_states", "state": {}},
        "overheated": False,
    }
    if access.firmware.has_timer:
        info["auto_off_status"] = "on" if auto_off.is_running else "off"
        info["auto_off_remain_time"] = int(auto_off.remaining_s)
    return {name: value for name, value in info.items() if name not in access.left_out}


def _set_device_info(access: Access, given: Mapping[str, Any]) -> Json:
    if "device_on" in given:
        access.switch(bool(given["device_on"]))
    return {}


def _usage(access: Access, _: Mapping[str, Any]) -> Json:
    minutes = int(access.show().on_for_s / MINUTE_S)
    return {"time_usage": {"today": minutes, "past7": minutes, "past30": minutes}}


def _time(access: Access, _: Mapping[str, Any]) -> Json:
    return {"timestamp": int(access.plug.wall().timestamp()), "time_diff": 0, "region": "UTC"}


def _led(access: Access, _: Mapping[str, Any]) -> Json:
    is_off = access.plug.is_led_off
    night = {"night_mode_type": "sunrise_sunset", "start_time": 1080, "end_time": 420}
    rule = "never" if is_off else "always"
    return {"led_rule": rule, "led_status": not is_off, "night_mode": night}


def _set_led(access: Access, given: Mapping[str, Any]) -> Json:
    access.plug.is_led_off = given["led_rule"] == "never"
    return {}


def _cloud(_access: Access, _: Mapping[str, Any]) -> Json:
    return {"status": 1}


def _in_base64(text: str) -> str:
    return b64encode(text.encode()).decode()


# --- timers ------------------------------------------------------------------------------------------------


def _need_timer(access: Access) -> None:
    if not access.firmware.has_timer:
        raise Refused(UNKNOWN_METHOD)


def _auto_off(access: Access, _: Mapping[str, Any]) -> Json:
    _need_timer(access)
    return {"enable": access.plug.auto_off.is_enabled, "delay_min": access.plug.auto_off.delay_min}


def _set_auto_off(access: Access, given: Mapping[str, Any]) -> Json:
    _need_timer(access)
    is_enabled, delay_min = bool(given["enable"]), int(given["delay_min"])
    if delay_min < 1:
        raise Refused(BAD_PARAMETER)
    if access.sets_timer:
        plug = access.plug
        starts_now = plug.is_on and plug.habits.setting_restarts
        plug.auto_off.configure(is_enabled=is_enabled, delay_min=delay_min, starts_now=starts_now)
    return {}


def _rules(access: Access, _: Mapping[str, Any]) -> Json:
    _need_timer(access)
    countdown = access.plug.countdown
    rules = []
    if countdown.rule is not None:
        rule = countdown.rule
        rules = [
            {
                "id": rule.id,
                "enable": rule.is_enabled,
                "delay": int(rule.delay_s),
                "remain": int(countdown.remaining_s),
                "desired_states": {"on": rule.turns_on},
            }
        ]
    return {"enable": bool(rules), "countdown_rule_max_count": 1, "rule_list": rules}


def _add_rule(access: Access, given: Mapping[str, Any]) -> Json:
    _need_timer(access)
    delay_s, turns_on = float(given["delay"]), bool(given["desired_states"]["on"])
    if not access.sets_timer:
        return {"id": "0" * 32}
    try:
        is_enabled = bool(given.get("enable", True))
        return {"id": access.plug.countdown.add(delay_s, turns_on=turns_on, is_enabled=is_enabled).id}
    except RuleExists:
        raise Refused(RULE_EXISTS) from None


def _edit_rule(access: Access, given: Mapping[str, Any]) -> Json:
    _need_timer(access)
    turns_on = bool(given["desired_states"]["on"])
    rule = Rule(str(given["id"]), float(given["delay"]), turns_on, bool(given.get("enable", True)))
    if access.sets_timer:
        try:
            access.plug.countdown.edit(rule)
        except NoSuchRule:
            raise Refused(NO_RULE) from None
    return {}


def _remove_rules(access: Access, _: Mapping[str, Any]) -> Json:
    _need_timer(access)
    if access.sets_timer:
        access.plug.countdown.clear()
    return {}


# --- the meter ---------------------------------------------------------------------------------------------


def _need_meter(access: Access) -> None:
    if not access.identity.has_meter:
        raise Refused(UNKNOWN_METHOD)


def _energy(access: Access, _: Mapping[str, Any]) -> Json:
    _need_meter(access)
    flow, now, meter = access.show().flow, access.plug.wall(), access.plug.meter
    return {
        "today_runtime": 0,
        "month_runtime": 0,
        "today_energy": round(meter.day_wh(now)),
        "month_energy": round(meter.month_wh(now.year, now.month)),
        "local_time": now.strftime("%Y-%m-%d %H:%M:%S"),
        "current_power": round(flow.power_w * 1000),
    }


def _power(access: Access, _: Mapping[str, Any]) -> Json:
    _need_meter(access)
    return {"current_power": round(access.show().flow.power_w)}


def _emeter(access: Access, _: Mapping[str, Any]) -> Json:
    _need_meter(access)
    if not access.firmware.has_voltage:
        raise Refused(UNKNOWN_METHOD)
    flow = access.show().flow
    return {
        "current_ma": round(flow.current_a * 1000),
        "energy_wh": round(flow.total_wh),
        "power_mw": round(flow.power_w * 1000),
        "voltage_mv": round(flow.voltage_v * 1000),
    }


def _gains(access: Access, _: Mapping[str, Any]) -> Json:
    _need_meter(access)
    return {"igain": 11293, "vgain": 119462}


METHODS: Mapping[str, Callable[[Access, Mapping[str, Any]], Json]] = {
    "component_nego": _components,
    "get_device_info": _device_info,
    "set_device_info": _set_device_info,
    "get_device_usage": _usage,
    "get_device_time": _time,
    "get_led_info": _led,
    "set_led_info": _set_led,
    "get_connect_cloud_state": _cloud,
    "get_auto_off_config": _auto_off,
    "set_auto_off_config": _set_auto_off,
    "get_countdown_rules": _rules,
    "add_countdown_rule": _add_rule,
    "edit_countdown_rule": _edit_rule,
    "remove_countdown_rules": _remove_rules,
    "get_energy_usage": _energy,
    "get_current_power": _power,
    "get_emeter_data": _emeter,
    "get_emeter_vgain_igain": _gains,
}
