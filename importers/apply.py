"""Applying: plans are settled and written, whatever else happens to the same assignments."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import asyncpg

from importers.changes import Assign, OwnChange, Transaction
from importers.errors import ErrorDetail, RetryableError
from importers.own import OwnChangeError, carry_out, own_changes
from importers.plan import importer_error
from importers.settle import WRITTEN, Scene, Settled, failure, settle
from models.assignment import present_assignments, write_edits
from models.db import RaceError, is_passing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asyncpg import Connection

    from importers.base import Importer
    from importers.changes import Change, Key
    from importers.claims import Claims
    from importers.plan import Plan
    from importers.read import Layout
    from models.assignment import Pair, Present
    from models.progress import Work

logger = logging.getLogger(__name__)

_MOST_RACES = 5


class _UndoError(Exception):
    """What was written is to be undone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applier:
    """Writes what plans come to in a few statements, within the chunk's transaction.

    Args:
        claims: those that the plans were made with.
        role_keys: the app's roles by primary key.
    """

    db: Connection
    work: Work
    importer: Importer
    layout: Layout
    claims: Claims
    role_keys: Mapping[int, str]

    async def apply(self, plans: Sequence[Plan]) -> Settled:
        """Apply the plans; a row that the database refuses fails alone.

        Raises:
            RetryableError: others keep changing the same things.
        """
        for _ in range(_MOST_RACES):
            try:
                return await self._settle_and_write(plans)
            except RaceError:
                continue
            except (asyncpg.PostgresError, OwnChangeError) as error:
                if is_passing(error):
                    raise
                return await self._narrow_down(plans, error)
        raise RetryableError("the same things kept changing under this chunk")

    async def _settle_and_write(self, plans: Sequence[Plan]) -> Settled:
        """Do all or nothing of each row: when one has failed after a part of it was done, all is
        undone and done again without that row."""
        while True:
            spoilt: Mapping[int, tuple[ErrorDetail, ...]] = {}
            with suppress(_UndoError):
                async with self.db.transaction():
                    scene = await self._scene(plans)
                    settled = settle(plans, scene)
                    spoilt = _spoilt(plans, scene)
                    if spoilt or self.work.is_dry_run:
                        raise _UndoError
                    await write_edits(self.db, self.work.app_id, self.work.id, settled.edits)
            if spoilt:
                plans = [
                    replace(plan, errors=spoilt.get(plan.row.number, plan.errors)) for plan in plans
                ]
            elif self.work.is_dry_run:
                return Settled(settled.results, [], [])
            else:
                return settled

    async def _scene(self, plans: Sequence[Plan]) -> Scene:
        """Carry out the changes of own kinds, and read what the others are to change."""
        own = own_changes(
            [each for plan in plans if not (plan.errors or plan.row.is_context)
             for each in plan.changes]
        )  # fmt: skip
        work = self.work
        transaction = Transaction(
            db=self.db, app_id=work.app_id, import_id=work.id, is_dry_run=work.is_dry_run
        )
        return Scene(
            importer=self.importer,
            layout=self.layout,
            claims=self.claims,
            applied=await carry_out(own, transaction),
            present=await self._present([each for plan in plans for each in plan.changes]),
            role_keys=self.role_keys,
        )

    async def _present(
        self, changes: Sequence[tuple[tuple[Key, ...], Change]]
    ) -> dict[Pair, Present]:
        others = [each for each in changes if not isinstance(each[1], OwnChange)]
        if not others:
            return {}
        writes_over = any(not isinstance(change, Assign) for _, change in others)
        pairs = [cast("Pair", keys[0]) for keys, _ in others]
        return await present_assignments(
            self.db, pairs, lock=writes_over and not self.work.is_dry_run
        )

    async def _narrow_down(self, plans: Sequence[Plan], error: Exception) -> Settled:
        """Apply each half on its own, down to the row at fault."""
        if len(plans) > 1:
            half = len(plans) // 2
            first, second = await self.apply(plans[:half]), await self.apply(plans[half:])
            return Settled(
                first.results + second.results,
                first.edits + second.edits,
                first.notices + second.notices,
            )
        row = plans[0].row
        logger.error(
            "the %s refused row %d of import %d; the row fails",
            "importer" if isinstance(error, OwnChangeError) else "database",
            row.number,
            self.work.id,
            exc_info=error,
        )
        refused = _not_written(error)
        for keys, _ in plans[0].changes:
            for key in keys:
                self.claims[key].errors = (refused,)
        return Settled([failure(row, [refused])], [], [])


def _not_written(error: Exception) -> ErrorDetail:
    if isinstance(error, OwnChangeError):
        return importer_error("the importer failed on this row; its log says why.")
    return ErrorDetail(
        code="NOT_WRITTEN", message="The database refused this row; the log says why."
    )


def _spoilt(plans: Sequence[Plan], scene: Scene) -> dict[int, tuple[ErrorDetail, ...]]:
    """Return the errors of rows that have failed although a change of theirs was made."""
    if not scene.applied:
        return {}
    found = {}
    for plan in plans:
        if plan.errors or plan.row.is_context:
            continue
        made = [scene.applied[keys].outcome in WRITTEN for keys, _ in own_changes(plan.changes)]
        if any(made) and (errors := scene.claims[plan.changes[0][0][0]].errors):
            found[plan.row.number] = tuple(errors)
    return found
