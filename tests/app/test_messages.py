"""Every way to begin wrong has its own clear message, and where retrying can help the hub goes on trying."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest

import holdfast
from holdfast.app import FAMILIES
from holdfast.clock import LoopClock
from holdfast.hub.site.problems import SiteError
from holdfast.hub.site.yaml import load_site
from holdfast.model import Availability, ReasonCode
from holdfast.simulators.ipcom import Behaviour, ControllerConfig, IpcomController
from tests.link.house import loop

if TYPE_CHECKING:
    from pathlib import Path


def mapping(url: str = "tcp://house", password: str = "secret") -> dict[str, Any]:
    adapter = {"id": "lan", "driver": "ipcom", "url": url, "username": "me", "password": password}
    outputs = {"kitchen": {"module": 1, "output": 1, "kind": "light"}}
    return {"devices": [{"id": "house", "adapters": [adapter], "outputs": outputs}]}


def controller(**behaviour: Any) -> IpcomController:
    config = ControllerConfig(behaviour=Behaviour(accounts={"me": "secret"}, **behaviour))
    return IpcomController(config, rng=random.Random(1), host="house", port=5000)


@pytest.mark.virtual
@pytest.mark.parametrize(
    ("case", "code", "words"),
    [
        ("unknown host", ReasonCode.UNREACHABLE, "the host name nowhere.invalid is not known"),
        ("refused", ReasonCode.UNREACHABLE, "house:5000 refused the connection"),
        ("silent host", ReasonCode.UNREACHABLE, "house:5000 does not answer within 3 s"),
        ("accepts and says nothing", ReasonCode.SILENT, "no answer to the login"),
        ("refused login", ReasonCode.LOGIN_REFUSED, "the device refused the user name or password"),
        ("off at start", ReasonCode.UNREACHABLE, "house:5000 refused the connection"),
        ("plain text", ReasonCode.INSECURE, "a login without obfuscation"),
    ],
)
async def test_what_keeps_a_device_away_is_said_and_tried_again(
    case: str, code: ReasonCode, words: str
) -> None:
    """The reason names what is wrong and what to do; once it is mended the device is back by itself or on request."""
    host = loop().network.host("house")
    device = controller(is_obfuscated=case != "plain text")
    if case == "accepts and says nothing":
        device.behave(is_stalled=True)
    async with device:
        if case == "silent host":
            host.blackhole()
        if case in ("refused", "off at start"):
            host.refuse()
        url = "tcp://nowhere.invalid" if case == "unknown host" else "tcp://house"
        password = "wrong" if case == "refused login" else "secret"
        async with holdfast.open_site(mapping(url, password), clock=LoopClock(loop())) as site:
            await asyncio.sleep(30)
            house = site.hub.device("house")
            states = [house.availability]
            assert house.reason.code is code
            assert words in house.reason.text
            assert house.reason.advice
            assert house.reason.next_try_at is not None
            assert site.reading("house/kitchen").value is None
            tries = next(iter(site.hub.links.values())).report.dials
            assert tries == 1 if code in (ReasonCode.LOGIN_REFUSED, ReasonCode.INSECURE) else tries > 4
            host.restore()
            host.accept()
            device.behave(is_stalled=False)
            if case not in ("unknown host", "refused login", "plain text"):
                await asyncio.sleep(8)
                assert [*states, house.availability] == [Availability.OFFLINE, Availability.ONLINE]
            else:
                assert states == [Availability.OFFLINE]


SITE = """\
site: {id: home, name: Home}
devices:
  - id: house
    adapters:
      - {id: lan, driver: ipcom, url: "tcp://192.168.1.50", username: me, password: {env: HOUSE_PASSWORD}}
    outputs:
      kitchen: {module: 1, output: 1, kind: light}
      blind: {kind: cover, up: {module: 5, output: 8}, down: {module: 5, output: 7}}
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("kind: light}", "kind: light", 8, ""),
        ("    outputs:", "    ouputs:", 6, "outputs"),
        ("blind: {kind", "hall: {module: 1, output: 1, kind: light}\n      blind: {kind", 8, "kitchen"),
        (", down: {module: 5, output: 7}", "", 8, "down"),
        ("down: {module: 5, output: 7}", "down: {module: 5, output: 8}", 8, "module 5"),
        ("driver: ipcom", "driver: ipkom", 5, "ipcom"),
        ("module: 1,", "module: 17,", 7, "1 to 16"),
        ("{env: HOUSE_PASSWORD}", "{env: NOT_SET}", 5, "NOT_SET is not set"),
        ("{env: HOUSE_PASSWORD}", "{file: no/such/file}", 5, "no/such/file"),
        ("{env: HOUSE_PASSWORD}", "hunter22", 5, "env"),
    ],
    ids=[
        "yaml syntax", "unknown key", "duplicate output", "cover without partner", "both relays on one output",
        "unknown driver", "no such module", "missing variable", "missing secret file", "password in the file",
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_site_file_is_said_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, words: str
) -> None:
    """File, line, what is wrong and what would be right; never a traceback, never the secret."""
    path = tmp_path / "site.yaml"
    assert old in SITE
    path.write_text(SITE.replace(old, new))
    with pytest.raises(SiteError) as caught:
        load_site(path, FAMILIES, environ={"HOUSE_PASSWORD": "topsecret"})
    text = str(caught.value)
    assert f"site.yaml:{line}" in text
    assert words in text
    assert "topsecret" not in text
    assert "hunter22" not in text


def test_a_right_site_file_is_read(tmp_path: Path) -> None:
    """The file that the others are bent from is fine."""
    path = tmp_path / "site.yaml"
    path.write_text(SITE)
    spec = load_site(path, FAMILIES, environ={"HOUSE_PASSWORD": "topsecret"})
    assert [device.device.id for device in spec.devices] == ["house"]
    assert "topsecret" not in repr(spec)
