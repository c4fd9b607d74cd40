"""Settling: from plans and the present state to row results, edits and mails, without writing."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, NamedTuple, cast

from importers.rows.cell_reader import refusal_detail
from importers.rows.layout import Layout
from importers.run.rules import decide
from importers.sdk.changes import OwnChange
from models.assignment import Edit
from models.mail import Notification
from models.row import RowOutcome, RowResult, RowStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from importers.rows.cell_reader import ReadRow
    from importers.rows.layout import Layout
    from importers.run.plan_rows import PlannedRow
    from importers.run.rules import Verdict
    from importers.run.seen_keys import SeenKeys
    from importers.run.validation import Vetoes
    from importers.sdk.changes import Change, Key
    from importers.sdk.errors import ErrorDetail
    from importers.sdk.importer import Importer
    from models.assignment import Pair, Present

_NOTHING = RowOutcome.UNCHANGED
WRITTEN = (RowOutcome.CREATED, RowOutcome.UPDATED, RowOutcome.REMOVED)


class Settled(NamedTuple):
    """What a chunk's rows come to."""

    results: list[RowResult]
    edits: list[Edit]
    notices: list[Notification]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What settling needs beside the plans.

    Args:
        present: the assignments of the pairs that the plans speak of.
        role_keys: the app's roles by primary key.
        applied: what became of the changes of other kinds, by their keys.
        vetoes: the validators' say; None where there are no validators.
    """

    importer: Importer
    layout: Layout
    claims: SeenKeys
    present: Mapping[Pair, Present]
    role_keys: Mapping[int, str]
    applied: Mapping[tuple[Key, ...], Verdict] = field(default_factory=dict)
    vetoes: Vetoes | None = None

    def verdict(self, keys: tuple[Key, ...], change: Change) -> Verdict:
        """Return what becomes of a change."""
        if isinstance(change, OwnChange):
            return self.applied[keys]
        return decide(change, self.present.get(cast("Pair", keys[0])), self.role_keys)


def settle(plans: Sequence[PlannedRow], scene: Scene) -> Settled:
    """Decide about every row, in the order of the file."""
    settled = Settled([], [], [])
    for plan in plans:
        if plan.row.is_context:
            continue
        if plan.errors:
            settled.results.append(failure(plan.row, plan.errors))
        else:
            _settle_row(plan, scene, settled)
    return settled


def failure(row: ReadRow, errors: Sequence[ErrorDetail]) -> RowResult:
    """Return the result of a row that failed."""
    return RowResult(
        row.number, row.text, RowStatus.FAILED, errors=[asdict(error) for error in errors]
    )


def note(
    settled: Settled, row: ReadRow, pair: Pair, before: Present | None, verdict: Verdict
) -> None:
    """Note a row of one change of one assignment that is not refused."""
    outcome, after = verdict.outcome, verdict.after
    settled.results.append(
        RowResult(row.number, row.text, RowStatus.PASSED, outcome, verdict.message)
    )
    if outcome is _NOTHING:
        return
    edit = Edit(*pair, row.number, before, after)
    settled.edits.append(edit)
    if after and after.notify:
        settled.notices.extend(_notices([edit]))


def _settle_row(plan: PlannedRow, scene: Scene, settled: Settled) -> None:
    if len(plan.changes) == 1 and not (plan.repeats or scene.vetoes):
        ((keys, change),) = plan.changes
        verdict = scene.verdict(keys, change)
        if isinstance(change, OwnChange) and not verdict.refusals:
            for key in keys:
                scene.claims[key].errors = ()
            settled.results.append(_success(plan, [verdict]))
            return
    verdicts = [scene.verdict(keys, change) for keys, change in plan.changes]
    errors = [
        refusal_detail(scene.importer, error, at_fault, plan.row, scene.layout)
        for verdict in verdicts
        for at_fault, error in verdict.refusals
    ]
    for claim in plan.repeats:
        errors += claim.errors
    if scene.vetoes and not errors:
        errors = scene.vetoes.judge(plan, verdicts, scene.present)
    for keys, _ in plan.changes:
        for key in keys:
            scene.claims[key].errors = errors
    if errors:
        settled.results.append(failure(plan.row, errors))
        return
    settled.results.append(_success(plan, verdicts))
    edits = _edits(plan, verdicts, scene.present)
    settled.edits.extend(edits)
    settled.notices.extend(_notices(edits))


def _edits(
    plan: PlannedRow, verdicts: Sequence[Verdict], present: Mapping[Pair, Present]
) -> list[Edit]:
    edits = []
    for (keys, change), verdict in zip(plan.changes, verdicts, strict=True):
        if verdict.outcome in WRITTEN and not isinstance(change, OwnChange):
            pair = cast("Pair", keys[0])
            edits.append(Edit(*pair, plan.row.number, present.get(pair), verdict.after))
    return edits


def _success(plan: PlannedRow, verdicts: Sequence[Verdict]) -> RowResult:
    row = plan.row
    if len(verdicts) == 1 and not (plan.repeats or plan.messages):
        (verdict,) = verdicts
        return RowResult(row.number, row.text, RowStatus.PASSED, verdict.outcome, verdict.message)
    outcomes = {verdict.outcome for verdict in verdicts if verdict.outcome in WRITTEN}
    outcome = RowOutcome.UPDATED if len(outcomes) > 1 else next(iter(outcomes), _NOTHING)
    messages = [f"repeats row {claim.row}" for claim in plan.repeats]
    messages += [verdict.message for verdict in verdicts if verdict.message]
    messages += plan.messages
    message = "; ".join(dict.fromkeys(messages)) if messages else None
    return RowResult(row.number, row.text, RowStatus.PASSED, outcome, message)


def _notices(edits: Sequence[Edit]) -> list[Notification]:
    """One mail for the row, about the first of its changes that asks for one."""
    for edit in edits:
        if edit.after and edit.after.notify:
            outcome = RowOutcome.UPDATED if edit.before else RowOutcome.CREATED
            return [Notification(edit.row, edit.case_id, edit.user_id, edit.after.role_id, outcome)]
    return []
