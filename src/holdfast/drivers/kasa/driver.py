"""What the core needs to know of a Kasa or Tapo plug: one adapter of one device, ready to be linked."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from holdfast.drivers.kasa.discovery import discovery
from holdfast.drivers.kasa.library import Load, load_library
from holdfast.drivers.kasa.memory import PlugMemory
from holdfast.drivers.kasa.options import parse_options
from holdfast.drivers.kasa.planner import GROUP, KasaPlanner
from holdfast.drivers.kasa.plug import OPEN_S, KasaPlug
from holdfast.drivers.kasa.state import POLL_S, SET_S, capabilities, learning, projection
from holdfast.link.coro import CoroSession
from holdfast.link.driver import Driver, Family, LinkTiming, Poll, Trait
from holdfast.link.session import Endpoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.link.session import Session, Sink
    from holdfast.model import Adapter, Device

REPLY_S: Final = SET_S + 0.5
"""The core's own deadline lies behind those of the driver's calls, so that a late call is told in its words."""
SILENCE_S: Final = 25.0
"""Two polls and an answer fit into it, and it lies below the 30 s after which a reading is stale."""


def family(load: Load = load_library) -> Family:
    """The family, with another library than the installed one."""
    return Family("kasa", partial(_prepare, load), discovery(load))


def _prepare(load: Load, device: Device, adapter: Adapter) -> Driver:
    """Read the options and make the driver; raises `ConfigurationError` with the path to what is wrong.

    Who the plug is, and where and how it was last reached, is remembered here.
    """
    options = parse_options(device, adapter)
    library = load()
    memory = PlugMemory(options.mac, options.told)

    def connect(drivers: Sequence[Driver], sink: Sink) -> Session:
        return CoroSession(KasaPlug(library, options, memory), sink)

    return Driver(
        name=KASA.name,
        traits=Trait.POLLED | Trait.WRITES | Trait.LIBRARY | Trait.LOGIN,
        # Two device objects for one plug share nothing, and plugs take few connections: fact sheet section 4.
        endpoint=Endpoint("kasa", options.address, options.host, is_exclusive=True),
        connect=connect,
        capabilities=capabilities(options),
        timing=LinkTiming(
            silence_s=SILENCE_S,
            dial_s=OPEN_S / 2,
            login_first_s=OPEN_S / 2,
            login_s=OPEN_S / 2,
            ack_s=REPLY_S,
            reread_s=0.0,
        ),
        project=projection(options),
        polls=[Poll("state", "", GROUP, POLL_S, REPLY_S)],
        planner=KasaPlanner(options.dead_man_s),
        is_guarding=options.dead_man_s > 0.0 or options.expects_energy is not False,
        learn=learning(options),
        remembers=memory,
        options=options,
    )


KASA: Final = family()
"""Plugs of the Kasa and Tapo makes, one relay each."""
