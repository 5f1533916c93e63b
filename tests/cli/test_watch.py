"""What a watcher prints, change by change."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from holdfast.cli import folders
from holdfast.cli.commands import watch
from holdfast.cli.commands.watch import Watching
from holdfast.cli.face import Change
from holdfast.errors import HubUnreachable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def reading(target: str, value: Any, quality: str = "good", **more: Any) -> dict[str, Any]:
    """A reading as the stream has it."""
    return {"target": target, "value": value, "quality": quality, "unit": "", **more}


class Told:
    """A hub's face that tells a list of changes."""

    where = "told"

    def __init__(self, *changes: Change) -> None:
        self._changes = changes
        self.now = [
            reading("house/lamp", False),
            reading("house/level", 10, unit="%"),
            reading("cabin/lamp", None, "unknown"),
        ]
        self.is_gone = False

    def changes(self) -> Iterator[Change]:
        yield Change("connected", {})
        yield from self._changes

    def devices(self) -> list[dict[str, Any]]:
        return [
            {"id": each, "name": each, "availability": "online", "reason": {"code": "ok"}}
            for each in ("house", "cabin")
        ]

    def controllers(self) -> list[dict[str, Any]]:
        return []

    def readings(self, device_id: str | None = None) -> list[dict[str, Any]]:
        if self.is_gone:
            raise HubUnreachable("gone")
        return [each for each in self.now if device_id in (None, each["target"].partition("/")[0])]


def told(capsys: pytest.CaptureFixture[str], *changes: Change, device: str = "") -> list[str]:
    """What is printed after the introduction, without the times."""
    watching = Watching(device, as_json=False)
    watching.run(Told(*changes))  # type: ignore[arg-type]
    lines = capsys.readouterr().out.splitlines()
    return [line.partition("  ")[2] for line in lines if line[2:3] == ":"]


@pytest.mark.parametrize(
    ("record", "line"),
    [
        (reading("house/lamp", True), "house/lamp: off → on"),
        (reading("house/level", 40, unit="%"), "house/level: 10 % → 40 %"),
        (reading("house/lamp", False, "late"), "house/lamp is off, late"),
        (reading("house/lamp", True, "late"), "house/lamp: off → on (late)"),
        (
            reading("house/lamp", None, "stale", last_known=False, age_s=2.1),
            "house/lamp is stale: last known off, 2.1 s ago",
        ),
        (reading("house/lamp", None, "unknown"), "house/lamp is unknown"),
        (reading("house/level", 99, suspect=True), "house/level: 10 % → 99 (suspect)"),
        (reading("cabin/lamp", True), "cabin/lamp is on"),
        (reading("house/new", 1), "house/new is 1"),
    ],
)
def test_readings(capsys: pytest.CaptureFixture[str], record: dict[str, Any], line: str) -> None:
    """A change in one line; what repeats is no change."""
    change = Change("reading", record)
    assert told(capsys, change, change) == [line]


def test_a_value_that_was_stale_comes_again(capsys: pytest.CaptureFixture[str]) -> None:
    """Said so, also if it is the same as before."""
    stale = Change("reading", reading("house/lamp", None, "stale", last_known=False, age_s=2.0))
    assert (
        told(capsys, stale, Change("reading", reading("house/lamp", False)))[1] == "house/lamp is off again"
    )


def test_devices_receipts_and_alarms(capsys: pytest.CaptureFixture[str]) -> None:
    """Told once, though the stream may repeat them; open commands and plain events are passed over."""
    gone: dict[str, Any] = {
        "device": "house",
        "availability": "offline",
        "reason": {"code": "silent", "text": "no answer"},
    }
    fine = {"device": "house", "availability": "online", "reason": {"code": "ok"}}
    receipt = {"id": "c-1", "target": "house/lamp", "value": True, "state": "verified", "ended_at": "x"}
    alarm = {"target": "house/blind", "text": "both relays are on", "is_on": True}
    lines = told(
        capsys,
        Change("availability", fine),
        Change("availability", gone),
        Change("availability", {**gone, "reason": {**gone["reason"], "next_try_at": "2026-01-01T00:00:00Z"}}),
        Change("command", {**receipt, "state": "sent", "ended_at": None}),
        Change("command", receipt),
        Change("alarm", alarm),
        Change("alarm", alarm),
        Change("alarm", {**alarm, "is_on": False}),
        Change("event", {"kind": "hub", "text": "started", "device": None}),
        Change("event", {"kind": "failover", "text": "a -> b: a is lost", "device": "house", "data": {}}),
        Change("reset", {}),
    )
    assert lines == [
        "house is offline: no answer",
        "verified: house/lamp on",
        "alarm: both relays are on",
        "over: both relays are on",
        "house: a -> b: a is lost",
    ]


def test_one_device_only(capsys: pytest.CaptureFixture[str]) -> None:
    """The others' readings, receipts and states are passed over."""
    changes = (
        Change("reading", reading("cabin/lamp", True)),
        Change("availability", {"device": "cabin", "availability": "offline"}),
        Change("command", {"id": "c", "target": "cabin/lamp", "state": "failed", "ended_at": "x"}),
        Change("reading", reading("house/lamp", True)),
    )
    assert told(capsys, *changes, device="house") == ["house/lamp: off → on"]


def test_signs_of_life(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Only when the stream has shown one, and not too often."""
    alive = (Change("alive", {}), Change("fresh", {"device": "house"}))
    assert told(capsys, *alive) == []
    monkeypatch.setattr(watch, "ALIVE_EVERY_S", 0.0)
    assert told(capsys, *alive) == ["no change; 2 of 3 values are current"] * 2


def test_a_lost_hub_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    """And that nothing is current without it; then what changed meanwhile."""
    face = Told()
    watching = Watching("", as_json=False)
    watching.run(face)  # type: ignore[arg-type]
    capsys.readouterr()
    lost = Change("lost", {"text": "the hub went away"})
    watching.take(lost)
    watching.take(lost)
    face.is_gone = True
    watching._found(face)  # type: ignore[arg-type]
    watching.take(lost)
    face.is_gone = False
    face.now[0] = reading("house/lamp", True)
    watching._found(face)  # type: ignore[arg-type]
    said = capsys.readouterr()
    assert [line.partition("  ")[2] for line in said.err.splitlines()] == [
        "the hub went away: nothing above is current now; trying again",
        "the hub is back",
    ]
    assert [line.partition("  ")[2] for line in said.out.splitlines()] == ["house/lamp: off → on"]


def test_json_is_one_object_a_change(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing else on standard output; a lost hub takes every value with it, and a return brings it back."""
    face = Told(
        Change("availability", {"device": "house", "availability": "offline"}),
        Change("alive", {}),
        Change("reading", reading("house/lamp", True)),
        Change("lost", {"text": "gone"}),
        Change("lost", {"text": "gone"}),
        Change("resumed", {}),
    )
    Watching("", as_json=True).run(face)  # type: ignore[arg-type]
    said = capsys.readouterr()
    assert said.err == ""
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert [(line["target"], line["old"], line["new"], line["quality"]) for line in lines] == [
        ("house/lamp", False, True, "good"),
        ("house/lamp", True, None, "unknown"),
        ("house/level", 10, None, "unknown"),
        ("house/lamp", None, False, "good"),
        ("house/level", None, 10, "good"),
    ]


@pytest.mark.parametrize(
    ("platform", "variable", "end"),
    [
        ("linux", "XDG_DATA_HOME", "holdfast"),
        ("linux", "", ".local/share/holdfast"),
        ("darwin", "", "Library/Application Support/holdfast"),
        ("win32", "LOCALAPPDATA", "holdfast"),
        ("win32", "", "AppData/Local/holdfast"),
    ],
)
def test_the_data_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, platform: str, variable: str, end: str
) -> None:
    """Where each system keeps a user's data."""
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path)
    for name in ("XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, str(tmp_path))
    assert folders.data_folder() == tmp_path / end
