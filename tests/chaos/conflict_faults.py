"""Imports that change the same pairs at the same time."""

from __future__ import annotations

import asyncio
import base64

from tests.chaos.conflicting_files import ConflictingFiles
from tests.chaos.fault import Fault
from tests.chaos.run import Run


async def _same_pairs(run: Run) -> None:
    dataset = (await run.write("assign" if run.random.random() < 0.5 else "modify")).dataset
    files = ConflictingFiles.of(dataset, run.rows, run.random)
    ids = await asyncio.gather(
        *(
            run.send(intent.type, f"{dataset.prefix}-{side}", files.content(side))
            for side, intent in enumerate(files.intents)
        )
    )
    run.strike()
    run.over()
    first, second = (int(base64.b64decode(id_).decode().partition(":")[2]) for id_ in ids)
    await run.ended([first, second])
    await files.check(run.site, (first, second), run.findings)


FAULTS = [
    Fault(
        name="same-pairs",
        promise="When two imports change the same pairs at the same time, each pair gets one before"
        " the other; no row fails for a deadlock.",
        stage=_same_pairs,
        rows=6_000,
    ),
]
