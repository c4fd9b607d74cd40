"""Settling: from plans and decisions to row results, edits and mails, without writing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from importers.rows.cell_reader import failed_result
from importers.run.planned_row import with_subject
from importers.run.row_groups import group_message
from importers.sdk.columns import column_name
from importers.sdk.entities import User
from importers.sdk.errors import storable_message
from importers.undo.origin import origin_of
from models.assignment import Edit
from models.entity_history import EntityEdit
from models.mail import Notification
from models.row import WRITTEN, RowOutcome, RowResult, RowStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from importers.rows.cell_reader import ReadRow
    from importers.run.carried_keys import Verdicts
    from importers.run.chunk_context import ChunkContext
    from importers.run.planned_row import PlannedRow
    from importers.run.rules import Decision
    from importers.run.validation import Validation
    from importers.sdk.changes import Difference, Key, Outcome, OwnChange
    from importers.sdk.directory import EffectNoun
    from importers.sdk.errors import ErrorDetail
    from importers.undo.origin import Origin
    from models.assignment import Pair, Present


class Settled(NamedTuple):
    """What rows come to.

    Args:
        verdicts: why rows failed that were the first to name a key, these and earlier ones.
        effects: how many effects validators have let pass, by `Effect.noun` and outcome, as the
            history counts them.
    """

    results: Sequence[RowResult]
    edits: Sequence[Edit] = ()
    notifications: Sequence[Notification] = ()
    verdicts: Mapping[Key, Sequence[ErrorDetail]] = {}
    effects: Mapping[tuple[EffectNoun, Outcome], int] = {}


def settle(
    context: ChunkContext,
    plans: Sequence[PlannedRow],
    decisions: Mapping[tuple[Key, ...], Decision],
    verdicts: Verdicts,
    validation: Validation | None = None,
) -> Settled:
    """Say what every row comes to, in the order of the file.

    Args:
        decisions: what becomes of the rows' changes, by their keys.
        verdicts: those of earlier rows.
        validation: asks the validators; None where there are none.
    """
    results: list[RowResult] = []
    edits: list[Edit] = []
    known = dict(verdicts)
    for plan in plans:
        is_to_apply = not (plan.errors or plan.row.is_context)
        if is_to_apply and not (plan.repeats or validation) and len(plan.changes) == 1:
            # Nearly all rows of files that add users or cases: this halves the time to settle them.
            (only,) = plan.changes
            decision = decisions[only.keys]
            if only.rule is None and not (decision.refusals or plan.row.refusals):
                results.append(_success(context, plan, (decision,)))
                continue
        made: Sequence[Decision] = ()
        errors: Sequence[ErrorDetail] = plan.errors
        if is_to_apply:
            made = [decisions[each.keys] for each in plan.changes]
            errors = _errors(context, plan, made, known)
            if validation and not errors:
                errors = validation.judge(plan, made)
        if errors:
            known.update(dict.fromkeys(plan.keys, errors))
        if plan.row.is_context:
            continue
        if errors:
            results.append(failed_result(plan.row, errors))
            continue
        result = _success(context, plan, made)
        results.append(result)
        edits += result.edits
    if not context.importer.sends_mails:
        return Settled(results, edits, (), known)
    # One mail for a row, about the first of its changes that asks for one.
    asking = {edit.row: edit for edit in reversed(edits) if edit.after and edit.after.notify}
    notifications = list(map(notification_of, reversed(asking.values())))
    return Settled(results, edits, notifications, known)


def _errors(
    context: ChunkContext, plan: PlannedRow, made: Sequence[Decision], verdicts: Verdicts
) -> Sequence[ErrorDetail]:
    """Say why a row fails: its changes are refused, or it repeats rows that failed."""
    errors = [
        # A disabled user is the same for all cases of the row.
        error if isinstance(at_fault, User) else plan.about(error, planned.change)
        for planned, decision in zip(plan.changes, made, strict=True)
        for at_fault, error in described(context, plan.row, decision)
    ]
    if plan.of_group:
        errors = _with_refusals_of_group(context, errors, plan, made)
    else:
        errors = with_refusals(errors, plan.row, made)
    for key, _ in plan.repeats:
        errors += verdicts.get(key, ())
    return errors


def _with_refusals_of_group(
    context: ChunkContext,
    errors: Sequence[ErrorDetail],
    plan: PlannedRow,
    made: Sequence[Decision],
) -> list[ErrorDetail]:
    """Add what columns refuse to the errors of a row that makes the changes of its group.

    What the group changes is refused by the column that makes the group alone: the row's other
    cells have nothing to do with it.
    """
    own = [
        decision
        for planned, decision in zip(plan.changes, made, strict=True)
        if planned.keys not in plan.of_group
    ]
    found = with_refusals(errors, plan.row, own)
    column = context.importer.columns[context.importer.group_by or ""]
    names = {column.public_name, *map(column_name, column.headers)}
    of_group = [error for error in plan.row.refusals if error.column in names]
    is_refused = any(decision.outcome is not RowOutcome.UNCHANGED for decision in made)
    return list(dict.fromkeys([*found, *(of_group if is_refused else ())]))


def described(
    context: ChunkContext, row: ReadRow, decision: Decision
) -> list[tuple[object, ErrorDetail]]:
    """Describe why a change is refused: each reason with what is at fault."""
    return [
        (at_fault, context.refusal(error, at_fault, row)) for at_fault, error in decision.refusals
    ]


def with_refusals(
    errors: Sequence[ErrorDetail], row: ReadRow, made: Sequence[Decision]
) -> list[ErrorDetail]:
    """Add what the row's columns refuse to the errors of its changes, each once.

    Columns refuse nothing of a row that changes nothing: a corrected file can be uploaded again as
    a whole, and what has taken effect by then stays unchanged.
    """
    is_refused = any(decision.outcome is not RowOutcome.UNCHANGED for decision in made)
    return list(dict.fromkeys([*errors, *(row.refusals if is_refused else ())]))


def _success(context: ChunkContext, plan: PlannedRow, made: Sequence[Decision]) -> RowResult:
    row = plan.row
    edits, others = _edits_of(context, plan, made)
    is_one = len(made) == 1 and not plan.of_group
    if is_one and not (plan.repeats or plan.messages or made[0].warnings):
        (only,) = made
        return RowResult(
            row.number,
            row.text,
            RowStatus.PASSED,
            only.outcome,
            only.message,
            edits=edits,
            entity_edits=others,
        )
    outcomes = {decision.outcome for decision in made if decision.outcome in WRITTEN}
    nothing = RowOutcome.UNCHANGED
    outcome = RowOutcome.UPDATED if len(outcomes) > 1 else next(iter(outcomes), nothing)
    messages = [f"repeats row {mention.row}" for _, mention in plan.repeats]
    messages += [
        with_subject(decision.message, plan.subject_of(planned.change))
        for planned, decision in zip(plan.changes, made, strict=True)
        if decision.message
    ]
    messages += plan.messages
    removals = 0
    if plan.of_group:
        messages += filter(None, [group_message(context, plan, made)])
        removals = sum(edit.after is None for edit in edits) - (outcome is RowOutcome.REMOVED)
    message = storable_message("; ".join(dict.fromkeys(messages))) if messages else None
    warnings = [
        context.refusal(warning, value, row).as_dict()
        for decision in made
        for value, warning in decision.warnings
    ]
    return RowResult(
        row.number,
        row.text,
        RowStatus.PASSED,
        outcome,
        message,
        warnings=warnings,
        edits=edits,
        entity_edits=others,
        group_removals=removals,
    )


def _edits_of(
    context: ChunkContext, plan: PlannedRow, made: Sequence[Decision]
) -> tuple[Sequence[Edit], Sequence[EntityEdit]]:
    """Say what a row changes: assignments, and all else."""
    number = plan.row.number
    edits: list[Edit] = []
    others: list[EntityEdit] = []
    for planned, decision in zip(plan.changes, made, strict=True):
        if decision.outcome not in WRITTEN:
            continue
        if planned.rule:
            pair = cast("Pair", planned.keys[0])
            edits.append(Edit(*pair, number, decision.before, decision.after))
        elif decision.difference is None:
            others.append(EntityEdit(number))
        else:
            origin = origin_of(cast("OwnChange", planned.change), planned.keys)
            is_kept = not context.is_dry_run
            others.append(_entity_edit(number, decision.difference, origin, is_kept=is_kept))
    return edits, others


def _entity_edit(row: int, difference: Difference, origin: Origin, *, is_kept: bool) -> EntityEdit:
    before, after = difference.before, difference.after
    # A case or a user that a dry run has created is gone, and its primary key with it.
    if before is None and origin.record is None and not is_kept:
        return EntityEdit(row, None, None, before, after)
    return EntityEdit(row, difference.case_id, difference.user_id, before, after, *origin)


def notification_of(edit: Edit) -> Notification:
    """Return the mail about an edit that leaves an assignment."""
    outcome = RowOutcome.UPDATED if edit.before else RowOutcome.CREATED
    role_id = cast("Present", edit.after).role_id
    return Notification(edit.row, edit.case_id, edit.user_id, role_id, outcome)
