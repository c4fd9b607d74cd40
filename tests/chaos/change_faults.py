"""Rows that make several changes, groups of rows, and a plugin's own table, while workers die."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from tests.chaos.check import read_results
from tests.chaos.dataset import ROLES, Dataset, Pair, State
from tests.chaos.example_site import site_with
from tests.chaos.fault import Fault
from tests.chaos.known_file import HEADERS
from tests.chaos.run import Run, key_of

_KILLS = 3
_SPOILT = 0.1
_SITE = site_with("acme-rates", "acme-transfer")


async def _sync(run: Run) -> None:
    """Import who is on some cases; of a few, one row is wrong, so that nobody leaves them."""
    dataset = (await run.write("remove")).dataset
    random, after = run.random, dict(dataset.present)
    lines, wrong = [], 0
    for case in random.sample(dataset.open_cases, len(dataset.open_cases) * 3 // 4):
        users = random.sample(dataset.active_users, random.randint(1, len(dataset.active_users)))
        is_spoilt = random.random() < _SPOILT
        wrong += is_spoilt
        if not is_spoilt:
            after = {pair: state for pair, state in after.items() if pair[0] != case}
        for user in users:
            after[case, user] = State(random.choice(ROLES), notify=False)
            lines.append(f"{case},{user},,{after[case, user].role},0")
        lines += [f"{case},nobody,,staff,0"] * is_spoilt
    random.shuffle(lines)
    file = "\n".join([HEADERS["assign"], *lines, ""])
    key = await _import_with_kills(run, "sync", dataset, file)
    await _check_results(run, key, rows=len(lines), wrong=wrong)
    await _check_assignments(run, dataset, key, after)


async def _transfer(run: Run) -> None:
    """Import who takes over whose cases: each row changes all cases of a person."""
    dataset = (await run.write("remove")).dataset
    users, after = dataset.active_users, dict(dataset.present)
    run.random.shuffle(users)
    handovers = list(pairwise(users))[::2]
    for source, target in handovers:
        for case in dataset.open_cases:
            if state := after.pop((case, source), None):
                after.setdefault((case, target), State(state.role, notify=False))
    lines = [f"{source},{target}" for source, target in handovers]
    key = await _import_with_kills(run, "acme-transfer", dataset, "\n".join(["from,to", *lines]))
    await _check_results(run, key, rows=len(lines), wrong=0)
    await _check_assignments(run, dataset, key, after)


async def _set_rates(run: Run) -> None:
    """Import rates of cases into a table that a plugin has declared."""
    dataset = (await run.write("remove")).dataset
    rates = {case: run.random.randint(1, 500) * 100 for case in dataset.open_cases}
    lines = [f"{case},{cents // 100},EUR" for case, cents in rates.items()]
    file = "\n".join(["case_id,rate,currency", *lines, "nowhere,1,EUR"])
    key = await _import_with_kills(run, "acme-rates", dataset, file)
    await _check_results(run, key, rows=len(lines) + 1, wrong=1)
    found = await run.site.query(
        "SELECT c.tag_id, r.cents FROM acme_rates r JOIN cases c ON c.id = r.case_id"
        " WHERE c.tag_id LIKE $1 || '-%'",
        dataset.prefix,
    )
    run.findings.count("rate", rates.items(), map(tuple, found))
    history = await run.site.query(
        "SELECT c.tag_id, h.before FROM entity_history h JOIN cases c ON c.id = h.case_id"
        " WHERE h.import_id = $1",
        key,
    )
    created = [(case, None) for case in rates]
    run.findings.count("history of the rate of", created, map(tuple, history))


async def _import_with_kills(run: Run, type_: str, dataset: Dataset, file: str) -> int:
    """Import a file while workers are killed; return the import's key."""
    key = key_of(await run.send(type_, f"{dataset.prefix}-{type_}", file.encode()))
    await run.kill_workers(_KILLS)
    await run.ended([key])
    return key


async def _check_results(run: Run, key: int, *, rows: int, wrong: int) -> None:
    """Check that each row has one result, and that the import counts them."""
    db = await run.site.connect()
    try:
        results = await read_results(db, key)
        counted = await db.fetchrow(
            "SELECT total, passed, failed, pending FROM imports WHERE id = $1", key
        )
    finally:
        await db.close()
    run.findings.count("result of row", range(2, rows + 2), [number for number, _ in results])
    failed = sum(result.status == "FAILED" for _, result in results)
    run.findings.compare("failed rows", wrong, failed)
    run.findings.compare("counters", (rows, rows - wrong, wrong, 0), tuple(counted))
    run.findings.rows += len(results)


async def _check_assignments(
    run: Run, dataset: Dataset, key: int, after: Mapping[Pair, State]
) -> None:
    """Check what is assigned in the end, and that history has each change once."""
    found = await run.site.query(
        "SELECT c.tag_id, u.tag_id, r.key, a.notify FROM assignments a"
        " JOIN cases c ON c.id = a.case_id JOIN users u ON u.id = a.user_id"
        " JOIN roles r ON r.id = a.role_id WHERE c.tag_id LIKE $1 || '-%'",
        dataset.prefix,
    )
    expected = [(*pair, *state) for pair, state in after.items()]
    run.findings.count("assignment", expected, map(tuple, found))
    history = await run.site.query(
        "SELECT c.tag_id, u.tag_id, b.key, a.key FROM assignment_history h"
        " JOIN cases c ON c.id = h.case_id JOIN users u ON u.id = h.user_id"
        " LEFT JOIN roles b ON b.id = h.before_role_id LEFT JOIN roles a ON a.id = h.after_role_id"
        " WHERE h.import_id = $1",
        key,
    )
    run.findings.count("history", _changes(dataset.present, after), map(tuple, history))


def _changes(before: Mapping[Pair, State], after: Mapping[Pair, State]) -> list[tuple[object, ...]]:
    pairs = [pair for pair in before | after if before.get(pair) != after.get(pair)]
    return [
        (*pair, *(state and state.role for state in (before.get(pair), after.get(pair))))
        for pair in pairs
    ]


FAULTS = [
    Fault(
        name="syncs",
        promise="When workers are killed while a file says who is on cases, each case has the"
        " people of its rows; a case with a wrong row loses nobody.",
        stage=_sync,
        rows=3_000,
        site=_SITE,
    ),
    Fault(
        name="transfers",
        promise="When workers are killed while people take over cases, each row is done as a"
        " whole, and once.",
        stage=_transfer,
        rows=3_000,
        site=_SITE,
    ),
    Fault(
        name="own-tables",
        promise="When workers are killed while a plugin writes to its own table, the table and"
        " its history have each row once.",
        stage=_set_rates,
        rows=30_000,
        site=_SITE,
    ),
]
