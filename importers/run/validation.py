"""Validation: validators look at what rows are about to do."""

from __future__ import annotations

import copy
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from importers.isolation.guard import Guard, guarded_await, guarding, is_of_plugin
from importers.sdk.changes import Assign, Modify, Remove
from importers.sdk.entities import Case, User
from importers.sdk.errors import ErrorDetail, RowError
from importers.sdk.node_id import encode_node_id
from importers.sdk.validator import Effect, Validator
from models.db import is_passing
from models.row import RowOutcome

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from importers.run.carried_keys import Edits
    from importers.run.chunk_context import ChunkContext
    from importers.run.planned_row import PlannedRow
    from importers.run.rules import Decision
    from importers.sdk.changes import Change, Outcome
    from importers.sdk.entities import Assignment
    from models.write_one import Table

logger = logging.getLogger(__name__)

E = TypeVar("E", Case, User)

# No statement is sent while rows are judged, and PostgreSQL ends what is silent for 15 seconds.
_TOTAL_SECONDS = 10.0


class _Broken:
    """Stands for what a validator should have prepared, and has not."""


@dataclass(slots=True)
class Judgement:
    """A validator, and what it knows of the chunk.

    What it has noted of a row can be taken back: from a copy, and what has passed since.
    """

    validator: Validator
    guard: Guard
    prepared: Any
    _kept: Any = None
    _passed: list[Effect] | None = None

    @property
    def is_broken(self) -> bool:
        return isinstance(self.prepared, _Broken)

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
            self.prepared = _Broken()

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
            self.prepared = _Broken()

    def has_passed(self, effects: Sequence[Effect]) -> None:
        """Remember what is not to be taken back any more."""
        if self._passed is not None:
            self._passed += effects

    def take_back(self) -> None:
        """Forget what was noted since the last row that has passed."""
        if self._passed is None or self.is_broken:
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
        if len(effects) > 1:
            for judgement in self.judgements:
                judgement.keep()
        errors, is_noted = [], False
        for effect in effects:
            errors += self._ask(effect, plan)
            if not errors:
                is_noted = True
                errors += self.note(effect)
        for judgement in self.judgements:
            if not errors:
                judgement.has_passed(effects)
            elif is_noted:
                judgement.take_back()
        return list(dict.fromkeys(errors))

    def note(self, effect: Effect) -> list[ErrorDetail]:
        """Let all validators take note; return an error for each that has failed by now."""
        for judgement in self.judgements:
            judgement.note(effect)
        return [_validator_error(each.validator) for each in self.judgements if each.is_broken]

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

    def _ask(self, effect: Effect, plan: PlannedRow) -> list[ErrorDetail]:
        errors = []
        for judgement in self.judgements:
            validator = judgement.validator
            if judgement.is_broken:
                errors.append(_validator_error(validator))
                continue
            try:
                judgement.guard.call(validator.check, effect, judgement.prepared)
            except RowError as error:
                at_fault = getattr(effect.change, error.column or "", None)
                of_row = RowError(None, error.code, error.message, error.suggestion)
                errors.append(self.context.refusal(of_row, at_fault, plan.row))
            except Exception:
                logger.exception(
                    "validator %r failed on row %d; the row fails", validator.key, effect.row
                )
                errors.append(_validator_error(validator))
        return errors


async def prepare_validation(
    context: ChunkContext, changes: Sequence[Change], undone: Edits
) -> Validation:
    """Let each validator read what it needs; one that fails refuses every row.

    Args:
        changes: of all rows that are to be judged.
        undone: edits of earlier chunks and rows that a dry run has undone, to be noted first.
    """
    await _hold(context, changes)
    judgements = [await _prepared(context, validator, changes) for validator in context.validators]
    validation = Validation(context, judgements)
    cases = await _by_id("Case", {pair[0] for pair in undone}, context.directory.cases)
    users = await _by_id("User", {pair[1] for pair in undone}, context.directory.users)
    for (case_id, user_id), (before, after) in undone.items():
        sides = context.assignment(before), context.assignment(after)
        validation.note(_past_effect(cases[case_id], users[user_id], *sides))
    return validation


async def _hold(context: ChunkContext, changes: Sequence[Change]) -> None:
    """Let no other import change what validators count, until this chunk is done."""
    together = {each.together for each in context.validators}
    tables: dict[Table, str] = {"cases": "case", "users": "user"}
    for table, noun in tables.items():
        named = [getattr(each, noun, None) for each in changes]
        held = {entity.id for entity in named if isinstance(entity, Case | User)}
        if held and noun in together and not context.is_dry_run:
            await context.store.hold(table, held)


async def _prepared(
    context: ChunkContext, validator: Validator, changes: Sequence[Change]
) -> Judgement:
    guard = Guard(f"validator {validator.key!r}", total_seconds=_TOTAL_SECONDS)
    with guarding(guard):
        try:
            prepared = await guarded_await(validator.prepare(changes, context.directory))
        except Exception as error:
            if is_passing(error) and not is_of_plugin(error):
                raise
            key = validator.key
            logger.exception("validator %r can't prepare; it refuses all rows of the chunk", key)
            prepared = _Broken()
    return Judgement(validator, guard, prepared)


async def _by_id(
    kind: str, ids: Collection[int], find: Callable[[Collection[str]], Awaitable[Mapping[str, E]]]
) -> dict[int, E]:
    found = await find([encode_node_id(kind, each) for each in ids]) if ids else {}
    return {entity.id: entity for entity in found.values()}


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


def _validator_error(validator: Validator) -> ErrorDetail:
    return ErrorDetail(
        code="VALIDATOR_ERROR",
        message=f"The validator '{validator.key}' failed, so the row was not let through;"
        " the worker's log says why.",
    )
