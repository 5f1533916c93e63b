"""A site and a life in it, for every test of the store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from holdfast.hub.ports import (
    AlarmEntry,
    Entry,
    EventEntry,
    MemoryEntry,
    OrderEntry,
    ReceiptEntry,
    SwitchEntry,
)
from holdfast.model import CommandState, Receipt, StandingOrder

NOW = datetime(2026, 3, 29, 0, 59, 59, 999_999, tzinfo=UTC)


def later(**length: float) -> datetime:
    return NOW + timedelta(**length)


def site() -> dict[str, Any]:
    """Something of everything that a site file can say."""
    return {
        "site": {
            "id": "home",
            "name": "Maison d'été",
            "timezone": "Europe/Brussels",
            "temperature_unit": "celsius",
        },
        "devices": [
            {
                "id": "house",
                "name": "House controller",
                "adapters": [
                    {
                        "id": "lan",
                        "driver": "ipcom",
                        "url": "tcp://192.168.1.50:5000",
                        "username": "me",
                        "password": {"env": "IPCOM_PASSWORD"},
                        "enabled": False,
                    }
                ],
                "options": {"bus": 2, "base_address": 60.0, "modules": {6: {"kind": "dimmer", "scale": 100}}},
                "outputs": {
                    "salon": {"module": 6, "output": 2, "kind": "dimmer"},
                    "kitchen": {"module": 1, "output": 1, "kind": "light", "name": "Kitchen"},
                    "blind": {
                        "kind": "cover",
                        "up": {"module": 5, "output": 8},
                        "down": {"module": 5, "output": 7},
                    },
                },
            },
            {
                "id": "pack-1",
                "adapters": [
                    {"id": "gateway", "driver": "jkbms", "url": "tcp://192.168.1.60:8899", "priority": 1},
                    {
                        "id": "usb",
                        "driver": "jkbms",
                        "url": "serial:///dev/ttyUSB0?baudrate=115200",
                        "priority": 2,
                        "standby": "cold",
                        "polling": True,
                    },
                ],
                "options": {"stale_after_s": 30, "hold_s": 60.0, "batteries": {0: "front", 1: "back"}},
            },
            {
                "id": "chamber",
                "adapters": [{"id": "in", "driver": "push"}],
                "capabilities": {
                    "temperature": {"unit": "°C", "deadline_s": 240, "minimum": "74 °F", "maximum": None},
                    "0/cells/1/voltage": {"unit": "V"},
                },
                "options": None,
            },
        ],
        "controllers": [
            {
                "id": "fermenter",
                "kind": "thermostat",
                "sensor": "chamber/temperature",
                "low": 18,
                "high": 20.0,
            }
        ],
        "arrays": [
            {"id": "east", "name": "East", "packs": ["pack-1"], "attached_to": "inverter-1"},
            {"id": "west", "packs": []},
        ],
    }


def order(ident: str = "order-1", **changed: Any) -> OrderEntry:
    entry = {key: changed.pop(key) for key in ("is_released", "ended_at", "device") if key in changed}
    facts: dict[str, Any] = {
        "target": "heater/switch",
        "value": False,
        "cause": "the sensor is stale",
        "issued_at": NOW,
    }
    return OrderEntry(StandingOrder(id=ident, **{**facts, **changed}), **entry)


def receipt(ident: str, state: CommandState = CommandState.VERIFIED, **changed: Any) -> Receipt:
    facts: dict[str, Any] = {
        "target": "heater/switch",
        "value": True,
        "issuer": "cli",
        "reason": "",
        "timeout_s": 10.0,
        "created_at": NOW,
    }
    return Receipt(id=ident, state=state, **{**facts, **changed})


def event(number: int, **changed: Any) -> EventEntry:
    facts: dict[str, Any] = {
        "kind": "availability",
        "device": "heater",
        "at": NOW,
        "payload": {"from": "online", "to": "offline", "n": number},
    }
    return EventEntry(id=f"{number:x}:{number}", **{**facts, **changed})


def one_of_each() -> list[Entry]:
    return [
        order(attempts=3, is_verified=True, device={"id": "heater", "adapters": [], "options": {6: 1.0}}),
        SwitchEntry("fridge/switch", True, NOW),
        MemoryEntry("fermenter", "cooler", {"since": 1, "levels": [1, 2.0, None], 3: "three"}, NOW),
        AlarmEntry("pack-1/0/alarms", "cell overvoltage", NOW),
        ReceiptEntry(
            receipt(
                "receipt-1",
                CommandState.EXPIRED,
                value=("a", "b"),
                reason="nobody knows",
                attempts=2,
                may_have_executed=True,
                sent_at=later(seconds=1),
                ended_at=later(seconds=2),
                sent_after_s=1.0,
                ended_after_s=2.25,
            )
        ),
        event(1),
    ]
