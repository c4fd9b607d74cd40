"""Validation: validators look at what the rows of a chunk are about to do."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from importers.isolation.guard import Guard
from importers.sdk.changes import Assign, Modify, Remove
from importers.sdk.errors import ErrorDetail, RowError
from importers.sdk.validator import Effect
from importers.validation.judgement import BrokenValidatorError, Judgement
from importers.validation.locks import locks_for
from importers.validation.shown_change import shown_change
from models.row import RowOutcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from importers.run.carried_keys import CarriedKeys
    from importers.run.chunk_context import ChunkContext
    from importers.run.planned_row import PlannedRow
    from importers.run.rules import Decision
    from importers.sdk.changes import Change, Outcome
    from importers.sdk.entities import Assignment, Case, User
    from importers.sdk.validator import Validator
    from importers.validation.counting_directory import Counts

# Of all validators together: no statement is sent while rows are judged, and PostgreSQL ends what
# is silent for 15 seconds.
_TOTAL_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Validation:
    """Asks all validators about the rows of a chunk, in the order of the file.

    What validators note of rows is theirs, and changes as rows are judged: each time that rows are
    settled they prepare again.
    """

    context: ChunkContext
    judgements: Sequence[Judgement]
    passed: Counts = field(default_factory=Counter)
    """The effects that passed, as the history counts them."""

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
                errors += self._errors(judgement, effect, plan)
            if not errors:
                is_noted = True
                errors += self.note(effect)
        if is_noted:
            for judgement in self.judgements:
                judgement.settle(effects, has_passed=not errors)
        if not errors:
            self._count(effects)
        return list(dict.fromkeys(errors))

    def _count(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            noun = effect.noun
            # The history does not say what others without a difference have done.
            if noun != "other" or effect.difference:
                self.passed[noun, effect.outcome] += 1

    def _errors(self, judgement: Judgement, effect: Effect, plan: PlannedRow) -> list[ErrorDetail]:
        try:
            error = judgement.refusal_of(effect)
        except BrokenValidatorError:
            return [_not_judged(judgement.validator)]
        if error is None:
            return []
        at_fault = getattr(effect.change, error.column or "", None)
        of_row = RowError(None, error.code, error.message, error.suggestion)
        of_row.params = error.params
        return [plan.about(self.context.refusal(of_row, at_fault, plan.row), effect.change)]

    def note(self, effect: Effect) -> list[ErrorDetail]:
        """Let all validators take note; return an error for each that has failed by now."""
        for judgement in self.judgements:
            judgement.note(effect)
        return [_not_judged(each.validator) for each in self.judgements if each.is_broken]

    def _effects(self, plan: PlannedRow, made: Sequence[Decision]) -> list[Effect]:
        context = self.context
        return [
            Effect(
                change=shown_change(planned.change),
                outcome=cast("Outcome", decision.outcome.name),
                before=context.assignment(decision.before),
                after=context.assignment(decision.after),
                import_type=context.importer.key,
                row=plan.row.number,
                difference=decision.difference,
            )
            for planned, decision in zip(plan.changes, made, strict=True)
            if decision.outcome is not None and decision.outcome is not RowOutcome.UNCHANGED
        ]


def _not_judged(validator: Validator) -> ErrorDetail:
    """Describe why a row fails that a validator could not judge."""
    template = "The validator '{validator}' failed, so the row was not let through; the"
    template += " worker's log says why."
    return ErrorDetail.of("VALIDATOR_ERROR", template, validator=validator.key)


async def prepare_validation(
    context: ChunkContext, changes: Sequence[Change], earlier: CarriedKeys
) -> Validation:
    """Let each validator read what it needs; one that fails refuses every row.

    Args:
        changes: of all rows that are to be judged.
        earlier: what is known of earlier rows; the edits that a dry run has undone are noted first.
    """
    await _hold(context, changes)
    shown = list(map(shown_change, changes))
    directory = await context.store.counting_directory(earlier.unseen)
    judgements = [Judgement(each, _guard(context, each)) for each in context.validators]
    for judgement in judgements:
        await judgement.prepare(shown, directory)
    validation = Validation(context, judgements)
    if not (context.is_dry_run and earlier.edits):
        return validation
    cases, users = await context.store.read_entities(*map(set, zip(*earlier.edits, strict=True)))
    for (case_id, user_id), states in earlier.edits.items():
        before, after = map(context.assignment, states)
        validation.note(_past_effect(cases[case_id], users[user_id], before, after))
    return validation


def _guard(context: ChunkContext, validator: Validator) -> Guard:
    return Guard(
        f"validator {validator.key!r}",
        total_seconds=_TOTAL_SECONDS / len(context.validators),
        keep_alive=context.store.keep_alive,
    )


async def _hold(context: ChunkContext, changes: Sequence[Change]) -> None:
    """Let no other import change what validators count, until this chunk is done."""
    if context.is_dry_run:
        return
    locks = locks_for(context.validators, changes)
    if locks.app:
        await context.store.hold_app()
    for table, keys in locks.rows:
        await context.store.hold(table, keys)


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
