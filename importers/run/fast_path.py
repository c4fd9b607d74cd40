"""Chunks of importers whose rows all ask for one plain change: settled without a plan for each.

It comes to just what planning and settling row by row would, in less time; rows that are not plain
are left to that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import asyncpg

from importers.rows.cell_reader import failed_result
from importers.run.changed_since import find_changed
from importers.run.rules import RULES
from importers.run.settle import Settled, described, notification_of, with_refusals
from importers.sdk.columns import Flag
from importers.sdk.importer import EveryRow, Importer
from importers.sdk.references import CaseRef, RoleRef, UserRef
from models.assignment import Edit
from models.db import RaceError, is_passing
from models.row import RowOutcome, RowResult, RowStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from importers.rows.cell_reader import ReadRow
    from importers.run.chunk_context import ChunkContext
    from importers.run.rules import AssignmentRule, Decision
    from importers.sdk.changes import AssignmentChange
    from models.assignment import Pair, Present
    from models.mail import Notification

_PLAIN: Mapping[str, type] = {
    "case": CaseRef,
    "user": UserRef,
    "role": RoleRef,
    "notify": Flag,
    "present_role": RoleRef,
    "present_notify": Flag,
}
# Enough to find some assignment in nearly every file that has many: a wrong guess costs the chunk
# another attempt, a right one saves the look-up of 10,000 pairs.
_SAMPLE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Columnar:
    """The rows of a chunk, no two of which are about the same user on the same case.

    Args:
        kind: the class of the change that every row asks for.
        places: for each field of the change the index of its column.
        pairs: what the rows without errors are about.
    """

    kind: type[AssignmentChange]
    rule: AssignmentRule[Any]
    places: Mapping[str, int]
    rows: Sequence[ReadRow]
    pairs: Sequence[Pair]

    @classmethod
    def of(cls, importer: Importer, rows: Sequence[ReadRow]) -> Columnar | None:
        """Look at a chunk; None when its rows have to be taken one by one."""
        every_row = importer._every_row_of(row.values for row in rows if not row.errors)
        if every_row is None or not _is_plain(importer, every_row):
            return None
        names = list(importer.columns)
        places = {field: names.index(name) for field, name in every_row.columns.items()}
        case, user = places["case"], places["user"]
        try:
            pairs = [(row.values[case].id, row.values[user].id) for row in rows if not row.errors]
        except AttributeError:  # a row names no case, or no user
            return None
        if len(set(pairs)) < len(pairs) or any(row.is_context for row in rows):
            return None
        kind = every_row.kind
        return cls(kind=kind, rule=RULES[kind], places=places, rows=rows, pairs=pairs)

    def settle(self, context: ChunkContext, current: Mapping[Pair, Present]) -> Settled | None:
        """Decide about every row, given the current assignments of the pairs.

        Returns:
            None when a row asks for what can't be carried out.
        """
        results: list[RowResult] = []
        edits: list[Edit] = []
        notifications: list[Notification] = []
        passed, nothing = RowStatus.PASSED, RowOutcome.UNCHANGED
        sends_mails = context.importer.sends_mails
        case, user = self.places["case"], self.places["user"]
        role, notify = self.places.get("role"), self.places.get("notify")
        old_role, old_notify = self.places.get("present_role"), self.places.get("present_notify")
        # Rows that are alike in all that rules look at have the same decision; a file has a few
        # dozen kinds of rows at most, so nearly every row is spared a change and a decision.
        known: dict[tuple[object, ...], Decision] = {}
        pairs = iter(self.pairs)
        for row in self.rows:
            if row.errors:
                results.append(failed_result(row, row.errors))
                continue
            pair, values = next(pairs), row.values
            before = current.get(pair)
            likeness = (
                before,
                role is not None and values[role] and values[role].id,
                notify is not None and values[notify],
                old_role is not None and values[old_role] and values[old_role].id,
                old_notify is not None and values[old_notify],
                values[case].is_active,
                values[user].is_active,
            )
            decision = None if row.refusals else known.get(likeness)
            if decision is None:
                decision = self._decide(context, row, before)
                if decision is None:
                    return None
                reasons = [error for _, error in described(context, row, decision)]
                if reasons := with_refusals(reasons, row, [decision]):
                    # Not remembered: its errors name this row's own cells.
                    results.append(failed_result(row, reasons))
                    continue
                known[likeness] = decision
            outcome, after = decision.outcome, decision.after
            if outcome is nothing:
                message = decision.message
                results.append(RowResult(row.number, row.text, passed, outcome, message))
                continue
            edit = Edit(*pair, row.number, before, after)
            edits.append(edit)
            results.append(
                RowResult(row.number, row.text, passed, outcome, decision.message, (), (), (edit,))
            )
            if sends_mails and after and after.notify:
                notifications.append(notification_of(edit))
        return Settled(results, edits, notifications, {})

    def _decide(
        self, context: ChunkContext, row: ReadRow, before: Present | None
    ) -> Decision | None:
        """Decide about a row; None when it asks for what can't be carried out."""
        change = self.kind(**{field: row.values[at] for field, at in self.places.items()})
        if not self.rule.is_sound(change):
            return None
        return self.rule.decide(change, before, context.role_keys)


async def apply_columns(context: ChunkContext, rows: Sequence[ReadRow]) -> Settled | None:
    """Settle and write rows all at once; None when they have to be taken one by one.

    Most files of new assignments name pairs of which none is assigned. Where a sample of them
    suggests that, the first attempt does not look the others up: writing finds out if it is wrong.

    Raises:
        RaceError: another transaction has changed the same things meanwhile, or the guess was
            wrong; undo all.
    """
    columnar = Columnar.of(context.importer, rows)
    if columnar is None:
        return None
    store, pairs, is_dry_run = context.store, columnar.pairs, context.is_dry_run
    creates_only = columnar.rule.creates_only
    is_guess = context.attempt == 1 and creates_only and not is_dry_run
    try:
        # Where PostgreSQL refuses a row, only what is written here is undone; then rows are taken
        # one by one, to find the one at fault.
        async with store.savepoint():
            if is_guess:
                sample = pairs[:: len(pairs) // _SAMPLE + 1]
                is_guess = not await store.read_assignments(sample, lock=False)
            current: Mapping[Pair, Present] = {}
            if not is_guess:
                # In (case, user) order, as all chunks lock; what is only created needs no lock.
                lock = not (creates_only or is_dry_run)
                current = await store.read_assignments(pairs, lock=lock)
            settled = columnar.settle(context, current)
            if settled is None:
                return None
            if is_guess and len(settled.edits) < len(pairs):
                raise RaceError  # a row that is not written can't show that the guess was wrong
            if find_changed(context, settled.results):
                return None
            if is_dry_run:
                return settled._replace(notifications=[])
            await store.write_edits(settled.edits)
            return settled
    except asyncpg.PostgresError as error:
        if is_passing(error):
            raise
        return None


def _is_plain(importer: Importer, every_row: EveryRow) -> bool:
    """Tell whether the engine knows what every row asks for from the values of its columns."""
    rule = RULES.get(every_row.kind)
    if type(every_row) is not EveryRow or rule is None:
        return False
    if type(importer).check_chunk is not Importer.check_chunk:
        return False
    columns = {field: importer.columns[name] for field, name in every_row.columns.items()}
    is_plain = all(type(column) is _PLAIN.get(field) for field, column in columns.items())
    return is_plain and rule.required <= columns.keys()
