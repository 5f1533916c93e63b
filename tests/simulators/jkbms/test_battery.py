"""A battery's life: charge follows current, cells follow charge, and what is told stays told."""

from __future__ import annotations

import itertools

import pytest

from holdfast.simulators.jkbms import (
    DEMO_BATTERIES,
    Alarm,
    Battery,
    FrameKind,
    LiveFrame,
    SettingsFrame,
    day_of,
    demo_pack,
    idle,
    stack_of,
    sunny_day,
)

HOUR_S = 3600.0


def test_charge_follows_current() -> None:
    """10 A for an hour are 10 Ah, whichever way they flow, and count as throughput."""
    battery = Battery(1, profile=idle, soc_pct=50.0)
    before = battery.live(0.0)
    battery.current_a = 10.0
    after = battery.live(HOUR_S)
    assert after.remaining_ah - before.remaining_ah == pytest.approx(10.0, abs=0.01)
    assert after.cycle_ah - before.cycle_ah == pytest.approx(10.0, abs=0.01)
    assert after.pack_current_a == 10.0
    assert after.runtime_s - before.runtime_s == 3600
    battery.current_a = -10.0
    assert battery.live(2 * HOUR_S).remaining_ah == pytest.approx(before.remaining_ah, abs=0.02)


def test_a_day() -> None:
    """The sun charges it, the evening discharges it; it never leaves 0 to 100 %, and its cells stay LFP cells."""
    battery = Battery(1)
    frames = [battery.live(minute * 60.0) for minute in range(24 * 60)]
    charge = [frame.soc_pct for frame in frames]
    assert max(charge) - min(charge) > 20
    assert min(frame.pack_current_a for frame in frames) < -20.0
    assert max(frame.pack_current_a for frame in frames) > 20.0
    for frame in frames:
        assert 0 <= frame.soc_pct <= 100
        assert 2.5 < min(frame.cell_voltages) <= max(frame.cell_voltages) < 3.65
        assert abs(sum(frame.cell_voltages) - frame.pack_voltage_v) < 0.002
        assert frame.pack_power_w == pytest.approx(
            abs(frame.pack_voltage_v * frame.pack_current_a), abs=0.001
        )
        assert frame.cell_delta_v == pytest.approx(max(frame.cell_voltages) - min(frame.cell_voltages))
        assert frame.cell_voltages[frame.cell_max_index] == max(frame.cell_voltages)
        assert frame.cell_voltages[frame.cell_min_index] == min(frame.cell_voltages)
        assert frame.mos_temp_c is not None
        assert 15.0 < frame.mos_temp_c < 60.0
        assert frame.alarms == 0
    assert len({frame.runtime_s for frame in frames}) == len(frames)


@pytest.mark.parametrize(("current_a", "end"), [(200.0, 100), (-200.0, 0)])
def test_full_and_empty(current_a: float, end: int) -> None:
    """At either end charge stays within its bounds, and the cells say so."""
    battery = Battery(1, profile=lambda _: current_a, soc_pct=50.0)
    battery.live(0.0)
    frame = battery.live(6 * HOUR_S)
    assert abs(frame.soc_pct - end) <= 6
    assert abs(frame.pack_current_a) < 20.0


def test_cells_differ_and_drift() -> None:
    """Cells are not equal, and not equally unequal for ever."""
    battery = Battery(1, profile=idle)
    first, later = battery.live(0.0), battery.live(48 * HOUR_S)
    assert 0.001 <= first.cell_delta_v < 0.03
    assert len(set(first.cell_voltages)) > 3
    order = [sorted(range(16), key=frame.cell_voltages.__getitem__) for frame in (first, later)]
    assert order[0] != order[1]


def test_alarms() -> None:
    """A cell beyond its limits raises the alarm bit for it."""
    battery = Battery(1, is_scripted=True)
    assert battery.live(0.0).alarms == 0
    battery.pin(cell_voltages=(3.7,) + (3.3,) * 15)
    assert battery.live(0.0).alarms == Alarm.CELL_OVER_VOLTAGE == 1 << 4
    battery.pin(cell_voltages=(2.4,) + (3.3,) * 15)
    assert battery.live(0.0).alarms == Alarm.CELL_UNDER_VOLTAGE == 1 << 11
    battery.pin(alarms=int(Alarm.CURRENT_SENSOR))
    assert battery.live(0.0).alarms == 1 << 3
    battery.unpin()
    assert battery.live(0.0).alarms == 0


def test_balancing() -> None:
    """It balances once a cell is high and the cells differ."""
    battery = Battery(1, is_scripted=True)
    assert battery.live(0.0).balance_state == 0
    battery.pin(cell_voltages=(3.5,) + (3.45,) * 15)
    assert battery.live(0.0).balance_state == 2
    assert battery.live(0.0).balance_current_a > 0.0


def test_scripted() -> None:
    """Values change only when told, and what derives from them follows."""
    battery = Battery(1, is_scripted=True)
    battery.current_a = 0.0
    first = battery.live(0.0)
    assert battery.live(5 * HOUR_S) == first
    battery.soc_pct = 71.0
    battery.current_a = -12.5
    battery.pin(cell_voltages=(3.3,) * 16, temp1_c=None)
    told = battery.live(6 * HOUR_S)
    assert (told.soc_pct, told.pack_current_a, told.pack_voltage_v) == (71, -12.5, 52.8)
    assert (told.pack_power_w, told.cell_avg_v, told.cell_delta_v, told.temp1_c) == (660.0, 3.3, 0.0, None)
    assert told.runtime_s == first.runtime_s


def test_what_cannot_be_told() -> None:
    """Names that no frame has, and numbers that no battery has, are refused."""
    battery = Battery(1)
    with pytest.raises(TypeError, match="state_of_charge"):
        battery.pin(state_of_charge=3)
    with pytest.raises(ValueError, match="0 to 100"):
        battery.soc_pct = 101.0
    with pytest.raises(ValueError, match="0 to 15"):
        battery.move_to(16)
    with pytest.raises(ValueError, match="8 to 32"):
        Battery(1, cells=7)
    with pytest.raises(ValueError, match="1 to 16"):
        stack_of(17)


def test_speed_and_settings() -> None:
    """A battery whose time runs 60 times as fast lives an hour in a minute; settings carry address and cells."""
    battery = Battery(4, cells=8, speed=60.0)
    before = battery.live(0.0).runtime_s
    assert battery.live(60.0).runtime_s - before == 3600
    battery.configure(cell_ovp_v=3.6)
    battery.move_to(9)
    settings = battery.frame(FrameKind.SETTINGS, 60.0)
    assert isinstance(settings, SettingsFrame)
    assert (settings.device_address, settings.cell_count, settings.cell_ovp_v) == (9, 8, 3.6)


def test_every_current_has_its_place_in_the_day() -> None:
    """Night is load alone, noon is the sun's, the evening takes most; any profile can be given."""
    night, noon, evening = (sunny_day(hour * HOUR_S) for hour in (3, 13, 20))
    assert evening < night < 0.0 < noon
    assert day_of(0.0, 5.0, 0.0)(12 * HOUR_S) == -5.0


def test_the_demo_pack() -> None:
    """Two batteries, front and back; the front one is the master."""
    pack = demo_pack()
    assert {battery.name: battery.address for battery in pack} == DEMO_BATTERIES == {"front": 0, "back": 1}
    assert [battery.is_master for battery in pack] == [True, False]


def test_no_two_batteries_say_the_same() -> None:
    """Whose values they are can be told from them: a mix-up shows."""
    frames = [battery.live(0.0) for battery in stack_of(16)]
    for one, other in itertools.combinations(frames, 2):
        assert one.cell_voltages != other.cell_voltages
        assert one.runtime_s != other.runtime_s
        assert isinstance(one, LiveFrame)
