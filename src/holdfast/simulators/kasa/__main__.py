"""``python -m holdfast.simulators.kasa``: one plug on a real port, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import sys
from typing import TYPE_CHECKING

from holdfast.simulators.kasa.firmware import LEGACY, klap_v1, klap_v2, smart
from holdfast.simulators.kasa.klap import Account
from holdfast.simulators.kasa.plug import Identity, Plug
from holdfast.simulators.kasa.station import KasaPlug
from holdfast.simulators.kasa.timetable import PROFILES, random_timetable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.simulators.kasa.firmware import Firmware
    from holdfast.simulators.kasa.truth import RelayChange

HOURS = 24 * 7
"""How long the timetable of faults lasts; after that all is calm."""

KINDS = ("legacy", "klap1", "klap2", "smart")


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve a plug; returns the exit code. The first line printed names the address, the next ones the relay."""
    parser = argparse.ArgumentParser(prog="python -m holdfast.simulators.kasa", description=main.__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9999, help="0 takes any free one (default: %(default)s)")
    parser.add_argument("--kind", choices=KINDS, default="legacy", help="what it speaks")
    parser.add_argument("--user", default="", help="account of a plug that has logins")
    parser.add_argument("--password", default="", help="its password")
    parser.add_argument("--mac", default=Identity.mac)
    parser.add_argument("--alias", default=Identity.alias)
    parser.add_argument("--load", type=float, default=60.0, metavar="W", help="what hangs on it")
    parser.add_argument(
        "--discovery-port", type=int, help="answer the newer discovery there (20002 on a real plug)"
    )
    parser.add_argument(
        "--profile", choices=sorted(PROFILES), default="calm", help="how often things go wrong"
    )
    parser.add_argument("--seed", type=int, default=1, help="equal seeds give equal faults")
    options = parser.parse_args(arguments)
    rng = random.Random(options.seed)
    plug = Plug(Identity(mac=options.mac, alias=options.alias), load_w=options.load)
    station = KasaPlug(
        plug,
        _firmware(options.kind, Account(options.user, options.password)),
        rng=rng,
        host=options.host,
        legacy_port=options.port if options.kind == "legacy" else 0,
        http_port=0 if options.kind == "legacy" else options.port,
        discovery_port=options.discovery_port,
        timetable=random_timetable(rng, HOURS, options.profile),
    )
    try:
        asyncio.run(_serve(station))
    except KeyboardInterrupt:
        return 0
    except OSError as error:
        sys.stderr.write(f"cannot listen on {options.host}:{options.port}: {error.strerror or error}\n")
        return 1
    return 0


def _firmware(kind: str, account: Account) -> Firmware:
    match kind:
        case "klap1":
            return klap_v1(account)
        case "klap2":
            return klap_v2(account)
        case "smart":
            return smart(account)
        case _:
            return LEGACY


async def _serve(station: KasaPlug) -> None:
    is_enough = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, is_enough.set)
        except NotImplementedError:  # Windows: Ctrl-C arrives as KeyboardInterrupt
            break
    station.plug.watch(_tell)
    async with station:
        sys.stdout.write(f"listening on {station.host}:{station.port}\n")
        sys.stdout.flush()
        await is_enough.wait()


def _tell(change: RelayChange) -> None:
    sys.stdout.write(f"{'on' if change.is_on else 'off'} ({change.cause})\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
