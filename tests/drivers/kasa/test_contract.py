"""The driver keeps the contract, with each language that a plug may speak."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdfast.link.driver import Trait
from holdfast.testing import DriverContract
from tests.drivers.kasa.bench import KasaBench
from tests.drivers.kasa.fake_kasa import FakePlug

if TYPE_CHECKING:
    from holdfast.simulation import VirtualLoop

TRAITS = Trait.POLLED | Trait.WRITES | Trait.LIBRARY | Trait.LOGIN

pytestmark = pytest.mark.virtual


class TestKlap(DriverContract, traits=TRAITS):
    """A plug with the legacy commands behind a login."""

    def make_bench(self, loop: VirtualLoop) -> KasaBench:
        return KasaBench(loop, FakePlug(encryption="KLAP", login_version=2, is_metered=True))


class TestSmart(DriverContract, traits=TRAITS):
    """A plug with the newer commands."""

    def make_bench(self, loop: VirtualLoop) -> KasaBench:
        return KasaBench(loop, FakePlug(family="SMART.KASAPLUG", encryption="KLAP", is_metered=True))
