"""Imports that get in each other's way."""

from __future__ import annotations

import asyncio
import base64

from tests.chaos.contest import Contest
from tests.chaos.fault import Fault
from tests.chaos.run import Run


async def _same_pairs(run: Run) -> None:
    people = (await run.write("assign" if run.random.random() < 0.5 else "modify")).people
    contest = Contest.of(people, run.rows, run.random)
    ids = await asyncio.gather(
        *(
            run.send(wish.type, f"{people.prefix}-{side}", contest.content(side))
            for side, wish in enumerate(contest.wishes)
        )
    )
    run.strike()
    run.over()
    first, second = (int(base64.b64decode(id_).decode().partition(":")[2]) for id_ in ids)
    await run.ended([first, second])
    await contest.check(run.site, (first, second), run.findings)


FAULTS = [
    Fault(
        name="same-pairs",
        promise="Of two imports over the same pairs at once each pair sees one before the other; no"
        " row fails for a deadlock.",
        stage=_same_pairs,
        rows=6_000,
    ),
]
