"""The hub as a process, on one data folder over all its lives, and those who ask it: a person and the sensors."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import re
import secrets
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from holdfast.cli.client import HubClient
from holdfast.hub.site.write import dump_site
from tests.cli.house import Program, run
from tests.cli.plugs import ACCOUNT
from tests.live.fermenter.vessel import PASSWORD_ENV, Posted
from tests.live.fermenter.waiting import until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.cli.house import Ended
    from tests.live.fermenter.vessel import Vessel

START_S = 60.0
"""A busy machine takes seconds to import a program, and it takes longer beside others that are watched."""
STOP_S = 30.0
"""A hub takes up to 10 s for the proof that its plugs are off (design: timing), and a busy machine takes longer."""
POST_S = 5.0
"""How long a sensor waits for the hub's answer."""


class HubProcess:
    """`start`, then `stop` or `kill`, and `start` again: the site comes from the store the second time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self.said: list[str] = []
        """What each of its lives complained of."""
        self._tokens: dict[str, str] = {}
        self._program: Program | None = None

    # --- its lives -----------------------------------------------------------------------------------------------

    def write(self, vessels: Sequence[Vessel]) -> None:
        """The site file and the token file. The plugs must be running."""
        site = {
            "site": {"id": "cellar", "name": "Cellar"},
            "devices": [device for vessel in vessels for device in vessel.devices()],
            "controllers": [vessel.controller() for vessel in vessels],
        }
        (self.folder / "site.yaml").write_text(dump_site(site))
        senders = [vessel.device_id("beer") for vessel in vessels]
        self._tokens = {name: secrets.token_urlsafe(32) for name in ("brewer", *senders)}
        lines = [f"brewer:person:{self._tokens['brewer']}"]
        lines += [f"{name}:sends={name}:{self._tokens[name]}" for name in senders]
        tokens = self.folder / "tokens"
        tokens.touch(mode=0o600)
        tokens.write_text("\n".join(lines) + "\n")

    async def start(self) -> None:
        """Begin, with the site file if it is the first life."""
        is_first = not self.url
        site = ["--site", str(self.folder / "site.yaml")] if is_first else []
        program = Program("serve", *site, *self._usual, **{PASSWORD_ENV: ACCOUNT.password})
        self._program = program
        await until(lambda: program.lines or program.process.poll() is not None, START_S, "the hub is there")
        said = re.fullmatch(r"Holdfast is listening on (http://127\.0\.0\.1:\d+)\n", "".join(program.lines))
        assert said is not None, (program.lines, program.complaints)
        self.url = said[1]

    async def kill(self) -> float:
        """As by ``kill -9``, if it runs; the time of the loop just before."""
        t = asyncio.get_running_loop().time()
        if self._program is not None:
            self._program.process.send_signal(signal.SIGKILL)
        await self.stop()
        return t

    async def stop(self) -> None:
        """Ask it to end, and wait until it has. Nothing happens without one."""
        program, self._program = self._program, None
        if program is not None:
            self.said.append((await asyncio.to_thread(_stop, program)).err)

    async def second(self) -> Ended:
        """Try a second one on the same data folder."""
        return await asyncio.to_thread(run, "serve", *self._usual)

    @property
    def _usual(self) -> list[str]:
        data, tokens = self.folder / "data", self.folder / "tokens"
        return ["--data", str(data), "--port", "0", "--require-login", "--token-file", str(tokens)]

    # --- who asks it ---------------------------------------------------------------------------------------------

    @property
    def client(self) -> HubClient:
        """A person's."""
        return HubClient(self.url, self._tokens["brewer"])

    @property
    def environment(self) -> dict[str, str]:
        """For a person's command line."""
        return {"HOLDFAST_URL": self.url, "HOLDFAST_TOKEN": self._tokens["brewer"]}

    async def put_adapter(self, device_id: str, adapter: dict[str, Any]) -> None:
        """Change how a device is reached, as a person does."""
        path = f"devices/{device_id}/adapters/{adapter['id']}"
        await asyncio.to_thread(self.client.change_site, "PUT", path, adapter, dry_run=False)

    async def post(self, vessels: Sequence[Vessel]) -> None:
        """Each living sensor posts what it shows, with its own token. Nothing happens while there is no hub."""
        living = [vessel for vessel in vessels if vessel.probe.is_alive]
        await asyncio.to_thread(self._post, living)

    def _post(self, vessels: Sequence[Vessel]) -> None:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=POST_S)
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
            for vessel in vessels:
                sender = vessel.device_id("beer")
                body = json.dumps({"target": f"{sender}/temperature", "value": vessel.probe.shows_c})
                headers = {
                    "Content-Type": "application/json",
                    "Authorization": f"Bearer {self._tokens[sender]}",
                }
                begin_t = time.monotonic()  # the loop's own clock
                connection.request("POST", "/api/v1/readings", body, headers)
                answer = connection.getresponse()
                said = json.loads(answer.read())
                if answer.status == http.client.OK and said["accepted"] is True:
                    vessel.probe.posted.append(Posted(begin_t, time.monotonic()))


def _stop(program: Program) -> Ended:
    if program.process.poll() is None:
        program.process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):  # then it is killed, and its end is an error
        program.process.wait(STOP_S)
    return program.stop()
