"""Validation: validators look at what rows are about to do."""

from __future__ import annotations

import copy
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from importers.isolation.guard import Guard, guarded_await, guarding, is_of_plugin
from importers.sdk.changes import Assign, Modify, Remove
from importers.sdk.entities import Case, User
from importers.sdk.errors import ErrorDetail, RowError
from importers.sdk.validator import Effect, Validator
from models.db import is_passing
from models.row import RowOutcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from importers.run.carried_keys import Edits
    from importers.run.chunk_context import ChunkContext
    from importers.run.planned_row import PlannedRow
    from importers.run.rules import Decision
    from importers.sdk.changes import Change, Outcome
    from importers.sdk.entities import Assignment
    from models.write_one import Table

logger = logging.getLogger(__name__)

# Of all validators together: no statement is sent while rows are judged, and PostgreSQL ends what
# is silent for 15 seconds.
_TOTAL_SECONDS = 10.0
_NOUNS: dict[Table, str] = {"cases": "case", "users": "user"}


@dataclass(slots=True)
class Judgement:
    """A validator, and what it knows of the chunk.

    What it has noted of a row can be taken back: from a copy, and what has passed since.

    Args:
        is_broken: it has failed where it prepares or takes note, and refuses every row.
    """

    validator: Validator
    guard: Guard
    prepared: Any = None
    is_broken: bool = False
    _kept: Any = None
    _passed: list[Effect] | None = None

    @property
    def error(self) -> ErrorDetail:
        """The error of a row that the validator could not judge."""
        template = "The validator '{validator}' failed, so the row was not let through; the"
        template += " worker's log says why."
        return ErrorDetail.of("VALIDATOR_ERROR", template, validator=self.validator.key)

    def keep(self) -> None:
        """Be ready to take back; one whose preparations can't be copied refuses every row."""
        takes_notes = type(self.validator).note is not Validator.note
        if self._passed is not None or self.is_broken or not takes_notes:
            return
        try:
            self._kept, self._passed = copy.deepcopy(self.prepared), []
        except Exception:
            key = self.validator.key
            logger.exception("what validator %r has prepared can't be copied", key)
            self.is_broken = True

    def check(self, context: ChunkContext, effect: Effect, plan: PlannedRow) -> list[ErrorDetail]:
        """Let it judge an effect."""
        if self.is_broken:
            return [self.error]
        try:
            self.guard.call(self.validator.check, effect, self.prepared)
        except RowError as error:
            # A validator names a field of the change, as it does not know the columns of the file.
            if error.column is not None and not hasattr(effect.change, error.column):
                kind = type(effect.change).__name__
                what = f"{error.column!r:.80}, which is no field of {kind}"
                logger.exception("validator %r refuses a row on %s", self.validator.key, what)
                return [self.error]
            at_fault = getattr(effect.change, error.column or "", None)
            of_row = RowError(None, error.code, error.message, error.suggestion)
            of_row.params = error.params
            detail = context.refusal(of_row, at_fault, plan.row)
            return [plan.about(detail, effect.change)]
        except Exception:
            key = self.validator.key
            logger.exception("validator %r failed on row %d; the row fails", key, effect.row)
            return [self.error]
        return []

    def note(self, effect: Effect) -> None:
        """Let it take note; one that fails has lost count, and refuses every row from then on."""
        if self.is_broken:
            return
        try:
            self.guard.call(self.validator.note, effect, self.prepared)
        except Exception:
            key = self.validator.key
            logger.exception("validator %r failed on row %d, and refuses all rows after it", key,
                             effect.row)  # fmt: skip
            self.is_broken = True

    def settle(self, effects: Sequence[Effect], *, has_passed: bool) -> None:
        """Remember what a row has done, or forget what was noted of one that does not pass."""
        if self._passed is None or self.is_broken:
            return
        if has_passed:
            self._passed += effects
            return
        self.prepared = copy.deepcopy(self._kept)
        for effect in self._passed:
            self.note(effect)


@dataclass(frozen=True, slots=True)
class Validation:
    """Asks all validators about the rows of a chunk, in the order of the file.

    What validators note of rows is theirs, and changes as rows are judged: each time that rows are
    settled they prepare again.
    """

    context: ChunkContext
    judgements: Sequence[Judgement]

    def judge(self, plan: PlannedRow, made: Sequence[Decision]) -> list[ErrorDetail]:
        """Ask all validators about all that a row is about to do; one that refuses is enough.

        Args:
            made: what would become of each of the row's changes.
        """
        effects = self._effects(plan, made)
        # A row with one effect needs no copy: after its note, only a validator that is broken can
        # fail the row, and that one refuses all rows from then on.
        if len(effects) > 1:
            for judgement in self.judgements:
                judgement.keep()
        errors: list[ErrorDetail] = []
        is_noted = False
        for effect in effects:
            for judgement in self.judgements:
                errors += judgement.check(self.context, effect, plan)
            if not errors:
                is_noted = True
                errors += self.note(effect)
        if is_noted:
            for judgement in self.judgements:
                judgement.settle(effects, has_passed=not errors)
        return list(dict.fromkeys(errors))

    def note(self, effect: Effect) -> list[ErrorDetail]:
        """Let all validators take note; return an error for each that has failed by now."""
        for judgement in self.judgements:
            judgement.note(effect)
        return [judgement.error for judgement in self.judgements if judgement.is_broken]

    def _effects(self, plan: PlannedRow, made: Sequence[Decision]) -> list[Effect]:
        context = self.context
        return [
            Effect(
                change=planned.change,
                outcome=cast("Outcome", decision.outcome.name),
                before=context.assignment(decision.before),
                after=context.assignment(decision.after),
                import_type=context.importer.key,
                row=plan.row.number,
            )
            for planned, decision in zip(plan.changes, made, strict=True)
            if decision.outcome is not None and decision.outcome is not RowOutcome.UNCHANGED
        ]


async def prepare_validation(
    context: ChunkContext, changes: Sequence[Change], undone: Edits
) -> Validation:
    """Let each validator read what it needs; one that fails refuses every row.

    Args:
        changes: of all rows that are to be judged.
        undone: edits of earlier chunks and rows that a dry run has undone, to be noted first.
    """
    await _hold(context, changes)
    validators = context.validators
    validation = Validation(
        context, [await _prepare(context, changes, each) for each in validators]
    )
    if not undone:
        return validation
    cases, users = await context.store.read_entities(undone)
    for (case_id, user_id), states in undone.items():
        before, after = map(context.assignment, states)
        validation.note(_past_effect(cases[case_id], users[user_id], before, after))
    return validation


async def _hold(context: ChunkContext, changes: Sequence[Change]) -> None:
    """Let no other import change what validators count, until this chunk is done.

    Cases come before users in every chunk, so that two chunks can't deadlock; the store takes the
    rows of each table in the order of their keys.
    """
    together = {each.together for each in context.validators}
    for table, noun in _NOUNS.items():
        named = [getattr(each, noun, None) for each in changes]
        held = {entity.id for entity in named if isinstance(entity, Case | User)}
        if held and noun in together and not context.is_dry_run:
            await context.store.hold(table, held)


async def _prepare(
    context: ChunkContext, changes: Sequence[Change], validator: Validator
) -> Judgement:
    guard = Guard(
        f"validator {validator.key!r}",
        total_seconds=_TOTAL_SECONDS / len(context.validators),
        keep_alive=context.store.keep_alive,
    )
    judgement = Judgement(validator, guard)
    with guarding(judgement.guard):
        try:
            prepared = validator.prepare(changes, context.directory)
            judgement.prepared = await guarded_await(prepared)
        except Exception as error:
            if is_passing(error) and not is_of_plugin(error):
                raise
            key = validator.key
            logger.exception("validator %r can't prepare; it refuses all rows of the chunk", key)
            judgement.is_broken = True
    return judgement


def _past_effect(
    case: Case, user: User, before: Assignment | None, after: Assignment | None
) -> Effect:
    if after is None:
        return Effect(change=Remove(case=case, user=user), outcome="REMOVED", before=before)
    change: Change
    if before is None:
        change = Assign(case=case, user=user, role=after.role, notify=after.notify)
        return Effect(change=change, outcome="CREATED", after=after)
    change = Modify(case=case, user=user, role=after.role, notify=after.notify)
    return Effect(change=change, outcome="UPDATED", before=before, after=after)
