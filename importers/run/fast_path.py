"""Chunks of importers whose rows all ask for one plain change: settled without a plan for each.

It comes to just what planning and settling row by row would, in less time; rows that are not plain
are left to that.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import asyncpg

from importers.rows.cell_reader import failed_result
from importers.run.changed_since import find_changed
from importers.run.rules import RULES
from importers.run.settle import Settled, notification_of
from importers.sdk.columns import Flag
from importers.sdk.importer import EveryRow, Importer
from importers.sdk.references import CaseRef, RoleRef, UserRef
from models.assignment import Edit
from models.db import RaceError, is_passing
from models.row import RowOutcome, RowResult, RowStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from importers.rows.cell_reader import ReadRow
    from importers.run.chunk_context import ChunkContext
    from importers.run.rules import AssignmentRule, Decision
    from importers.sdk.changes import AssignmentChange
    from models.assignment import Pair, Present

_PLAIN: Mapping[str, type] = {"case": CaseRef, "user": UserRef, "role": RoleRef, "notify": Flag}
_is_context = attrgetter("is_context")
# Enough to find some assignment in nearly every file that has many: a wrong guess costs the chunk
# another attempt, a right one saves the look-up of 10,000 pairs.
_SAMPLE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Columnar:
    """The rows of a chunk, no two of which are about the same user on the same case.

    Args:
        kind: the class of the change that every row asks for.
        columns: for each field of the change the values of the rows without errors.
        pairs: what these rows are about.
    """

    kind: type[AssignmentChange]
    rule: AssignmentRule[Any]
    rows: Sequence[ReadRow]
    columns: Mapping[str, Sequence[Any]]
    pairs: Sequence[Pair]

    @classmethod
    def of(cls, importer: Importer, rows: Sequence[ReadRow]) -> Columnar | None:
        """Look at a chunk; None when its rows have to be taken one by one."""
        every_row = importer.every_row
        if every_row is None or not _is_plain(importer, every_row):
            return None
        names = list(importer.columns)
        values = list(zip(*[row.values for row in rows if not row.errors], strict=True))
        columns = {
            field: values[names.index(name)] if values else ()
            for field, name in every_row.columns.items()
        }
        cases, users = ([entity.id for entity in columns[field]] for field in ("case", "user"))
        pairs = list(zip(cases, users, strict=True))
        if len(set(pairs)) < len(pairs) or any(map(_is_context, rows)):
            return None
        kind = every_row.kind
        return cls(kind=kind, rule=RULES[kind], rows=rows, columns=columns, pairs=pairs)

    def settle(self, context: ChunkContext, current: Mapping[Pair, Present]) -> Settled:
        """Decide about every row, given the current assignments of the pairs."""
        results: list[RowResult] = []
        edits: list[Edit] = []
        passed, nothing = RowStatus.PASSED, RowOutcome.UNCHANGED
        decided = zip(self.pairs, self._decide(context, current), strict=True)
        for row in self.rows:
            if row.errors:
                results.append(failed_result(row, row.errors))
                continue
            (case_id, user_id), (outcome, before, after, message, refusals, *_) = next(decided)
            if refusals:
                reasons = [context.refusal(why, at, row) for at, why in refusals]
                results.append(failed_result(row, reasons))
            elif outcome is nothing:
                results.append(RowResult(row.number, row.text, passed, outcome, message))
            else:
                edit = Edit(case_id, user_id, row.number, before, after)
                edits.append(edit)
                results.append(
                    RowResult(row.number, row.text, passed, outcome, message, (), (), (edit,))
                )
        mails = [notification_of(edit) for edit in edits if edit.after and edit.after.notify]
        return Settled(results, edits, mails, {})

    def _decide(self, context: ChunkContext, current: Mapping[Pair, Present]) -> Iterator[Decision]:
        """Decide about the rows without errors, one by one."""
        role_keys = context.role_keys
        states = [current.get(pair) for pair in self.pairs] if current else [None] * len(self.pairs)
        likenesses = self._likenesses(states)
        # A file has a few dozen kinds of rows at most, so nearly every row is spared a change and a
        # decision.
        known = {
            likeness: self.rule.decide(self._change_at(place), states[place], role_keys)
            for likeness, place in dict(zip(likenesses, count(), strict=False)).items()
        }
        for place, likeness in enumerate(likenesses):
            decision = known[likeness]
            # Errors name the row's own cells, not those of another row that is like it.
            if decision.refusals:
                decision = self.rule.decide(self._change_at(place), states[place], role_keys)
            yield decision

    def _likenesses(self, states: Sequence[Present | None]) -> list[tuple[object, ...]]:
        """Return for each row all that rules look at: rows that are alike have one decision."""
        columns = self.columns
        parts: list[Iterable[object]] = [
            states,
            [case.is_active for case in columns["case"]],
            [user.is_active for user in columns["user"]],
        ]
        if "role" in columns:
            parts.append([role and role.id for role in columns["role"]])
        if "notify" in columns:
            parts.append(columns["notify"])
        return list(zip(*parts, strict=True))

    def _change_at(self, place: int) -> AssignmentChange:
        return self.kind(**{field: values[place] for field, values in self.columns.items()})


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
    """Tell whether any row without errors makes a change that can be carried out."""
    kind, rule = type(importer), RULES.get(every_row.kind)
    if type(every_row) is not EveryRow or rule is None:
        return False
    if kind.change is not Importer.change or kind.check_chunk is not Importer.check_chunk:
        return False
    columns = {field: importer.columns[name] for field, name in every_row.columns.items()}
    if any(type(column) is not _PLAIN.get(field) for field, column in columns.items()):
        return False
    return rule.required <= columns.keys() and all(
        columns[field].required
        or isinstance(columns[field].default, bool if field == "notify" else str)
        for field in rule.required
    )
