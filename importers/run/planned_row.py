"""Planned rows: the changes that a row asks for, less those that earlier rows have asked for."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

from importers.sdk.changes import Modify
from importers.sdk.entities import Case, Role, User
from importers.sdk.entity_changes import ModifyCase, ModifyUser
from importers.sdk.errors import ErrorDetail, RowError
from importers.sdk.node_id import encode_node_id
from importers.sdk.records.record_change import RecordChange
from importers.sdk.references import CaseRef, Reference, UserRef

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from importers.rows.cell_reader import ReadRow
    from importers.run.chunk_context import ChunkContext
    from importers.run.rules import AssignmentRule
    from importers.sdk.changes import Change, Intent, Key, OwnChange
    from importers.sdk.columns import Column

logger = logging.getLogger(__name__)

# Changes that keep what they have None for.
_KEEPING = (Modify, ModifyCase, ModifyUser)
_OWN_LOOK_UPS = (CaseRef.resolve, UserRef.resolve)


class FirstMention(NamedTuple):
    """The first row of the file that names a key, and what it asks for."""

    row: int
    intent: Intent


SeenKeys: TypeAlias = Mapping["Key", FirstMention]
"""Who was the first to name each key, in this chunk and those that it is chained to."""


class PlannedChange(NamedTuple):
    """A change that a row asks for.

    Args:
        keys: what it is about; for an assignment one, the primary keys of its case and user.
        intent: what it asks for, comparable with what another row asks of the same keys.
        rule: what decides about a change of an assignment; None for a custom change, which its
            own class carries out.
    """

    keys: tuple[Key, ...]
    intent: Intent
    change: Change
    rule: AssignmentRule[Any] | None


class PlannedRow(NamedTuple):
    """What a row asks for, once the rows before it are known.

    Args:
        changes: those that no earlier row of the file has asked for.
        repeats: keys that earlier rows have named and of which this row only says the same again.
        errors: why the row can't be carried out.
        messages: what the importer has to say on a row that it wants unchanged.
        named: of a row with errors, the keys that it was the first to name.
        group: the row's group within the chunk, where the importer takes groups as a whole.
        of_group: the keys of those of its changes that belong to the group, and to no row.
    """

    row: ReadRow
    changes: Sequence[PlannedChange] = ()
    repeats: Sequence[tuple[Key, FirstMention]] = ()
    errors: tuple[ErrorDetail, ...] = ()
    messages: Sequence[str] = ()
    named: Sequence[Key] = ()
    group: int | None = None
    of_group: frozenset[tuple[Key, ...]] = frozenset()

    @property
    def is_to_apply(self) -> bool:
        """Whether its changes are to be made, so far as is known."""
        return not (self.errors or self.row.is_context)

    @property
    def keys(self) -> list[Key]:
        """The keys that it was the first to name."""
        return [*self.named, *(key for each in self.changes for key in each.keys)]

    def subject_of(self, change: Change) -> tuple[str, str] | None:
        """Name what a change is about, if the row asks for several: a noun, and its Tag ID or ID.

        That is its case, or its user where the row is about several users of one case.
        """
        if len(self.changes) + len(self.repeats) < 2:
            return None
        cases, users = (
            {entity_name(each.change, noun) for each in self.changes} for noun in ("case", "user")
        )
        by_user = len(cases) == 1 < len(users)
        return entity_name(change, "user" if by_user else "case")

    def about(self, error: ErrorDetail, change: Change) -> ErrorDetail:
        """Return the error of a change, with the name of what it is about, unless it says that."""
        subject = self.subject_of(change)
        if subject is None or f"'{subject[1]}'" in error.message:
            return error
        noun, name = subject
        message = with_subject(error.message, subject)
        return replace(error, message=message, params={**error.params, f"of_{noun}": name})

    def failed(self, errors: Sequence[ErrorDetail]) -> PlannedRow:
        """Return the row as one that is not to be carried out."""
        return PlannedRow(self.row, errors=tuple(errors), named=self.keys, group=self.group)


def with_subject(message: str, subject: tuple[str, str] | None) -> str:
    """Add what it is about to a message.

    Example:
        >>> with_subject("is walled.", ("case", "trv-001"))
        "is walled (case 'trv-001')."
    """
    if subject is None:
        return message
    noun, name = subject
    end = message[-1:] if message.endswith((".", "?", "!")) else ""
    return f"{message.removesuffix(end)} ({noun} '{name}'){end}"


def entity_name(change: Change, noun: str) -> tuple[str, str] | None:
    """Return the noun with the Tag ID or ID of the change's case or user, if it has one."""
    entity = getattr(change, noun, None)
    if not isinstance(entity, Case | User):
        return None
    return noun, entity.tag_id or encode_node_id(noun.title(), entity.id)


async def fail_foreign(
    context: ChunkContext, rows: Sequence[PlannedRow], error: ErrorDetail
) -> list[PlannedRow]:
    """Fail rows with changes of cases, users or roles that the app does not have.

    A plugin may have made these itself, or kept them from a file of another app.

    Args:
        rows: as a plugin's importer has asked for them.
        error: of a row that the importer has failed on.
    """
    foreign = await _find_foreign(context, rows)
    if not foreign:
        return list(rows)
    for place, change in foreign.items():
        fault = "of a case, user or role that the app does not have: look them up for each file"
        key, number = context.importer.key, rows[place].row.number
        logger.error("importer %r failed on row %d: %.300r is %s", key, number, change, fault)
    return [
        PlannedRow(row.row, errors=(error,), group=row.group) if place in foreign else row
        for place, row in enumerate(rows)
    ]


async def _find_foreign(context: ChunkContext, rows: Sequence[PlannedRow]) -> dict[int, Change]:
    """Return the first change of each row that is of what the app does not have, by place."""
    # What columns name that Caseroll itself looks up needs no second look.
    columns = enumerate(context.importer.columns.values())
    sure = [place for place, column in columns if _is_own_look_up(column)]
    foreign: dict[int, Change] = {}
    unsure: list[tuple[int, Change, Case | User]] = []
    for place, row in enumerate(rows):
        known = {id(row.row.values[each]) for each in sure} if row.changes else ()
        for change in (planned.change for planned in row.changes):
            for entity in _named_by(change):
                if isinstance(entity, Role):
                    if entity.id not in context.roles:
                        foreign.setdefault(place, change)
                elif id(entity) not in known:
                    unsure.append((place, change, entity))
    if unsure:
        stored = await _stored(context, [entity for _, _, entity in unsure])
        for place, change, entity in unsure:
            if (isinstance(entity, Case), entity.id) not in stored:
                foreign.setdefault(place, change)
    return foreign


def _is_own_look_up(column: Column[Any]) -> bool:
    return isinstance(column, Reference) and type(column).resolve in _OWN_LOOK_UPS


def _named_by(change: Any) -> Iterator[Case | User | Role]:
    if isinstance(change, RecordChange):
        values: Iterable[object] = change._given.values()
    else:
        # A plugin's own kind need not be a dataclass.
        names = getattr(change, "__dataclass_fields__", ("case", "user"))
        values = (getattr(change, name, None) for name in names)
    return (each for each in values if isinstance(each, Case | User | Role))


async def _stored(
    context: ChunkContext, entities: Sequence[Case | User]
) -> set[tuple[bool, object]]:
    """Return those that the app has: whether it is a case, and the primary key."""
    # A plugin may have put anything in the place of the key.
    keys = [{each.id for each in entities if isinstance(each, kind)} for kind in (Case, User)]
    sound = [{key for key in ids if type(key) is int and 0 < key < 1 << 63} for ids in keys]
    cases, users = await context.store.read_entities(*sound)
    return {(True, key) for key in cases} | {(False, key) for key in users}


def check_repeats(
    context: ChunkContext, rows: Sequence[PlannedRow], earlier: SeenKeys
) -> tuple[list[PlannedRow], SeenKeys]:
    """Find which rows' changes are new, and which repeat or contradict what earlier rows ask for.

    Args:
        rows: in the order of the file.
        earlier: the keys that earlier chunks have named.

    Returns:
        the rows without what they repeat, and all keys that are named by now.
    """
    seen = dict(earlier)
    return [_compared(context, row, seen) for row in rows], seen


def _compared(
    context: ChunkContext, planned: PlannedRow, seen: dict[Key, FirstMention]
) -> PlannedRow:
    """Compare a row with those before it, and add the keys that it is the first to name."""
    changes, number = planned.changes, planned.row.number
    # Nearly all rows ask for one change that no other row names: these need no lists.
    if len(changes) == 1 and seen.keys().isdisjoint(changes[0].keys):
        (only,) = changes
        seen.update(dict.fromkeys(only.keys, FirstMention(number, only.intent)))
        return planned
    new: list[PlannedChange] = []
    named: set[Key] = set()
    repeats = []
    for each in changes:
        held = [(key, seen[key]) for key in each.keys if key in seen]
        if not held:
            seen.update(dict.fromkeys(each.keys, FirstMention(number, each.intent)))
            named.update(each.keys)
            new.append(each)
        elif not _is_repeat(each, held):
            errors = _conflicts(context, planned.row, each, held)
            named_errors = [planned.about(error, each.change) for error in errors]
            return planned._replace(changes=new).failed(named_errors)
        elif held[0][0] not in named:
            repeats.append(held[0])
    return planned._replace(changes=new, repeats=repeats) if changes else planned


def _is_repeat(planned: PlannedChange, held: Sequence[tuple[Key, FirstMention]]) -> bool:
    """Tell whether one earlier row has asked for just this."""
    # A user with the address of one row and the Tag ID of another repeats neither of them.
    return (
        len(held) == len(planned.keys)
        and len({mention.row for _, mention in held}) == 1
        and all(mention.intent == planned.intent for _, mention in held)
    )


def _conflicts(
    context: ChunkContext,
    row: ReadRow,
    planned: PlannedChange,
    held: Sequence[tuple[Key, FirstMention]],
) -> tuple[ErrorDetail, ...]:
    taken = {} if planned.rule else cast("OwnChange", planned.change).taken
    errors = []
    for key, mention in held:
        if key[0] in taken:
            name, code = taken[str(key[0])]
            error = RowError(None, code, "row {row} of this file has it too.", row=mention.row)
            errors.append(context.refusal(error, getattr(planned.change, name), row))
        else:
            what = "user on the same case" if planned.rule else str(key[0])
            template = "The row says something else of the same {what} than row {row}; "
            is_part = _complement(planned, mention)
            template += "combine them into one row." if is_part else "keep one of them."
            row_number = mention.row
            errors.append(
                ErrorDetail.of(
                    "CONFLICTS_WITH_ROW",
                    template,
                    value=str(row_number),
                    what=what,
                    row=row_number,
                )
            )
    return tuple(dict.fromkeys(errors))


def _complement(planned: PlannedChange, mention: FirstMention) -> bool:
    """Tell whether one row could say what two say: neither gives what the other gives otherwise."""
    if not isinstance(planned.change, _KEEPING) or len(planned.intent) != len(mention.intent):
        return False
    pairs = zip(planned.intent, mention.intent, strict=True)
    return all(one == other or None in (one, other) for one, other in pairs)
