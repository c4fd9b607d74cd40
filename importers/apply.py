"""Applying: plans are settled and written, whatever else happens to the same assignments."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncpg

from importers.changes import Assign
from importers.errors import ErrorDetail, RetryableError
from importers.settle import Scene, Settled, failure, settle
from models.assignment import AssignmentRaceError, present_assignments, write_edits
from models.db import is_passing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asyncpg import Connection

    from importers.base import Importer
    from importers.claims import Claims
    from importers.plan import Plan
    from importers.read import Layout
    from models.progress import Work

logger = logging.getLogger(__name__)

_MOST_RACES = 5


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
            RetryableError: others keep changing the same assignments.
        """
        for _ in range(_MOST_RACES):
            try:
                async with self.db.transaction():
                    return await self._settle_and_write(plans)
            except AssignmentRaceError:
                continue
            except asyncpg.PostgresError as error:
                if is_passing(error):
                    raise
                return await self._narrow_down(plans, error)
        raise RetryableError("the same assignments kept changing under this chunk")

    async def _settle_and_write(self, plans: Sequence[Plan]) -> Settled:
        changes = [planned for plan in plans for planned in plan.changes]
        writes_over = any(not isinstance(change, Assign) for _, change in changes)
        present = await present_assignments(
            self.db,
            [pair for pair, _ in changes],
            lock=writes_over and not self.work.is_dry_run,
        )
        scene = Scene(
            importer=self.importer,
            layout=self.layout,
            claims=self.claims,
            present=present,
            role_keys=self.role_keys,
        )
        settled = settle(plans, scene)
        if self.work.is_dry_run:
            return Settled(settled.results, [], [])
        await write_edits(self.db, self.work.app_id, self.work.id, settled.edits)
        return settled

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
            "the database refused row %d of import %d; the row fails",
            row.number,
            self.work.id,
            exc_info=error,
        )
        refused = ErrorDetail(
            code="NOT_WRITTEN", message="The database refused this row; the log says why."
        )
        for pair, _ in plans[0].changes:
            self.claims[pair].errors = (refused,)
        return Settled([failure(row, [refused])], [], [])
