"""`holdfast import solarhub`: a site file on standard output, everything to know on standard error."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from tests.cli.house import Invoke

DATA = Path(__file__).parents[1] / "data" / "solarhub"
COMMAND = ("import", "solarhub")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "hub.db"
    connection = sqlite3.connect(path)
    connection.executescript((DATA / "database.sql").read_text())
    connection.close()
    return path


def test_a_configuration_becomes_a_site_file(invoke: Invoke) -> None:
    """What is certain on standard output, the rest in words with its line."""
    done = invoke(*COMMAND, str(DATA / "config.yaml"))
    assert done.code == 0
    site = YAML(typ="safe").load(done.out)
    assert [each["id"] for each in site["devices"]] == ["cellar", "barn-bank", "shed", "battery"]
    assert "# Decide the priority: the list says 1, the adapter says 2." in done.out
    assert "# - an inverter 'inv-1': {" in done.out
    assert f"{DATA / 'config.yaml'}:59: battery_banks[1].adapters[0].priority: " in done.err
    assert "kept as a note: a meter 'grid'" in done.err
    assert "taken over: 4 packs with 9 adapters, 2 arrays; reported: " in done.err
    assert "to fill in: site file: devices[0].options: 'battery' is missing" in done.err
    for secret in ("424242", "inverter-word", "not-for-anyone"):
        assert secret not in done.out + done.err


def test_a_database_becomes_a_file(tmp_path: Path, database: Path, invoke: Invoke) -> None:
    """`check` asks for what the comments ask for, and is content once it is there."""
    site = tmp_path / "site.yaml"
    done = invoke(*COMMAND, str(database), "--output", str(site))
    assert (done.code, done.out) == (0, "")
    assert "adapters.stray: its device_id is 'east' and not 'west'" in done.err
    checked = invoke("check", str(site))
    assert checked.code == 2
    assert "'battery' is missing" in checked.err
    text = site.read_text()
    for number in (0, 1):
        text = text.replace(f"# battery: {number}\n", f"#\n#{number}", 1).replace(
            f"#\n#{number}      - {{id: ", f"#\n      - {{battery: {number}, id: "
        )
    site.write_text(text)
    filled = invoke("check", str(site))
    assert (filled.code, filled.err) == (0, "")
    assert "2 devices" in filled.out


@pytest.mark.parametrize("form", ["sqlite:///{}", "{}"])
def test_urls_and_paths(database: Path, invoke: Invoke, form: str) -> None:
    done = invoke(*COMMAND, form.format(database))
    assert done.code == 0
    assert done.out.startswith(f"# Made by 'holdfast import solarhub {form.format(database)}'.")


def test_a_url_from_the_environment(database: Path, invoke: Invoke) -> None:
    """It is called by the variable's name wherever it is spoken of."""
    done = invoke(*COMMAND, SOLARHUB_DATABASE_URL=f"sqlite:///{database}")
    assert done.code == 0
    assert str(database) not in done.out + done.err
    assert "$SOLARHUB_DATABASE_URL: adapters.stray: " in done.err


def test_nothing_is_overwritten(tmp_path: Path, database: Path, invoke: Invoke) -> None:
    """Neither a site file that is there, nor what is read."""
    site = tmp_path / "site.yaml"
    site.write_text("mine")
    before = database.read_bytes()
    done = invoke(*COMMAND, str(database), "--output", str(site))
    assert (done.code, done.out) == (2, "")
    assert "exists already" in done.err
    assert (site.read_text(), database.read_bytes()) == ("mine", before)


@pytest.mark.parametrize(
    "url", ["postgresql://me:word@host/db", "postgresql://host/db?user=me&password=word"]
)
def test_a_password_is_no_argument(invoke: Invoke, url: str) -> None:
    done = invoke(*COMMAND, url)
    assert (done.code, done.out) == (2, "")
    assert "a password must not stand on the command line" in done.err
    assert "word@" not in done.err
    assert "=word" not in done.err


def test_what_cannot_be_read(tmp_path: Path, invoke: Invoke) -> None:
    """Each in a sentence, and with the exit code for it; no file is left behind."""
    site = tmp_path / "site.yaml"
    nothing = tmp_path / "nothing.yaml"
    nothing.write_text("mqtt: {host: a}\n")
    broken = tmp_path / "broken.yaml"
    broken.write_text("battery_banks: [")
    other = tmp_path / "other.db"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE other (id)")
    connection.close()
    for arguments, code, said in (
        ([], 2, "nothing to import was named"),
        ([str(tmp_path / "none.yaml")], 2, "there is no such file"),
        ([str(broken)], 2, "broken.yaml:1"),
        ([str(nothing)], 2, "there is no battery bank here"),
        ([str(other)], 2, "this is no database of the earlier program"),
        (["mysql://host/db"], 2, "'mysql' cannot be read here"),
    ):
        done = invoke(*COMMAND, *arguments, "--output", str(site), SOLARHUB_DATABASE_URL="")
        assert (done.code, done.out) == (code, "")
        assert said in done.err
        assert not site.exists()
    # With a password the driver has no reason to look for files.
    url = "postgresql://me:word@127.0.0.1:1/db?sslmode=disable"
    away = invoke(*COMMAND, "--output", str(site), SOLARHUB_DATABASE_URL=url)
    assert (away.code, away.out) == (1, "")
    assert "the database server does not answer" in away.err
    assert "word" not in away.err
