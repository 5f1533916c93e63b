"""A site becomes rows and comes back exactly as it was."""

from __future__ import annotations

import copy
from typing import Any

import hypothesis
import pytest
from hypothesis import given

from holdfast.hub.ports import StoreError
from holdfast.hub.site.problems import SiteError
from holdfast.hub.site.read import read_site
from holdfast.hub.site.secret import SecretSource
from holdfast.link.driver import Family
from holdfast.store.rows import SITE_KEYS, changes, kept_damage, reading_of, refuse_plain_password, rows_of
from tests.hub.site.toy import prepare_toy
from tests.store.house import site
from tests.store.sites import exact, good_sites, shapeless, sites


def assert_lossless(mapping: dict[str, Any]) -> None:
    before = copy.deepcopy(mapping)
    reading = reading_of(rows_of(mapping))
    assert exact(reading.mapping) == exact(mapping)
    assert reading.damaged == {}
    assert exact(mapping) == exact(before)


@given(sites)
def test_whatever_has_the_shape_of_a_site_comes_back_exactly(mapping: dict[str, Any]) -> None:
    assert_lossless(mapping)


@given(shapeless)
def test_so_does_what_has_not(mapping: dict[str, Any]) -> None:
    assert_lossless(mapping)


@given(good_sites)
def test_whatever_the_reader_accepts_comes_back_and_reads_alike(mapping: dict[str, Any]) -> None:
    families = {"toy": Family("toy", lambda device, adapter: prepare_toy(device, _without_options(adapter)))}
    secrets = SecretSource(environ={"SECRET": "s"})
    try:
        spec = read_site(mapping, families, secrets=secrets)
    except SiteError:
        hypothesis.reject()  # too many of these fail the test
    assert_lossless(mapping)
    again = read_site(reading_of(rows_of(mapping)).mapping, families, secrets=secrets)
    assert [each.device for each in again.devices] == [each.device for each in spec.devices]


def _without_options(adapter: Any) -> Any:
    return type(adapter)(id=adapter.id, driver=adapter.driver, url=adapter.url)


def test_the_sample_uses_every_table() -> None:
    rows = rows_of(site())
    assert {table for table in SITE_KEYS if rows[table]} == set(SITE_KEYS)
    assert len(rows["batteries"]) == 2
    assert rows["adapters"]["house", "lan"]["password"] == '{"env":"IPCOM_PASSWORD"}'


def test_each_setting_stands_in_one_place() -> None:
    rows = rows_of(site())
    assert rows["device_adapters"]["pack-1", "usb"] == {
        "device_id": "pack-1",
        "adapter_id": "usb",
        "position": 1,
        "priority": 2,
        "enabled": None,
        "standby": "cold",
    }
    assert rows["adapters"]["pack-1", "usb"]["options"] == '{"polling":true}'
    assert "batteries" not in rows["devices"]["pack-1",]["options"]


# --- what changes ------------------------------------------------------------------------------------------------


@given(sites, sites)
def test_changes_make_one_site_into_the_other_and_touch_nothing_else(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    rows = {table: dict(found) for table, found in rows_of(first).items()}
    wanted = rows_of(second)
    for change in changes(rows, wanted):
        for key in change.deleted:
            del rows[change.table][key]
        for row in (*change.inserted, *change.updated):
            key = tuple(row[column] for column in SITE_KEYS[change.table])
            assert rows[change.table].get(key) != row
            rows[change.table][key] = row
    assert rows == wanted
    assert changes(rows, wanted) == []


def test_a_device_that_did_not_change_is_not_written() -> None:
    before, after = site(), site()
    after["devices"][0]["name"] = "Other"
    assert [
        (each.table, len(each.updated), each.inserted, each.deleted)
        for each in changes(rows_of(before), rows_of(after))
    ] == [("devices", 1, [], [])]


# --- damage ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ['{"bus":', "", "[1]", "null", '{"#x":1}', "[" * 100_000])
@pytest.mark.parametrize(
    ("table", "column", "key", "whose"),
    [
        ("devices", "options", ("house",), "house"),
        ("devices", "others", ("house",), "house"),
        ("adapters", "options", ("pack-1", "usb"), "pack-1"),
        ("outputs", "options", ("house", "blind"), "house"),
        ("capabilities", "options", ("chamber", "temperature"), "chamber"),
        ("controllers", "options", ("fermenter",), "/controllers/fermenter"),
        ("arrays", "others", ("west",), "/arrays/west"),
        ("site", "head", (1,), "/site"),
        ("site", "others", (1,), "/site"),
    ],
)
def test_a_damaged_cell_is_named_and_costs_only_its_own(
    table: str, column: str, key: tuple[str | int, ...], whose: str, text: str
) -> None:
    rows = rows_of(site())
    rows[table][key][column] = text
    reading = reading_of(rows)
    assert list(reading.damaged) == [whose]
    assert f"the column {column} of the row" in reading.damaged[whose]
    assert f"the table {table} is damaged" in reading.damaged[whose]
    sound = [each for each in site()["devices"] if each["id"] != whose]
    assert [each for each in reading.mapping["devices"] if each["id"] != whose] == sound


def test_a_damaged_password_is_named_too() -> None:
    rows = rows_of(site())
    rows["adapters"]["house", "lan"]["password"] = "{"
    assert "column password" in reading_of(rows).damaged["house"]


def test_changing_another_device_leaves_a_damaged_one_to_be_mended() -> None:
    old = rows_of(site())
    old["devices"]["pack-1",]["options"] = '{"stale_after_s":30'
    mapping = reading_of(old).mapping
    mapping["devices"] = [mapping["devices"][2], mapping["devices"][1]]
    kept = kept_damage(old, rows_of(mapping))
    assert kept["devices"]["pack-1",]["options"] == '{"stale_after_s":30'
    assert [device["id"] for device in reading_of(kept).mapping["devices"]] == ["chamber", "pack-1"]
    assert set(kept["batteries"]) == {("pack-1", 0), ("pack-1", 1)}
    assert kept["packs"]["pack-1",]["array_id"] == "east"
    assert set(kept["devices"]) == {("chamber",), ("pack-1",)}


def test_whoever_writes_a_damaged_device_anew_mends_it() -> None:
    old = rows_of(site())
    old["devices"]["pack-1",]["options"] = "{"
    assert reading_of(kept_damage(old, rows_of(site()))).mapping == site()


def test_a_damaged_device_may_leave_its_array() -> None:
    old = rows_of(site())
    old["devices"]["pack-1",]["options"] = "{"
    mapping = reading_of(old).mapping
    del mapping["arrays"]
    kept = kept_damage(old, rows_of(mapping))
    assert kept["packs"]["pack-1",]["array_id"] is None
    assert "arrays" not in reading_of(kept).mapping


# --- passwords ---------------------------------------------------------------------------------------------------


def test_a_password_is_refused_without_being_repeated() -> None:
    refuse_plain_password(site())
    careless = site()
    careless["devices"][1]["adapters"][1]["password"] = "hunter2"
    with pytest.raises(StoreError, match="pack-1/usb") as caught:
        refuse_plain_password(careless)
    assert "hunter2" not in f"{caught.value}{caught.value.advice}"
