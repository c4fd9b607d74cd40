"""Current assignments: what rows see of them, and whether that is so when the chunk is written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from importers.sdk.directory import MOST_ASSIGNMENTS, TooManyAssignmentsError
from importers.sdk.entities import Case, PresentAssignment, User, by_case, by_user
from importers.sdk.errors import RowError
from importers.sdk.importer import AssignmentOf, AssignmentsOf
from models.assignment import Present
from models.db import RaceError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from importers.rows.cell_reader import ReadRow
    from importers.run.carried_keys import Edits
    from importers.run.chunk_context import ChunkContext
    from importers.sdk.cells.suggestions import Noun
    from importers.sdk.directory import Directory
    from importers.sdk.entities import Assignment
    from importers.sdk.importer import Importer
    from models.assignment import Pair
    from models.write_one import Table

    See = Callable[[ReadRow], Any]
    Show = Callable[[ReadRow], Sequence[Any]]

# In the order in which they are locked, as validators hold them.
_TABLES: Mapping[Noun, Table] = {"case": "cases", "user": "users"}
_TOO_MANY = {
    "case": "has more than {limit:,} users; a row can be about {limit:,} assignments at most.",
    "user": "is on more than {limit:,} cases; a row can be about {limit:,} assignments at most.",
}
_NO_MORE = (
    "is left for another time: the rows before this one are about as many assignments as can be"
    " read at once, which are {limit:,}; try this row again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenAssignments:
    """What rows have seen, which must still be so when they are applied.

    Args:
        pairs: how users were on cases, by pair; None where they were not.
        wholes: cases and users, by table, of which rows have seen all assignments.
        own: pairs that the chunk itself has changed since.
    """

    pairs: Mapping[Pair, Present | None] = field(default_factory=dict)
    wholes: Mapping[Table, Collection[int]] = field(default_factory=dict)
    own: frozenset[Pair] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.pairs or self.wholes)

    def without(self, own: Collection[Pair]) -> SeenAssignments:
        """Leave pairs out that the chunk itself has changed: that is no race."""
        pairs = {pair: state for pair, state in self.pairs.items() if pair not in own}
        return replace(self, pairs=pairs, own=self.own.union(own))


async def read_current(
    context: ChunkContext, rows: Sequence[ReadRow], edits: Edits
) -> tuple[SeenAssignments, Show]:
    """Read the current assignments of rows without errors: a query for those of pairs, and one
    each for all of cases and of users.

    A row that is about too many assignments gets an error.

    Args:
        edits: those of earlier chunks of the file.

    Returns:
        what was read, and what shows it to rows: pairs that earlier chunks have changed are shown
        as they were before the file.
    """
    importer = context.importer
    if not importer.assignments:
        return SeenAssignments(), lambda _: ()
    sees: dict[str, See] = {}
    # First, as rows that are about too many fail, and are not looked at any further.
    wholes = [
        await _read_whole(context, rows, noun, columns)
        for noun in _TABLES
        if (columns := _columns_of(importer, noun))
    ]
    for whole in wholes:
        sees |= await _show_whole(context, whole, edits)
    stored, sees_pairs = await _read_pairs(context, rows, edits)
    seen = _seen(wholes, stored)
    sees |= sees_pairs
    in_order = [sees[name] for name in importer.assignments]
    return seen, lambda row: [see(row) for see in in_order]


class _Whole(NamedTuple):
    """All assignments of the cases, or of the users, of rows.

    Args:
        columns: the columns that name them: for each attribute the name and the place.
        ids: the primary keys.
    """

    noun: Noun
    columns: Mapping[str, tuple[str, int]]
    ids: Collection[int]
    found: Mapping[Pair, PresentAssignment]

    @property
    def side(self) -> int:
        """The index of the primary key in a (case, user) pair."""
        return list(_TABLES).index(self.noun)


def _seen(wholes: Sequence[_Whole], stored: Mapping[Pair, Present | None]) -> SeenAssignments:
    """Put together what several queries have read.

    Raises:
        RaceError: one of them has read what another did not.
    """
    if not wholes:
        return SeenAssignments(pairs=stored)
    pairs = dict(stored)
    for whole in wholes:
        pairs |= {pair: _state(each) for pair, each in whole.found.items()}
    for whole in wholes:
        side, found = whole.side, whole.found
        for pair, state in pairs.items():
            if pair[side] in whole.ids and _state(found.get(pair)) != state:
                raise RaceError
    if any(pairs[pair] != state for pair, state in stored.items()):
        raise RaceError
    return SeenAssignments(pairs=pairs, wholes={_TABLES[each.noun]: each.ids for each in wholes})


def _columns_of(importer: Importer, noun: Noun) -> Mapping[str, tuple[str, int]]:
    """Return for each attribute with all assignments the name and the place of its column."""
    places = {name: place for place, name in enumerate(importer.columns)}
    return {
        name: (each.column, places[each.column])
        for name, each in importer.assignments.items()
        if isinstance(each, AssignmentsOf) and each.noun == noun
    }


async def _show_whole(context: ChunkContext, whole: _Whole, edits: Edits) -> Mapping[str, See]:
    """Return what each attribute shows: all assignments as they were before the file."""
    before = {pair: state for pair, (state, _) in edits.items() if pair[whole.side] in whole.ids}
    shown = await _before_file(context, whole.found, before)
    listed = (by_case if whole.noun == "case" else by_user)(shown.values())
    return {name: _list_of(listed, place) for name, (_, place) in whole.columns.items()}


async def _read_pairs(
    context: ChunkContext, rows: Iterable[ReadRow], edits: Edits
) -> tuple[Mapping[Pair, Present | None], Mapping[str, See]]:
    """Return how the users of rows are on their cases, and what each attribute shows of it."""
    importer = context.importer
    columns = list(importer.columns)
    places = {
        name: (columns.index(each.case), columns.index(each.user))
        for name, each in importer.assignments.items()
        if isinstance(each, AssignmentOf)
    }
    if not places:
        return {}, {}
    good = [row for row in rows if not row.errors]
    pairs = {pair for row in good for place in places.values() if (pair := _pair(row, place))}
    found = await context.directory.assignments(pairs)
    stored = {pair: found.get(pair) for pair in pairs}
    shown = stored | {pair: context.assignment(state) for pair, (state, _) in edits.items()}
    sees = {name: _one_of(shown, place) for name, place in places.items()}
    return {pair: _state(each) for pair, each in stored.items()}, sees


def _state(assignment: Assignment | None) -> Present | None:
    return Present(assignment.role.id, assignment.notify) if assignment else None


def _one_of(shown: Mapping[Pair, Assignment | None], place: tuple[int, int]) -> See:
    def see(row: ReadRow) -> Assignment | None:
        pair = _pair(row, place)
        return shown.get(pair) if pair else None

    return see


def _pair(row: ReadRow, place: tuple[int, int]) -> Pair | None:
    case, user = row.values[place[0]], row.values[place[1]]
    return (case.id, user.id) if isinstance(case, Case) and isinstance(user, User) else None


def _list_of(listed: Mapping[int, Sequence[PresentAssignment]], place: int) -> See:
    def see(row: ReadRow) -> Sequence[PresentAssignment]:
        value = row.values[place]
        return listed.get(value.id, ()) if value else ()

    return see


async def _read_whole(
    context: ChunkContext,
    rows: Sequence[ReadRow],
    noun: Noun,
    columns: Mapping[str, tuple[str, int]],
) -> _Whole:
    try:
        return await _look_up(context, rows, noun, columns)
    except TooManyAssignmentsError:
        await _refuse_rows(context, rows, noun, columns.values())
    try:
        return await _look_up(context, rows, noun, columns)
    except TooManyAssignmentsError as error:
        # More than were counted.
        raise RaceError from error


async def _look_up(
    context: ChunkContext,
    rows: Iterable[ReadRow],
    noun: Noun,
    columns: Mapping[str, tuple[str, int]],
) -> _Whole:
    places = [place for _, place in columns.values()]
    values = (row.values[place] for row in rows if not row.errors for place in places)
    ids = {value.id for value in values if value}
    directory = context.directory
    lists = await (directory.users_of(ids) if noun == "case" else directory.cases_of(ids))
    found = {(each.case.id, each.user.id): each for of in lists.values() for each in of}
    return _Whole(noun, columns, ids, found)


async def _refuse_rows(
    context: ChunkContext,
    rows: Iterable[ReadRow],
    noun: Noun,
    columns: Collection[tuple[str, int]],
) -> None:
    """Give rows an error that come after those that are about as many assignments as can be read.

    In the order of the file, so that it does not depend on when a chunk is run.
    """
    named = [
        (row, name, row.values[place].id)
        for row in rows
        if not row.errors
        for name, place in columns
        if row.values[place]
    ]
    counts = await _counts(context.directory, noun, {each for _, _, each in named})
    left, kept = MOST_ASSIGNMENTS, set[int]()
    for row, name, each in named:
        if each in kept or row.errors:
            continue
        if counts[each] > left:
            template = _TOO_MANY[noun] if counts[each] > MOST_ASSIGNMENTS else _NO_MORE
            error = RowError(name, "TOO_MANY_ASSIGNMENTS", template, limit=MOST_ASSIGNMENTS)
            row.errors = [context.row_error(error, row)]
            continue
        left -= counts[each]
        kept.add(each)


async def _counts(directory: Directory, noun: Noun, ids: Collection[int]) -> Mapping[int, int]:
    by_role = await (directory.count_users(ids) if noun == "case" else directory.count_cases(ids))
    counts = Counter[int]()
    for (each, _), count in by_role.items():
        counts[each] += count
    return counts


async def _before_file(
    context: ChunkContext,
    found: Mapping[Pair, PresentAssignment],
    before: Mapping[Pair, Present | None],
) -> Mapping[Pair, PresentAssignment]:
    """Return assignments as they were before earlier chunks of the file have changed them."""
    if not before:
        return found
    cases, users = await context.store.read_entities(*map(set, zip(*before, strict=True)))
    past = {pair: context.assignment(state) for pair, state in before.items()}
    restored = {
        (case_id, user_id): PresentAssignment(
            case=cases[case_id], user=users[user_id], role=each.role, notify=each.notify
        )
        for (case_id, user_id), each in past.items()
        if each
    }
    return {pair: each for pair, each in found.items() if pair not in before} | restored


async def read_again(
    context: ChunkContext, seen: SeenAssignments, changed: Collection[Pair], *, lock: bool
) -> Mapping[Pair, Present]:
    """Read assignments as they are when the chunk is written: those that rows change, or have seen.

    Args:
        lock: let them stay as they are until the chunk's transaction ends.

    Raises:
        RaceError: they are no longer as the rows have seen them.
    """
    store = context.store
    for table, ids in seen.wholes.items():
        pairs = await store.hold_pairs(table, ids, lock=lock)
        if not pairs <= seen.pairs.keys() | seen.own:
            raise RaceError
    current = await store.read_assignments(seen.pairs.keys() | set(changed), lock=lock)
    if any(current.get(pair) != state for pair, state in seen.pairs.items()):
        raise RaceError
    return current
