"""People who leave are taken off their cases, while others put them on new ones and workers die."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from tests.chaos.check import read_results
from tests.chaos.dataset import Dataset, Pair
from tests.chaos.example_site import site_with
from tests.chaos.fault import Fault
from tests.chaos.known_file import HEADERS, Expected
from tests.chaos.run import Run, key_of
from tests.chaos.site import Site

_KILLS = 3


async def _leave(run: Run) -> None:
    """Import a file of leavers and one that puts them on cases; kill workers meanwhile."""
    dataset = (await run.write("remove")).dataset
    new = [pair for pair in dataset.pairs("open", run.random) if pair not in dataset.present]
    leavers = "".join(f"{user}@example.org\n" for user in dataset.user_keys)
    assigned = "".join(f"{case},{user},,staff,0\n" for case, user in new)
    ids = await asyncio.gather(
        run.send("acme-leavers", f"{dataset.prefix}-leave", f"person\n{leavers}".encode()),
        run.send("assign", f"{dataset.prefix}-join", f"{HEADERS['assign']}\n{assigned}".encode()),
    )
    await run.kill_workers(_KILLS)
    left, joined = map(key_of, ids)
    await run.ended([left, joined])
    await _check(run, dataset, new, left=left, joined=joined)


async def _check(run: Run, dataset: Dataset, new: list[Pair], *, left: int, joined: int) -> None:
    """Check that for each leaver, one file came before the other."""
    findings = run.findings
    stored = await _stored(run.site, dataset.prefix, left=left, joined=joined)
    findings.count("assigned", new, stored.joined)
    findings.count("removed or still there", [*dataset.present, *new],
                   [*stored.left, *stored.present])  # fmt: skip
    first_removal: dict[str, int] = {}
    for (_, user), number in stored.left.items():
        first_removal[user] = min(number, first_removal.get(user, number))
    for case, user in stored.present:
        # What was written before a leaver's removals was committed before, or kept from it.
        number = stored.joined.get((case, user), 0)
        if number < first_removal.get(user, 0):
            findings.fault(f"{user} has left, and is on {case}, where it was before")
    results = [*stored.results, *stored.joined_results]
    findings.count("result", [Expected("PASSED")] * len(results),
                   [each._replace(outcome=None) for each in results])  # fmt: skip
    findings.compare("results", len(dataset.user_keys) + len(new), len(results))
    findings.rows += len(results)


class _Stored(NamedTuple):
    """What is stored: pairs that were removed, assigned, with the keys of their history; and left
    over."""

    left: dict[Pair, int]
    joined: dict[Pair, int]
    present: list[Pair]
    results: list[Expected]
    joined_results: list[Expected]


async def _stored(site: Site, prefix: str, *, left: int, joined: int) -> _Stored:
    db = await site.connect()
    try:
        history = await db.fetch(
            "SELECT h.import_id, c.tag_id, u.tag_id, h.id FROM assignment_history h"
            " JOIN cases c ON c.id = h.case_id JOIN users u ON u.id = h.user_id"
            " WHERE h.import_id = ANY($1)",
            [left, joined],
        )
        present = await db.fetch(
            "SELECT c.tag_id, u.tag_id FROM assignments a JOIN cases c ON c.id = a.case_id"
            " JOIN users u ON u.id = a.user_id WHERE c.tag_id LIKE $1 || '-%'",
            prefix,
        )
        results = [[each for _, each in await read_results(db, key)] for key in (left, joined)]
    finally:
        await db.close()
    changes: dict[int, dict[Pair, int]] = {left: {}, joined: {}}
    for key, case, user, number in history:
        changes[key][case, user] = number
    pairs = [(case, user) for case, user in present]
    return _Stored(changes[left], changes[joined], pairs, *results)


FAULTS = [
    Fault(
        name="leavers",
        promise="When people leave while others put them on cases, and workers are killed, no"
        " leaver is left on a case that was assigned before.",
        stage=_leave,
        rows=3_000,
        site=site_with("acme-leavers"),
    ),
]
