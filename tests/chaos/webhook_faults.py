"""Faults of the receivers of webhooks; that of every site refuses messages now and then."""

from __future__ import annotations

from tests.chaos.fault import Fault
from tests.chaos.run import Run


async def _hang(run: Run) -> None:
    hook_server = run.site.hook_server
    hook_server.is_there.clear()
    try:
        await run.begin()
        await run.moment()
        run.strike()
        run.over()
        # Imports end while each message hangs.
        await run.ended()
    finally:
        hook_server.is_there.set()
    await run.finish()


FAULTS = [
    Fault(
        name="receiver-hangs",
        promise="While the receiver of webhooks hangs, imports go on; it is told later.",
        stage=_hang,
    ),
]
