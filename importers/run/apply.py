"""Applying: plans are settled and written, whatever else happens to the same assignments."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import asyncpg

from importers.run.custom_changes import OwnChangeError, carry_out, own_changes
from importers.run.plan_rows import importer_error
from importers.run.settle import WRITTEN, Scene, Settled, failure, settle
from importers.run.validation import Vetoes
from importers.sdk.changes import Assign, OwnChange, Transaction
from importers.sdk.entities import Case, User
from importers.sdk.errors import ErrorDetail
from models.assignment import present_assignments, write_edits
from models.db import RaceError, is_passing
from models.row import RowStatus
from models.write_many import lock_many

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asyncpg import Connection

    from importers.rows.layout import Layout
    from importers.run.current_assignments import Seen
    from importers.run.fast_path import Columnar
    from importers.run.plan_rows import PlannedRow
    from importers.run.seen_keys import SeenKeys
    from importers.sdk.changes import Change, Key
    from importers.sdk.directory import Directory
    from importers.sdk.importer import Importer
    from importers.sdk.validator import Validator
    from models.assignment import Edit, Pair, Present
    from models.progress import ImportWork
    from models.row import RowResult
    from models.write_one import Table

logger = logging.getLogger(__name__)

_SAMPLE = 50


class _UndoError(Exception):
    """What was written is to be undone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applier:
    """Writes what plans come to in a few statements, within the chunk's transaction.

    Args:
        validators: those that are on, in the order in which they are asked.
        claims: those that the plans were made with.
        seen: the present assignments that rows were told of.
        is_last: whether this is the last attempt, after others have lost a race.
    """

    db: Connection
    work: ImportWork
    importer: Importer
    validators: Sequence[Validator]
    layout: Layout
    directory: Directory
    claims: SeenKeys
    seen: Seen
    is_last: bool = False

    async def apply(self, plans: Sequence[PlannedRow]) -> Settled:
        """Apply the plans; a row that the database refuses fails alone.

        Raises:
            RaceError: somebody else has changed what the plans were made for; undo all.
        """
        try:
            return await self._settle_and_write(plans)
        except (asyncpg.PostgresError, OwnChangeError) as error:
            if is_passing(error):
                raise
            return await self._narrow_down(plans, error)

    async def _settle_and_write(self, plans: Sequence[PlannedRow]) -> Settled:
        """Do all or nothing of each row: when one has failed after a part of it was done, all is
        undone and done again without that row."""
        while True:
            spoilt: Mapping[int, tuple[ErrorDetail, ...]] = {}
            with suppress(_UndoError):
                async with self.db.transaction():
                    scene = await self._scene(plans)
                    settled = settle(plans, scene)
                    spoilt = _spoilt(plans, scene, settled.results)
                    if spoilt or self.work.is_dry_run:
                        raise _UndoError
                    await write_edits(self.db, self.work.app_id, self.work.id, settled.edits)
            if spoilt:
                plans = [
                    replace(plan, errors=spoilt.get(plan.row.number, plan.errors)) for plan in plans
                ]
            elif self.work.is_dry_run:
                return settled._replace(notices=[])
            else:
                return settled

    async def _scene(self, plans: Sequence[PlannedRow]) -> Scene:
        """Carry out the changes of own kinds, and read what the others are to change."""
        active = [plan for plan in plans if not (plan.errors or plan.row.is_context)]
        changes = [each for plan in active for each in plan.changes]
        roles = {role.id: role for role in (await self.directory.roles()).values()}
        vetoes = None
        if self.validators:
            await self._hold([change for _, change in changes])
            vetoes = Vetoes(importer=self.importer, layout=self.layout, roles=roles)
            await vetoes.prepare(self.validators, [change for _, change in changes], self.directory)
            if self.work.is_dry_run:
                await vetoes.note_undone(self.claims, self.directory)
        work = self.work
        transaction = Transaction(
            db=self.db, app_id=work.app_id, import_id=work.id, is_dry_run=work.is_dry_run
        )
        return Scene(
            importer=self.importer,
            layout=self.layout,
            claims=self.claims,
            applied=await carry_out(own_changes(changes), transaction, is_last=self.is_last),
            present=await self._present([each for plan in plans for each in plan.changes]),
            role_keys={key: role.key for key, role in roles.items()},
            vetoes=vetoes,
        )

    async def _hold(self, changes: Sequence[Change]) -> None:
        """Let nobody else change what validators count, until this chunk is done."""
        together = {each.together for each in self.validators}
        tables: dict[Table, str] = {"cases": "case", "users": "user"}
        for table, noun in tables.items():
            named = [getattr(each, noun, None) for each in changes]
            held = {entity.id for entity in named if isinstance(entity, Case | User)}
            if held and noun in together and not self.work.is_dry_run:
                await lock_many(self.db, self.work.app_id, table, held)

    async def _present(
        self, changes: Sequence[tuple[tuple[Key, ...], Change]]
    ) -> dict[Pair, Present]:
        """Read the assignments that are to be changed, and those that changes depend on.

        Raises:
            RaceError: they are no longer as the rows were told.
        """
        others = [each for each in changes if not isinstance(each[1], OwnChange)]
        pairs = {cast("Pair", keys[0]) for keys, _ in others} | self.seen.keys()
        if not pairs:
            return {}
        writes_over = any(not isinstance(change, Assign) for _, change in others)
        found = await present_assignments(
            self.db, pairs, lock=bool(writes_over or self.seen) and not self.work.is_dry_run
        )
        for pair, told in self.seen.items():
            state = found.get(pair)
            if (told and (told.role.id, told.notify)) != (state and tuple(state)):
                raise RaceError
        return found

    async def _narrow_down(self, plans: Sequence[PlannedRow], error: Exception) -> Settled:
        """Apply each half on its own, down to the row at fault."""
        if len(plans) > 1:
            half = len(plans) // 2
            first = await self.apply(plans[:half])
            self._take_over(first.edits)
            second = await self.apply(plans[half:])
            return Settled(
                first.results + second.results,
                first.edits + second.edits,
                first.notices + second.notices,
            )
        row = plans[0].row
        if row.is_context:
            return Settled([], [], [])
        if plans[0].errors:
            return Settled([failure(row, plans[0].errors)], [], [])
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

    def _take_over(self, edits: Sequence[Edit]) -> None:
        """Know our own edits for such: they are no race; in a dry run they are not even there."""
        if self.work.is_dry_run:
            self.claims.note_edits(edits)
            return
        for edit in edits:
            self.seen.pop((edit.case_id, edit.user_id), None)


async def apply_columns(
    db: Connection, work: ImportWork, columnar: Columnar, directory: Directory, *, is_first: bool
) -> Settled | None:
    """Settle and write rows all at once; None when the database refuses any of them.

    Args:
        is_first: whether it may be tried with a guess, to be done again if that was wrong.

    Raises:
        RaceError: somebody else has changed the same things meanwhile, or the guess was wrong;
            undo all.
    """
    role_keys = {role.id: role.key for role in (await directory.roles()).values()}
    lock = columnar.kind is not Assign and not work.is_dry_run
    may_guess = is_first and columnar.kind is Assign and not work.is_dry_run
    try:
        async with db.transaction():
            present = {}
            is_guess = may_guess and await _seem_new(db, columnar.pairs)
            if not is_guess:
                present = await present_assignments(db, columnar.pairs, lock=lock)
            settled = columnar.settle(present, role_keys)
            if is_guess and len(settled.edits) < len(columnar.pairs):
                raise RaceError  # a row that is not written can't show that the guess was wrong
            if work.is_dry_run:
                return settled._replace(notices=[])
            await write_edits(db, work.app_id, work.id, settled.edits)
            return settled
    except asyncpg.PostgresError as error:
        if is_passing(error):
            raise
        return None


async def _seem_new(db: Connection, pairs: Sequence[Pair]) -> bool:
    """Guess from some pairs that none of them is assigned; writing finds out if it is wrong."""
    some = pairs[:: len(pairs) // _SAMPLE + 1]
    return not await present_assignments(db, some, lock=False)


def _not_written(error: Exception) -> ErrorDetail:
    if isinstance(error, OwnChangeError):
        return importer_error("the importer failed on this row; the worker's log says why.")
    return ErrorDetail(
        code="NOT_WRITTEN", message="The database refused this row; the worker's log says why."
    )


def _spoilt(
    plans: Sequence[PlannedRow], scene: Scene, results: Sequence[RowResult]
) -> dict[int, tuple[ErrorDetail, ...]]:
    """Return the errors of rows that have failed although a change of theirs was made."""
    if not scene.applied:
        return {}
    failed = {result.number for result in results if result.status is RowStatus.FAILED}
    found = {}
    for plan in plans:
        if plan.errors or plan.row.is_context or plan.row.number not in failed:
            continue
        made = [scene.applied[keys].outcome in WRITTEN for keys, _ in own_changes(plan.changes)]
        if any(made) and (errors := scene.claims[plan.changes[0][0][0]].errors):
            found[plan.row.number] = tuple(errors)
    return found
