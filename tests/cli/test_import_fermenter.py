"""`holdfast import fermenter`: a site file on standard output, everything to know on standard error."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from tests.cli.house import Invoke

DATA = Path(__file__).parents[1] / "data" / "fermenter"
COMMAND = ("import", "fermenter")
FILES = ("temp_control_config.json", "tilt_config.json", "system_config.json")


def test_a_folder_becomes_a_site_file(invoke: Invoke) -> None:
    """The program's folder is enough; what is not taken over is told with its file, line and key."""
    done = invoke(*COMMAND, str(DATA / "cellar"))
    assert done.code == 0
    site = YAML(typ="safe").load(done.out)
    assert [each["id"] for each in site["devices"]] == ["heater", "fridge", "tilt-red", "tilt-blue"]
    assert site["controllers"][0]["low"] == "74 °F"
    config = DATA / "cellar" / "config"
    assert done.out.startswith(f"# Made by 'holdfast import fermenter {config}'.")
    assert f"{config / FILES[2]}:9: update_interval: not taken over; " in done.err
    assert "taken over: 2 plugs, 2 Tilts, 1 controller (1 enabled); reported: " in done.err
    assert "to mend" not in done.err
    assert "stop the earlier program" in done.err
    for secret in ("word-of-the-mail", "not-for-anyone", "someone@example.org"):
        assert secret not in done.out + done.err


@pytest.mark.parametrize("sample", ["cellar", "three", "rough"])
def test_check_is_content_with_the_file(tmp_path: Path, invoke: Invoke, sample: str) -> None:
    """Whatever has to be decided: a controller that waits for it is not enabled."""
    site = tmp_path / "site.yaml"
    done = invoke(*COMMAND, str(DATA / sample), "--output", str(site))
    assert (done.code, done.out) == (0, "")
    checked = invoke("check", str(site))
    assert (checked.code, checked.err) == (0, "")


def test_why_a_controller_waits(invoke: Invoke) -> None:
    done = invoke(*COMMAND, str(DATA / "rough"))
    assert done.code == 0
    assert "# Not enabled, because" in done.out
    assert "# - heating_plug: kasa://192.0.2.91 is the plug of 2 tasks at once" in done.out
    assert "1 controller (0 enabled)" in done.err


def test_the_earlier_files_stay_as_they_are(tmp_path: Path, invoke: Invoke) -> None:
    """And so does a site file that is there."""
    folder = tmp_path / "config"
    shutil.copytree(DATA / "three", folder)
    before = {name: (folder / name).read_bytes() for name in FILES}
    site = tmp_path / "site.yaml"
    site.write_text("mine")
    done = invoke(*COMMAND, str(tmp_path), "--output", str(site))
    assert (done.code, done.out) == (2, "")
    assert "exists already" in done.err
    assert site.read_text() == "mine"
    assert invoke(*COMMAND, str(tmp_path)).code == 0
    assert {name: (folder / name).read_bytes() for name in FILES} == before
    assert sorted(each.name for each in folder.iterdir()) == sorted(FILES)


def test_files_in_both_places(tmp_path: Path, invoke: Invoke) -> None:
    """Early versions kept them beside the program, later ones in its folder `config`: a person may have both."""
    shutil.copytree(DATA / "three", tmp_path / "config")
    shutil.copy(DATA / "rough" / FILES[0], tmp_path)
    done = invoke(*COMMAND, str(tmp_path))
    assert done.code == 0
    assert f"{tmp_path / 'config'} has such files, too" in done.err
    assert "kasa://192.0.2.91" in done.out
    assert f"{tmp_path / FILES[1]}: there is no such file" in done.err


def test_where_there_is_nothing(tmp_path: Path, invoke: Invoke) -> None:
    """Each in a sentence; no file is left behind."""
    site = tmp_path / "site.yaml"
    empty = tmp_path / "empty"
    empty.mkdir()
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / FILES[2]).write_text('{"brewery_name": "Nobody"}')
    for folder, said in (
        (tmp_path / "nowhere", "there is none of temp_control_config.json"),
        (empty, "there is none of temp_control_config.json"),
        (alone / FILES[2], "is a file"),
        (alone, "neither a plug nor a Tilt; nothing was written"),
    ):
        done = invoke(*COMMAND, str(folder), "--output", str(site))
        assert (done.code, done.out) == (2, "")
        assert said in done.err
        assert not site.exists()
