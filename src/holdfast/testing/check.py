"""Running one clause against one driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.simulation import EndlessInstant, NothingScheduled, run_virtual
from holdfast.testing.clause import Broken, ContractBroken
from holdfast.testing.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.simulation import VirtualLoop
    from holdfast.testing.bench import Bench
    from holdfast.testing.clause import Clause


def check(make_bench: Callable[[VirtualLoop], Bench], clause: Clause, *, seed: int = 0) -> None:
    """Play the clause's scenario; raises `ContractBroken` if the driver breaks it."""

    async def main(loop: VirtualLoop) -> None:
        stage = Stage(loop, make_bench(loop))
        with stage.watch.no_blocking():
            await stage.bench.start()
            try:
                await clause.scenario(stage)
            finally:
                await stage.bench.stop()
        stage.require_none(stage.watch.escaped)

    try:
        run_virtual(main, seed=seed, allow_leftovers=True)
    except (Broken, EndlessInstant, NothingScheduled) as seen:
        raise ContractBroken(clause, str(seen)) from seen
