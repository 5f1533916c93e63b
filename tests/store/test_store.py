"""What every store does: memory, SQLite and PostgreSQL pass the same tests."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from holdfast.hub.ports import (
    AlarmEntry,
    MemoryEntry,
    ReceiptEntry,
    SiteChanged,
    StoreError,
    SwitchEntry,
    Trouble,
)
from holdfast.model import CommandState
from holdfast.store import retention
from tests.store.house import NOW, event, later, one_of_each, order, receipt, site

if TYPE_CHECKING:
    from holdfast.hub.ports import Store


# --- the site ----------------------------------------------------------------------------------------------------


async def test_an_empty_store_has_no_site_and_remembers_nothing(store: Store) -> None:
    assert await store.site() is None
    saved = await store.saved()
    assert (saved.orders, saved.switches, saved.memories) == ((), {}, {})
    assert (saved.alarms, saved.open_receipts) == ((), ())
    assert await store.receipts() == []
    assert await store.events() == []
    assert await store.prune(NOW) == 0


async def test_the_site_comes_back_as_it_was_saved(store: Store) -> None:
    assert await store.save_site(site(), NOW) == 1
    saved = await store.site()
    assert saved is not None
    assert saved.mapping == site()
    assert repr(saved.mapping["devices"][0]["options"]) == repr(
        site()["devices"][0]["options"]
    )  # 60.0 is not 60
    assert list(saved.mapping["devices"][0]["outputs"]) == ["salon", "kitchen", "blind"]
    assert (saved.revision, saved.damaged) == (1, {})


async def test_a_later_site_replaces_the_earlier_one(store: Store) -> None:
    await store.save_site(site(), NOW)
    changed = site()
    changed["devices"].reverse()
    del changed["devices"][1]  # the pack, and the array is empty now
    changed["arrays"][0]["packs"] = []
    changed["devices"].append({"id": "new", "adapters": [{"id": "lan", "driver": "kasa"}]})
    del changed["controllers"]
    changed["site"] = None
    assert await store.save_site(changed, later(days=1)) == 2
    saved = await store.site()
    assert saved is not None
    assert saved.mapping == changed
    assert saved.revision == 2


async def test_a_site_that_somebody_changed_meanwhile_is_not_overwritten(store: Store) -> None:
    await store.save_site(site(), NOW, expected=0)
    for stale in (0, 2):
        with pytest.raises(SiteChanged) as caught:
            await store.save_site({"devices": []}, NOW, expected=stale)
        assert caught.value.revision == 1
    assert await store.save_site(site(), NOW, expected=1) == 2
    saved = await store.site()
    assert saved is not None
    assert saved.mapping == site()


async def test_what_the_caller_changes_afterwards_is_not_in_the_store(store: Store) -> None:
    mine = site()
    await store.save_site(mine, NOW)
    mine["devices"].clear()
    saved = await store.site()
    assert saved is not None
    assert saved.mapping == site()


async def test_a_password_itself_is_never_stored(store: Store) -> None:
    careless = site()
    careless["devices"][0]["adapters"][0]["password"] = "hunter2"
    with pytest.raises(StoreError, match="house/lan is plain text") as caught:
        await store.save_site(careless, NOW)
    assert "hunter2" not in str(caught.value)
    assert await store.site() is None


# --- what outlives the process -----------------------------------------------------------------------------------


async def test_everything_comes_back_after_a_restart(store: Store) -> None:
    entries = one_of_each()
    await store.write(entries)
    await store.close()
    await store.open()
    saved = await store.saved()
    assert list(saved.orders) == [entries[0]]
    assert saved.switches == {"fridge/switch": entries[1]}
    assert saved.memories == {("fermenter", "cooler"): entries[2]}
    assert list(saved.alarms) == [entries[3]]
    assert saved.open_receipts == ()
    assert [ReceiptEntry(each) for each in await store.receipts()] == [entries[4]]
    assert await store.events() == [entries[5]]


async def test_a_newer_entry_takes_the_place_of_the_older_one(store: Store) -> None:
    await store.write(one_of_each())
    await store.write(
        [
            order(is_released=True, ended_at=later(hours=1)),
            SwitchEntry("fridge/switch", False, later(seconds=9)),
            MemoryEntry("fermenter", "cooler", None, later(seconds=9)),
            AlarmEntry("pack-1/0/alarms", "cell overvoltage", NOW, later(seconds=9)),
            ReceiptEntry(receipt("receipt-1", CommandState.VERIFIED)),
        ]
    )
    saved = await store.saved()
    assert saved.orders == ()
    assert saved.alarms == ()
    assert saved.switches["fridge/switch"].value is False
    assert saved.memories["fermenter", "cooler"].value is None
    assert [each.state for each in await store.receipts()] == [CommandState.VERIFIED]


async def test_the_same_entries_twice_are_no_more_than_once(store: Store) -> None:
    """The answer to a commit may be lost; then the storekeeper hands everything over again."""
    await store.write(one_of_each())
    await store.write(one_of_each())
    assert len(await store.events()) == 1
    assert len(await store.receipts()) == 1
    assert len((await store.saved()).alarms) == 1


async def test_one_write_may_hold_the_same_place_twice(store: Store) -> None:
    await store.write(
        [SwitchEntry("a/b", True, NOW), SwitchEntry("a/b", False, later(seconds=1)), order(), order()]
    )
    assert (await store.saved()).switches["a/b"].value is False


async def test_an_alarm_whose_end_was_overtaken_ends_with_the_next_one(store: Store) -> None:
    """While entries wait, the new alarm of a target replaces the end of the old one."""
    await store.write([AlarmEntry("pack-1/0/alarms", "first", NOW)])
    second = AlarmEntry("pack-1/0/alarms", "second", later(seconds=5))
    await store.write([AlarmEntry("other/alarms", "its own", NOW), second])
    assert {each.text for each in (await store.saved()).alarms} == {"second", "its own"}


async def test_open_receipts_are_those_that_have_not_ended(store: Store) -> None:
    await store.write([ReceiptEntry(receipt(state.value, state)) for state in CommandState])
    assert [each.state for each in (await store.saved()).open_receipts] == [
        CommandState.ACCEPTED,
        CommandState.SENT,
    ]


async def test_the_newest_come_oldest_first_and_can_be_chosen(store: Store) -> None:
    await store.write([ReceiptEntry(receipt(f"r{n}", target=f"t/{n % 2}")) for n in range(10)])
    await store.write([event(n, kind="k" if n % 3 else "other", device=f"d{n % 2}") for n in range(12)])
    assert [each.id for each in await store.receipts(limit=3)] == ["r7", "r8", "r9"]
    assert [each.id for each in await store.receipts(target="t/0", limit=2)] == ["r6", "r8"]
    assert [each.payload["n"] for each in await store.events(limit=2)] == [10, 11]
    assert [each.payload["n"] for each in await store.events(kind="other", device="d1")] == [3, 9]
    assert await store.receipts(limit=0) == []


@pytest.mark.parametrize("text", ["\0", "\ud800", "'; DROP TABLE events; --", "é°µ🔋", "line\nbreak", ""])
async def test_no_text_is_refused(store: Store, text: str) -> None:
    """A journal that refuses one entry would keep everything behind it waiting for ever."""
    odd = event(1, kind=text, device=text, payload={text: [text]})
    await store.write([odd, AlarmEntry(f"t{text}", text, NOW), ReceiptEntry(receipt("r", reason=text))])
    [read] = await store.events()
    assert read.payload == odd.payload
    assert read.kind == (text if text not in ("\0", "\ud800") else "�")


async def test_payloads_may_hold_what_json_does_not_know(store: Store) -> None:
    await store.write(
        [event(1, payload={"at": NOW, "state": CommandState.SENT, "pair": (1, 2), "set": {"b", "a"}})]
    )
    [read] = await store.events()
    assert read.payload == {"at": str(NOW), "state": "sent", "pair": [1, 2], "set": ["a", "b"]}


@pytest.mark.parametrize(
    "value", [True, False, 1, 1.0, 0.1, -(2**70), "open", None, ("a", "b"), (), float("inf")]
)
async def test_values_keep_their_type(store: Store, value: object) -> None:
    await store.write([SwitchEntry("a/b", value, NOW), ReceiptEntry(receipt("r", value=value))])  # type: ignore[arg-type]
    for read in ((await store.saved()).switches["a/b"].value, (await store.receipts())[0].value):
        assert read == value
        assert type(read) is type(value)


# --- retention ---------------------------------------------------------------------------------------------------


async def test_what_is_old_and_over_goes_and_what_is_open_stays(store: Store) -> None:
    await store.write(
        [
            ReceiptEntry(receipt("old")),
            ReceiptEntry(receipt("old-open", CommandState.SENT)),
            ReceiptEntry(receipt("young", created_at=later(days=2))),
            event(1),
            event(2, at=later(days=2)),
            order("open"),
            order("over", ended_at=NOW),
            AlarmEntry("a/open", "open", NOW),
            AlarmEntry("a/over", "over", NOW, NOW),
            SwitchEntry("a/b", True, NOW),
        ]
    )
    assert await store.prune(later(days=30)) == 0
    assert await store.prune(later(days=31)) == 2
    assert [each.id for each in await store.receipts()] == ["old-open", "young"]
    assert [each.payload["n"] for each in await store.events()] == [2]
    assert await store.prune(later(days=366)) == 4  # the order, the alarm, the young receipt and event
    saved = await store.saved()
    assert [each.order.id for each in saved.orders] == ["open"]
    assert [each.target for each in saved.alarms] == ["a/open"]
    assert [each.id for each in saved.open_receipts] == ["old-open"]
    assert "a/b" in saved.switches


async def test_too_many_go_too_and_the_newest_stay(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    few = retention.Retention(table="events", column="at", age_s=retention.DAY_S, rows=5)
    _retain(monkeypatch, few)
    monkeypatch.setattr("holdfast.store.sql.STEP", 7)  # several steps
    step = timedelta(seconds=1)
    await store.write([event(n, at=NOW + n * step) for n in range(30)])
    assert await store.prune(NOW) == 25
    assert [each.payload["n"] for each in await store.events()] == [25, 26, 27, 28, 29]


async def test_rows_of_one_moment_are_pruned_in_the_order_they_came(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    _retain(
        monkeypatch, retention.Retention(table="receipts", column="created_at", age_s=retention.DAY_S, rows=2)
    )
    await store.write([ReceiptEntry(receipt(f"r{n}")) for n in range(5)])
    assert await store.prune(NOW) == 3
    assert [each.id for each in await store.receipts()] == ["r3", "r4"]


def _retain(monkeypatch: pytest.MonkeyPatch, *few: retention.Retention) -> None:
    for module in ("sql", "memory"):
        monkeypatch.setattr(f"holdfast.store.{module}.RETENTIONS", few)


# --- open and close ----------------------------------------------------------------------------------------------


async def test_a_closed_store_says_so(store: Store) -> None:
    await store.close()
    for call in (store.site(), store.saved(), store.write([event(1)]), store.save_site(site(), NOW)):
        with pytest.raises(StoreError, match="closed") as caught:
            await call
        assert caught.value.trouble is Trouble.FAILED
    await store.close()
    await store.open()
    await store.open()
    assert await store.events() == []
