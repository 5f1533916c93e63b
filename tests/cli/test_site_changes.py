"""Apply, export and the small changes, with a hub and without one; backup and restore; what a hub remembers."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import zipfile
from typing import TYPE_CHECKING

import pytest
from ruamel.yaml import YAML

from holdfast.cli.site_problems import place_of
from holdfast.hub.site.problems import spelled
from holdfast.hub.site.yaml import load_yaml, parse_yaml
from holdfast.simulators.ipcom.faults import LoseWrites
from tests.cli.fake_hub import Answer, fake_hub
from tests.cli.house import PASSWORD_ENV, House, Invoke, program, served, site_file

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.xdist_group("cli"), pytest.mark.blocking_allowed]


def value(text: str) -> object:
    """What YAML says: equal values may be written in another order."""
    return parse_yaml(text, "here").value


@pytest.fixture
def kept(tmp_path: Path, invoke: Invoke) -> tuple[Path, Path]:
    """A site file for a house that nobody dials, and a data directory whose store has it."""
    site, data = site_file(tmp_path, 9), tmp_path / "data"
    done = invoke("apply", str(site), "--data", str(data))
    assert done.code == 0, done.err
    return site, data


def test_apply_and_export_without_a_hub(kept: tuple[Path, Path], tmp_path: Path, invoke: Invoke) -> None:
    """What was applied comes back equal, numeric keys included; the same again changes nothing."""
    site, data = kept
    assert load_yaml(site).value["devices"][0]["options"]["modules"].keys() <= set(range(100))
    exported = invoke("export", "--data", str(data))
    assert (exported.code, exported.err) == (0, "")
    assert value(exported.out) == value(site.read_text())
    to = tmp_path / "out.yaml"
    assert invoke("export", "--data", str(data), "--output", str(to)).code == 0
    assert value(to.read_text()) == value(site.read_text())
    assert to.stat().st_mode & 0o077 == 0
    again = invoke("apply", str(site), "--data", str(data))
    assert (again.code, again.out) == (0, "nothing to change\n")


def test_a_plan_is_shown_and_changes_nothing(kept: tuple[Path, Path], invoke: Invoke) -> None:
    """With --dry-run; and then the change says where it was made."""
    site, data = kept
    shown = invoke("device", "remove", "house", "--dry-run", "--data", str(data))
    assert shown.out.splitlines()[0] == "house: goes"
    assert "nothing was changed yet" in shown.out
    assert value(invoke("export", "--data", str(data)).out) == value(site.read_text())
    done = json.loads(invoke("device", "remove", "house", "--json", "--data", str(data)).out)
    assert (done["is_done"], done["revision"], done["lines"]) == (True, 2, ["house: goes"])
    assert str(data) in done["where"]


def test_small_changes(kept: tuple[Path, Path], tmp_path: Path, invoke: Invoke) -> None:
    """Each does what its name says, and nothing else."""
    _, data = kept
    in_store = ("--data", str(data))

    def device() -> dict[str, object]:
        loaded = YAML(typ="safe").load(invoke("export", *in_store).out)
        return dict(loaded["devices"][0])

    (tmp_path / "secret").write_text("demo")
    part = tmp_path / "part.yaml"
    part.write_text(
        "{id: usb, driver: ipcom, url: 'tcp://127.0.0.1:10', username: me, password: {file: secret}, priority: 2}"
    )
    assert invoke("adapter", "put", "house", str(part), *in_store).code == 0
    adapters = device()["adapters"]
    assert isinstance(adapters, list)
    assert adapters[1]["password"] == {"file": str(tmp_path / "secret")}
    assert invoke("adapter", "order", "house", "usb", "lan", *in_store).code == 0
    assert [each["priority"] for each in device()["adapters"]] == [2, 1]  # type: ignore[attr-defined]
    assert invoke("adapter", "disable", "house", "usb", *in_store).out.startswith("house: usb goes")
    assert device()["adapters"][1]["enabled"] is False  # type: ignore[index]
    assert invoke("adapter", "enable", "house", "usb", *in_store).code == 0
    assert invoke("adapter", "remove", "house", "usb", *in_store).code == 0
    assert len(device()["adapters"]) == 1  # type: ignore[arg-type]
    part.write_text('{"kind": "light", "module": 3, "output": 1, "name": "Cellar"}')
    assert invoke("output", "put", "house", "cellar", str(part), *in_store).code == 0
    assert device()["outputs"]["cellar"]["name"] == "Cellar"  # type: ignore[index]
    assert invoke("output", "remove", "house", "cellar", *in_store).code == 0
    whole = device()
    lan = {**whole["adapters"][0], "url": "tcp://127.0.0.1:11"}  # type: ignore[index]
    part.write_text(json.dumps({**whole, "id": "barn", "adapters": [lan], "options": {}, "outputs": {}}))
    assert invoke("device", "put", str(part), *in_store).out.startswith("barn: comes")


def test_what_is_refused_is_told_with_its_line(
    kept: tuple[Path, Path], tmp_path: Path, invoke: Invoke
) -> None:
    """Exit code 2, the file, the line and what would be right; a password is not repeated; nothing is changed."""
    site, data = kept
    bad = tmp_path / "bad.yaml"
    text = site.read_text()
    bad.write_text(
        text.replace("driver: ipcom", "driver: ipcon").replace(
            f"password: {{env: {PASSWORD_ENV}}}", "password: a-real-secret"
        )
    )
    line = next(n for n, each in enumerate(bad.read_text().splitlines(), 1) if "ipcon" in each)
    done = invoke("apply", str(bad), "--data", str(data))
    assert (done.code, done.out) == (2, "")
    assert f"{bad}:{line}: devices[0].adapters[0].driver: 'ipcon' is not a driver" in done.err
    assert "a-real-secret" not in done.err
    for arguments in (
        ("device", "remove", "nobody"),
        ("adapter", "order", "house", "nobody"),
        ("adapter", "remove", "house", "lan"),
        ("output", "remove", "house", "nothing"),
        ("device", "put", str(tmp_path / "none.yaml")),
    ):
        assert invoke(*arguments, "--data", str(data)).code == 2
    assert value(invoke("export", "--data", str(data)).out) == value(text)
    nowhere = invoke("export", "--data", str(tmp_path / "nowhere"))
    assert nowhere.code == 2
    assert "there is no store" in nowhere.err
    assert not (tmp_path / "nowhere").exists()


def test_a_hub_that_is_named_must_answer(kept: tuple[Path, Path], invoke: Invoke) -> None:
    """HOLDFAST_URL means that hub: its absence never changes a store behind its back."""
    site, _ = kept
    assert invoke("apply", str(site)).code == 3
    problems = [{"path": "devices[0].options.modules[6]", "text": "wrong", "advice": "mend it"}]
    refusal = {"code": "invalid_site", "detail": "x", "problems": problems}
    with fake_hub({"/readyz": {"status": "ready"}, "/site": Answer(422, refusal)}) as fake:
        done = invoke("apply", str(site), HOLDFAST_URL=fake.url)
    line = next(n for n, each in enumerate(site.read_text().splitlines(), 1) if re.match(r"\s+6:", each))
    assert done.code == 2
    assert f"{site}:{line}: devices[0].options.modules[6]: wrong; mend it" in done.err


def test_places_are_read_as_they_are_spelled() -> None:
    """A hub tells a place in words; here it becomes steps again."""
    for place in (
        (),
        ("devices", 0, "outputs", "kitchen"),
        ("devices", 3, "options", "modules", 6),
        ("a b", "c"),
    ):
        assert place_of(spelled(place)) == place


# --- with a hub -----------------------------------------------------------------------------------------------------


def test_a_running_site_changes_and_survives(house: House, tmp_path: Path, invoke: Invoke) -> None:
    """Applied through the hub, killed in the middle of a command, started without a file: the same site.

    The command that was open has failed, and may have been executed.
    """
    site, data = site_file(tmp_path, house.port), tmp_path / "data"
    with served(site, data, HOLDFAST_LOOP="asyncio") as (hub, url):
        hub.expect("first data after", among=hub.complaints)
        changed = tmp_path / "changed.yaml"
        changed.write_text(site.read_text().replace("name: Demo house", "name: Elsewhere"))
        assert changed.read_text() != site.read_text()
        done = invoke("apply", str(changed), HOLDFAST_URL=url)
        assert (done.code, done.err) == (0, "")
        assert f"through the hub at {url} (revision 2)" in done.out
        assert value(invoke("export", HOLDFAST_URL=url).out) == value(changed.read_text())
        assert invoke("apply", str(changed), "--data", str(data)).code == 1  # the hub has it
        house.do(lambda: house.controller.begin(LoseWrites()))
        given = json.loads(invoke("set", "house/kitchen", "on", "--no-wait", "--json", HOLDFAST_URL=url).out)
        assert given["state"] in ("accepted", "sent")
        hub.process.kill()
    options = ("serve", "--data", str(data), "--port", "0")
    with program(*options, HOLDFAST_LOOP="asyncio") as again:
        url = again.expect(r"listening on (http://127\.0\.0\.1:\d+)$")[1]
        assert value(invoke("export", HOLDFAST_URL=url).out) == value(changed.read_text())
        from holdfast.cli.client import HubClient

        (receipt,) = HubClient(url)._list("commands")
        assert (receipt["id"], receipt["state"], receipt["may_have_executed"]) == (
            given["id"],
            "failed",
            True,
        )
        assert HubClient(url).ready()["status"] == "ready"
        again.stop(signal.SIGTERM)


def test_a_store_that_cannot_be_used(house: House, tmp_path: Path, invoke: Invoke) -> None:
    """With a site file the house is kept, and the store catches up when it is mended; without one it is an error."""
    site, data = site_file(tmp_path, house.port), tmp_path / "data"
    data.mkdir()
    (data / "holdfast.db").write_bytes(b"no database" * 1000)
    alone = invoke("serve", "--data", str(data), "--port", "0")
    assert (alone.code, alone.out) == (1, "")
    assert "the database is damaged" in alone.err
    empty = invoke("serve", "--data", str(tmp_path / "empty"), "--port", "0")
    assert empty.code == 2
    assert "the store has no site yet" in empty.err
    with served(site, data, HOLDFAST_LOOP="asyncio") as (hub, url):
        hub.expect("first data after", among=hub.complaints)
        hub.expect("the store is in trouble", among=hub.complaints)
        assert invoke("set", "house/kitchen", "on", HOLDFAST_URL=url).code == 0
        refused = invoke("adapter", "disable", "house", "lan", HOLDFAST_URL=url)
        assert refused.code == 1
        assert "nothing was changed: the database is damaged" in refused.err
        for each in data.glob("holdfast.db*"):
            each.unlink()
        hub.expect("the store is well again", among=hub.complaints)
        hub.expect("the store has caught up", among=hub.complaints)
        removed = invoke("device", "remove", "house", HOLDFAST_URL=url)
        assert (removed.code, removed.err) == (0, "")


# --- backup and restore ---------------------------------------------------------------------------------------------


def test_backup_and_restore(kept: tuple[Path, Path], tmp_path: Path, invoke: Invoke) -> None:
    """One file, readable by its owner only; restored elsewhere it is the same site; the old data are kept aside."""
    site, data = kept
    file = tmp_path / "backup.zip"
    done = invoke("backup", str(file), "--data", str(data))
    assert (done.code, done.err) == (0, "")
    assert "it holds no key file" in done.out
    assert file.stat().st_mode & 0o077 == 0
    assert str(tmp_path) not in str(zipfile.ZipFile(file).read("backup.json"))
    assert invoke("backup", str(file), "--data", str(data)).code == 2, "it is there already"
    other = tmp_path / "other"
    restored = json.loads(
        invoke("restore", str(file), "--data", str(other), "--json", **{PASSWORD_ENV: ""}).out
    )
    assert (restored["has_key_file"], restored["kept_aside"]) == (False, [])
    assert any(PASSWORD_ENV in each for each in restored["problems"]), "it is told what this machine lacks"
    assert value(invoke("export", "--data", str(other)).out) == value(site.read_text())
    assert invoke("device", "remove", "house", "--data", str(data)).code == 0
    again = invoke("restore", str(file), "--data", str(data))
    assert again.code == 2
    assert "--force" in again.err
    forced = invoke("restore", str(file), "--data", str(data), "--force")
    assert forced.code == 0
    assert value(invoke("export", "--data", str(data)).out) == value(site.read_text())
    (aside,) = data.glob("holdfast.db.before-*")
    with sqlite3.connect(aside) as connection:
        assert connection.execute("SELECT count(*) FROM devices").fetchone() == (0,)
    connection.close()


def test_a_backup_says_that_it_holds_the_key_file(
    kept: tuple[Path, Path], tmp_path: Path, invoke: Invoke
) -> None:
    """And brings it back; into a folder the backup goes under a name of its own."""
    _, data = kept
    (data / "holdfast.key").write_text("the key")
    done = json.loads(invoke("backup", str(tmp_path), "--data", str(data), "--json").out)
    assert done["has_key_file"] is True
    other = tmp_path / "other"
    other.mkdir()
    (other / "holdfast.key").write_text("another key")
    restored = invoke("restore", done["path"], "--data", str(other))
    assert "it held the key file" in restored.out
    assert (other / "holdfast.key").read_text() == "the key"
    assert (other / "holdfast.key").stat().st_mode & 0o077 == 0
    (aside,) = other.glob("holdfast.key.before-*")
    assert aside.read_text() == "another key"


@pytest.mark.parametrize("harm", ["cut", "flipped", "other", "database", "none", "newer"])
def test_what_is_no_whole_backup(harm: str, kept: tuple[Path, Path], tmp_path: Path, invoke: Invoke) -> None:
    """Refused before anything is touched."""
    site, data = kept
    file = tmp_path / "backup.zip"
    assert invoke("backup", str(file), "--data", str(data)).code == 0
    whole = file.read_bytes()
    match harm:
        case "cut":
            file.write_bytes(whole[:-100])
        case "flipped":
            middle = len(whole) // 2
            file.write_bytes(
                whole[:middle]
                + bytes(each ^ 0xFF for each in whole[middle : middle + 64])
                + whole[middle + 64 :]
            )
        case "other":
            with zipfile.ZipFile(file, "w") as archive:
                archive.writestr("hello", "world")
        case "database":
            with zipfile.ZipFile(file, "w") as archive:
                archive.writestr("backup.json", '{"format": 1}')
                archive.writestr("holdfast.db", b"SQLite format 3\x00" + b"x" * 5000)
        case "newer":
            with zipfile.ZipFile(file, "w") as archive:
                archive.writestr("backup.json", '{"format": 99}')
                archive.writestr("holdfast.db", b"")
        case _:
            file.unlink()
    before = {each.name for each in data.iterdir()}
    done = invoke("restore", str(file), "--data", str(data), "--force")
    assert (done.code, done.out) == (2, "")
    assert {each.name for each in data.iterdir()} == before
    assert value(invoke("export", "--data", str(data)).out) == value(site.read_text())
