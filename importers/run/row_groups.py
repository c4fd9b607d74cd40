"""Groups of rows that an importer takes as a whole, and changes that belong to a group, not a row.

The first row of the group makes such changes, if all rows of the group pass.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from importers.isolation.guard import guarded
from importers.reading.limits import MOST_LOST
from importers.run.planned_row import PlannedRow, entity_name
from importers.sdk.entities import Case, User
from importers.sdk.errors import RowError
from importers.sdk.references import Reference
from importers.sdk.row import FailedRow
from models.row import WRITTEN, RowOutcome

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from importers.rows.cell_reader import ReadRow
    from importers.run.chunk_context import ChunkContext
    from importers.run.planned_row import PlannedChange
    from importers.run.rules import Decision
    from importers.sdk.changes import Change
    from importers.sdk.errors import ErrorDetail
    from importers.sdk.importer import Importer


@dataclass(slots=True)
class RowGroup:
    """The rows of a chunk that have the same value in the importer's `group_by`.

    Args:
        key: the value.
        good: places, in the chunk, of rows whose cells are right.
        failed: places of the others.
    """

    key: Any
    good: list[int] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)


def find_groups(
    context: ChunkContext, rows: Sequence[ReadRow], wrong: Mapping[int, Sequence[ErrorDetail]]
) -> list[RowGroup]:
    """Put the rows of a chunk into groups, in the order of their first rows.

    Args:
        wrong: errors of rows whose own cells are right, by place.

    Returns:
        the groups; rows whose group can't be read are in none.
    """
    importer = context.importer
    name = importer.group_by or ""
    column, place = context.layout.columns(importer)[name], list(importer.columns).index(name)
    groups: dict[str, RowGroup] = {}
    # Equal cells have the same value: a call for each of them, not for each row.
    known: dict[int, RowGroup | None] = {}
    for index, row in enumerate(rows):
        value = row.values[place] if row.values else None
        if id(value) not in known:
            key = _group_key(column, value)
            known[id(value)] = groups.setdefault(key, RowGroup(value)) if key else None
        group = known[id(value)]
        if group:
            has_failed = row.errors or index in wrong
            (group.failed if has_failed else group.good).append(index)
    return list(groups.values())


def _group_key(column: Any, value: object) -> str:
    if value is None or isinstance(value, RowError):
        return ""
    try:
        return str(guarded(column.group_key, value))
    except Exception:
        # As where the file was split: the row belongs to no group.
        return ""


def failed_row(importer: Importer, row: ReadRow) -> FailedRow:
    """Return a row with wrong cells as importers see it."""
    cells = zip(importer.columns, row.values, strict=False)
    return FailedRow(
        row.number, tuple(name for name, value in cells if isinstance(value, RowError))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LostRows:
    """Rows whose group can't be read: each could mean any group.

    Args:
        named: the first of them that names a case or a user, by its noun and primary key.
        first: the first of all.
        blind: the first of which it can't be told what it names.
    """

    named: Mapping[tuple[str, int], int]
    first: int | None
    blind: int | None

    @classmethod
    def of(cls, importer: Importer, rows: Sequence[ReadRow]) -> LostRows:
        columns = list(importer.columns.values())
        named: dict[tuple[str, int], int] = {}
        # Chunks have no more of them than that, and one that says so.
        blind = [row.number for row in rows[MOST_LOST:] if row.is_context]
        for row in rows:
            cells = list(zip(columns, row.values, strict=False))
            for column, value in cells:
                if isinstance(value, Case | User):
                    named.setdefault((_noun_of(value), value.id), row.number)
                elif isinstance(value, RowError) and column.name != importer.group_by:
                    may_name = isinstance(column, Reference) and column._may_name
                    blind += [row.number] if may_name else []
            if not cells:
                blind.append(row.number)
        return cls(
            named=named, first=rows[0].number if rows else None, blind=min(blind, default=None)
        )

    def claim(self, change: Change, key: object) -> int | None:
        """Return the number of a row that could mean what a change of a group is about.

        Args:
            key: the group's, which the row may mean in any case.
        """
        if self.first is None or self.blind is not None:
            return self.blind
        entities = [getattr(change, noun, None) for noun in ("case", "user")]
        others = [each for each in entities if isinstance(each, Case | User) and each != key]
        if not others:
            return self.first
        numbers = [self.named.get((_noun_of(each), each.id)) for each in others]
        return None if None in numbers else numbers[0]


def _noun_of(entity: Case | User) -> str:
    return "case" if isinstance(entity, Case) else "user"


class GroupPlan(NamedTuple):
    """What the rows of a group ask for, by place, and what the group asks for beside them."""

    rows: Mapping[int, PlannedRow]
    changes: Sequence[PlannedChange]


def with_group_changes(
    context: ChunkContext, group: RowGroup, plan: GroupPlan, lost: LostRows
) -> Mapping[int, PlannedRow]:
    """Let the first row of a group make the changes that belong to no row.

    What a row of an unknown group could mean as well stays as it is.
    """
    place = next((place for place, row in plan.rows.items() if row.is_to_apply), None)
    if place is None or not plan.changes:
        return plan.rows
    # In the same order each time: what was planned is compared with what is done.
    ordered = sorted(plan.changes, key=lambda each: each.keys if each.rule else ())
    first = plan.rows[place]._replace(
        changes=[*ordered, *plan.rows[place].changes],
        of_group=frozenset(each.keys for each in ordered),
    )
    label = context.importer.columns[context.importer.group_by or ""].label
    claimed = {each.keys: lost.claim(each.change, group.key) for each in ordered}
    for number in set(claimed.values()) - {None}:
        held = [each for each in ordered if claimed[each.keys] == number]
        why = f"the {label} of row {number} can't be read"
        first = _without_group_changes(context, first, held, why)
    return {**plan.rows, place: first}


def _without_group_changes(
    context: ChunkContext, plan: PlannedRow, held: Sequence[PlannedChange], why: str
) -> PlannedRow:
    """Take changes that belong to no row from the row that makes them, and let it say why."""
    keys = {each.keys for each in held}
    return plan._replace(
        changes=[each for each in plan.changes if each.keys not in keys],
        of_group=plan.of_group - keys,
        messages=[*plan.messages, *_kept_texts(context, held, why)],
    )


def withhold(
    context: ChunkContext, plans: Sequence[PlannedRow], failed: Collection[int]
) -> Sequence[PlannedRow]:
    """Take from groups in which a row has failed the changes that belong to no row.

    Args:
        failed: numbers of the rows that have failed. One that was to make the changes of its group
            stays as it is.
    """
    carriers = {plan.group for plan in plans if plan.of_group and plan.row.number not in failed}
    if not (carriers and failed):
        return plans
    spoilt: dict[int | None, list[int]] = {}
    for plan in plans:
        if plan.group in carriers and plan.row.number in failed:
            spoilt.setdefault(plan.group, []).append(plan.row.number)
    if not spoilt:
        return plans
    return [
        _without_group_changes(context, plan, _group_changes(plan), _failed_text(numbers))
        if plan.of_group and plan.row.number not in failed and (numbers := spoilt.get(plan.group))
        else plan
        for plan in plans
    ]


def _group_changes(plan: PlannedRow) -> list[PlannedChange]:
    """Return the changes that a row makes for its group."""
    return [each for each in plan.changes if each.keys in plan.of_group]


def group_message(context: ChunkContext, plan: PlannedRow, made: Sequence[Decision]) -> str | None:
    """Say what a row has changed for its group."""
    pairs = zip(plan.changes, made, strict=True)
    done = [
        (planned, decision.outcome)
        for planned, decision in pairs
        if planned.keys in plan.of_group and decision.outcome in WRITTEN
    ]
    removed = [each for each, outcome in done if each.rule and outcome is RowOutcome.REMOVED]
    texts = []
    if removed:
        start, who = ("removed from", "which") if _noun(context) == "case" else ("removed", "who")
        are = "is" if len(removed) == 1 else "are"
        texts.append(f"{start} {_names(context, removed)}, {who} {are} not in the file")
    if others := len(done) - len(removed):
        texts.append(f"made {others:,} more {'change' if others == 1 else 'changes'} for the group")
    return "; ".join(texts) or None


def _noun(context: ChunkContext) -> str:
    """Return what tells the changes of a group apart: its users, or, where a user is its key, its
    cases."""
    column = context.importer.columns[context.importer.group_by or ""]
    is_user = isinstance(column, Reference) and column._may_name == {"user"}
    return "case" if is_user else "user"


def _names(context: ChunkContext, changes: Sequence[PlannedChange]) -> str:
    """Name what changes are about: `jones-001 and 2 others`."""
    found = [entity_name(each.change, _noun(context)) for each in changes]
    names = list(dict.fromkeys(each[1] for each in found if each))
    if not names:
        return f"{len(changes):,} assignments"
    if len(names) == 1:
        return names[0]
    return f"{names[0]} and {names[1] if len(names) == 2 else f'{len(names) - 1:,} others'}"


def _kept_texts(context: ChunkContext, held: Sequence[PlannedChange], why: str) -> tuple[str, str]:
    # `Remove` is the one kind that asks for nothing but the end of an assignment.
    if all(each.intent == ("Remove",) for each in held):
        start = "kept on" if _noun(context) == "case" else "kept"
        return f"{start} {_names(context, held)}", why
    return "changed nothing for the group", why


def _failed_text(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"row {numbers[0]} has failed"
    if len(numbers) == 2:
        return f"rows {numbers[0]} and {numbers[1]} have failed"
    return f"row {numbers[0]} and {len(numbers) - 1:,} others have failed"
