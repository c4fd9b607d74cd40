"""Imports, plans, undos, retries and other people's changes in any order, against a plain model."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import pytest

from importers.plan_requests import request_apply, request_release
from importers.request_error import RequestError
from importers.sdk.errors import RetryableError
from importers.undo.undo_request import request_undo
from models.audit import COMMAND_LINE, Actor
from models.db import transaction
from models.new_import import NewName
from models.progress import request_cancel
from models.row import row_number
from tests.importers.engine_fixture import EngineFixture

OTHER = Actor("another", 7)
ROLES = ["staff", "clients", "default"]

Pair = tuple[int, int]
Side = tuple[int, bool] | None


class Step(NamedTuple):
    """A change of an assignment, as the history has it."""

    id: int
    import_id: int
    row: int
    pair: Pair
    before: Side
    after: Side


class Planned(NamedTuple):
    """What a row of a plan would do to one assignment."""

    pair: Pair
    outcome: str
    before: Side
    after: Side


class Stored(NamedTuple):
    """Everything that the model compares."""

    assignments: Mapping[Pair, Side]
    closed: set[int]
    disabled: set[int]
    steps: list[Step]


async def read_stored(world: EngineFixture) -> Stored:
    rows = await world.fetch("SELECT case_id, user_id, role_id, notify FROM assignments")
    closed = await world.fetch("SELECT id FROM cases WHERE NOT is_active")
    disabled = await world.fetch("SELECT id FROM users WHERE NOT is_active")
    steps = await world.fetch(
        "SELECT id, import_id, row, case_id, user_id, before_role_id, before_notify,"
        " after_role_id, after_notify FROM assignment_history ORDER BY id"
    )
    return Stored(
        {(row[0], row[1]): (row[2], row[3]) for row in rows},
        {row[0] for row in closed},
        {row[0] for row in disabled},
        [
            Step(*row[:3], (row[3], row[4]), _side(row[5], row[6]), _side(row[7], row[8]))
            for row in steps
        ],
    )


def _side(role: int | None, notify: bool | None) -> Side:
    return None if role is None else (role, bool(notify))


async def read_planned(world: EngineFixture, plan: int) -> dict[int, Planned]:
    """Read what the rows of a plan would do that have passed and change one assignment."""
    results = await world.results(plan)
    rows = await world.fetch(
        "SELECT id, case_id, user_id, before, after FROM import_rows"
        " WHERE id > $1::bigint << 32 AND id < ($1 + 1) << 32 AND status = 1 AND outcome <> 4",
        plan,
    )
    return {
        row_number(row["id"]): Planned(
            (row["case_id"], row["user_id"]),
            results[row_number(row["id"])].what,
            _packed(row["before"]),
            _packed(row["after"]),
        )
        for row in rows
    }


def _packed(side: int | None) -> Side:
    return None if side is None else (side >> 1, bool(side & 1))


async def check_all(world: EngineFixture) -> None:
    """Hold what holds at any moment: history, results, counters and mails tell the same."""
    stored = await read_stored(world)
    replayed: dict[Pair, Side] = {}
    for step in stored.steps:
        assert replayed.get(step.pair) == step.before, step
        replayed[step.pair] = step.after
    assert {pair: side for pair, side in replayed.items() if side} == stored.assignments
    imports = await world.fetch(
        "SELECT id, is_dry_run, undo_of_id, type, status FROM imports ORDER BY id"
    )
    for each in imports:
        key = each["id"]
        await world.counts(key)
        own = [step for step in stored.steps if step.import_id == key]
        mailed = sorted(row for row, _ in await world.mails(key))
        if each["is_dry_run"]:
            assert (own, mailed) == ([], [])
            continue
        if each["undo_of_id"]:
            assert mailed == []
        elif each["type"] != "sync":
            assert mailed == sorted(step.row for step in own if step.after and step.after[1])
        if each["status"] == "HELD" or each["type"] == "sync":
            continue
        changed = {
            row: end.what
            for row, end in (await world.results(key)).items()
            if end.what in ("CREATED", "UPDATED", "REMOVED")
        }
        assert changed == {
            step.row: "CREATED" if not step.before else "UPDATED" if step.after else "REMOVED"
            for step in own
        }
        assert len(own) == len(changed)
    assert not await world.fetch("SELECT 1 FROM import_chunks")


def net_changes(steps: list[Step], import_id: int) -> dict[Pair, tuple[Side, Side]]:
    """Return what an import has made of each pair, as it was before, and as it has left it.

    What others have changed in between stays: then it is as it was before the first change after.
    """
    net: dict[Pair, tuple[Side, Side]] = {}
    for step in steps:
        if step.import_id != import_id:
            continue
        before, left = net.get(step.pair, (step.before, step.before))
        net[step.pair] = (before if left == step.before else step.before, step.after)
    return {pair: sides for pair, sides in net.items() if sides[0] != sides[1]}


class Story:
    """One random story in an app."""

    def __init__(self, world: EngineFixture, seed: int) -> None:
        self.world, self.random = world, random.Random(seed)
        self.cases, self.users = list(world.cases), list(world.users)
        self.done: list[int] = []
        self.plans: list[int] = []

    def rows(self, type_: str) -> list[str]:
        pick = self.random.choice
        return [
            {
                "assign": "{0},{1},,{2},{3}",
                "modify": "{0},{1},{2},{3}",
                "remove": "{1},{0}",
                "sync": "{0},{1},,{2},{3}",
            }[type_].format(
                pick([*self.cases * 5, "trv-9"]),
                pick(self.users),
                pick(ROLES),
                pick(["0", "0", "1", ""]),
            )
            for _ in range(self.random.randint(1, 9))
        ]

    async def upload(self, *, is_dry_run: bool = False) -> int:
        type_ = self.random.choices(["assign", "modify", "remove", "sync"], [5, 3, 2, 1])[0]
        key = await self.world.upload(
            type_,
            *self.rows(type_),
            is_dry_run=is_dry_run,
            is_atomic=self.random.random() < 0.15,
        )
        await self.world.queue.enqueue_split(key)
        (self.plans if is_dry_run else self.done).append(key)
        return key

    async def request(self, of: Callable[..., Any], *arguments: Any, **options: Any) -> int:
        async with transaction() as db:
            key = await of(db, self.world.app_id, *arguments, by=COMMAND_LINE, **options)
        await self.world.queue.enqueue_split(key)
        return int(key)

    async def apply(self) -> int:
        plan = self.random.choice(self.plans)
        key = await self.request(request_apply, plan, NewName())
        self.done.append(key)
        return key

    async def undo(self) -> int:
        is_dry_run = self.random.random() < 0.3
        of = self.random.choice(self.done)
        key = await self.request(request_undo, of, NewName(), is_dry_run=is_dry_run, within_days=30)
        (self.plans if is_dry_run else self.done).append(key)
        return key

    async def retry(self) -> int:
        key = self.random.choice(self.done + self.plans)
        case = {"case_id": self.random.choice(self.cases)}
        which: Any = self.random.choice([None, None, {self.random.randint(2, 9): case}])
        await self.world.request_retry(key, which)
        return key

    async def cancel(self) -> None:
        key = self.random.choice(self.done + self.plans)
        async with transaction() as db:
            await request_cancel(db, self.world.app_id, key, by=COMMAND_LINE)
        await self.world.queue.enqueue_split(key)
        await self.world.queue.enqueue_run(key)

    async def release(self) -> None:
        held = await self.world.fetch("SELECT id FROM imports WHERE status = 'HELD'")
        if held:
            key = self.random.choice(held)[0]
            async with transaction() as db:
                await request_release(db, self.world.app_id, key, by=OTHER)
            await self.world.queue.enqueue_split(key)

    async def change_others(self) -> None:
        table, tags = self.random.choice([("cases", self.cases), ("users", self.users)])
        tag = self.random.choice(tags)
        await self.world.set_active(table, tag, is_active=self.random.random() < 0.6)

    async def set_guard(self) -> None:
        await self.world.execute(
            "UPDATE apps SET requires_release = $1, remove_percent = $2, remove_at_least = 2",
            self.random.random() < 0.2,
            self.random.choice([None, None, None, 20]),
        )

    async def settle(self) -> None:
        """Do what the messages ask for, up to three at the same moment."""
        messages = self.world.queue.messages
        while messages:
            some = [
                messages.popleft() for _ in range(min(len(messages), self.random.randint(1, 3)))
            ]
            await asyncio.gather(*(self.work(*message) for message in some))
        await check_all(self.world)

    async def work(self, name: str, arguments: tuple[int, ...]) -> None:
        try:
            await getattr(self.world.engine, name)(*arguments)
        except RetryableError:
            self.world.queue.messages.append((name, arguments))

    async def alone(self) -> None:
        """Apply or undo while nothing else happens, and know the end of each row before."""
        step = self.random.choice([self.apply_alone, self.undo_alone])
        await step()

    async def apply_alone(self) -> None:
        plan = self.random.choice(self.plans)
        planned = await read_planned(self.world, plan)
        row = await self.world.fetchrow("SELECT type, is_atomic FROM imports WHERE id = $1", plan)
        before = await read_stored(self.world)
        key = await self.request(request_apply, plan, NewName())
        self.done.append(key)
        await self.settle()
        if row["type"] == "sync" or row["is_atomic"]:
            return
        if (await self.world.counts(key)).status in ("HELD", "CANCELLED"):
            return
        ends = await self.world.results(key)
        for number, (pair, outcome, old, _) in planned.items():
            is_same = before.assignments.get(pair) == old
            is_closed = pair[0] in before.closed and row["type"] in ("assign", "modify")
            is_disabled = pair[1] in before.disabled and row["type"] == "assign"
            if is_same and not is_closed and not is_disabled:
                assert ends[number].what == outcome
            else:
                assert "CHANGED_SINCE" in ends[number].codes
        after = await read_stored(self.world)
        wanted = dict(before.assignments)
        for number, (pair, _, _, new) in planned.items():
            if ends[number].what != "FAILED":
                wanted[pair] = new
        assert {pair: side for pair, side in wanted.items() if side} == after.assignments

    async def undo_alone(self) -> None:
        of = self.random.choice(self.done)
        before = await read_stored(self.world)
        key = await self.request(request_undo, of, NewName(), is_dry_run=False, within_days=30)
        self.done.append(key)
        await self.settle()
        if (await self.world.counts(key)).status in ("HELD", "CANCELLED"):
            return
        wanted = dict(before.assignments)
        for pair, (old, left) in net_changes(before.steps, of).items():
            if before.assignments.get(pair) == left:
                wanted[pair] = old
        after = await read_stored(self.world)
        assert {pair: side for pair, side in wanted.items() if side} == after.assignments

    async def tell(self, steps: int) -> None:
        world = self.world
        for _ in range(steps):
            choice = self.random.choices(
                [
                    self.upload, lambda: self.upload(is_dry_run=True), self.apply, self.undo,
                    self.retry, self.cancel, self.release, self.change_others, self.set_guard,
                    self.settle, self.alone,
                ],
                [4, 4, 3, 3, 2, 1, 3, 1, 0.5, 6, 12],
            )[0]  # fmt: skip
            with suppress(RequestError, IndexError):
                if choice == self.alone:
                    await self.settle()
                await choice()
            if self.random.random() < 0.3 and world.queue.messages:
                world.queue.messages.rotate(self.random.randint(0, 3))
                await self.work(*world.queue.messages.popleft())
        await self.settle()


@pytest.mark.parametrize("seed", range(15))
async def test_any_sequence(small: EngineFixture, seed: int) -> None:
    """Whatever is asked in whatever order, each row does what its result says, once."""
    await Story(small, seed).tell(40)
