"""The importer: the plugin that says what a file means, and what it declares beside columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from importers.sdk.columns import Column
from importers.sdk.errors import ConfigError
from importers.sdk.plugin import Plugin
from importers.sdk.references import CaseRef, Reference, UserRef

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from importers.sdk.cells.suggestions import Noun
    from importers.sdk.changes import Answer, Assign, AtWorst, Change, Modify, Remove
    from importers.sdk.directory import Directory
    from importers.sdk.errors import RowError
    from importers.sdk.row import FailedRow, FileRows, Row

_REFERENCES: Mapping[Noun, type[Reference[Any]]] = {"case": CaseRef, "user": UserRef}


class AssignmentOf:
    """How a row's user is on its case before the import: an `Assignment`, or None.

    An attribute of the importer, but no column of the file. Rows see the assignment as it was
    before any row of the file was applied. If it has changed by the time the chunk is written, the
    chunk is run again.

    Args:
        case: name of the column that holds the case.
        user: name of the column that holds the user.

    Example:
        >>> class Promotion(Importer):
        ...     label = "Promotions"
        ...     matter = CaseRef(required=True, example="trv-001")
        ...     person = UserRef(required=True, example="jones-001")
        ...     role = RoleRef(required=True, example="staff")
        ...     present = AssignmentOf("matter", "person")
        ...
        ...     def change(self, row):
        ...         if row.present is None:
        ...             return Unchanged("is not on the matter")
        ...         return Modify(case=row.matter, user=row.person, role=row.role)
    """

    name: str
    """The attribute's name, by which rows have it."""

    def __init__(self, case: str, user: str) -> None:
        self.name = ""
        self.case = case
        self.user = user

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name


class AssignmentsOf:
    """All cases that a row's user is on, or all people on a row's case, before the import.

    An attribute of the importer, but no column of the file. Rows have a sequence of
    `PresentAssignment`, which is empty if there are none or the cell is blank. They see what was
    stored before any row of the file was applied. If any of it has changed by the time the chunk is
    written, or an assignment was added, the chunk is run again.

    Rows are kept together by all the importer's columns of users (of cases, with `case`), and each
    assignment that `change` changes must be of one of these users (cases).

    Args:
        user: name of the column that holds the user, a `UserRef`.
        case: in its place, name of the column that holds the case, a `CaseRef`.

    Example:
        >>> class Leavers(Importer):
        ...     label = "Leavers"
        ...     person = UserRef(required=True, example="jones-001")
        ...     present = AssignmentsOf(user="person")
        ...
        ...     def change(self, row):
        ...         return [Remove(case=each.case, user=each.user) for each in row.present]
    """

    name: str
    """The attribute's name, by which rows have it."""

    noun: Noun
    """What the column names, `case` or `user`."""

    column: str
    """The column's name."""

    def __init__(self, *, user: str | None = None, case: str | None = None) -> None:
        column = case if user is None else user
        if column is None or None not in (user, case):
            raise TypeError("AssignmentsOf takes the name of one column: either user= or case=")
        self.name = ""
        self.noun = "case" if user is None else "user"
        self.column = column

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name


class EveryRow:
    """Say that every row asks for one change of an assignment, made of the row's columns.

    It stands for `Importer.change`, and lets the engine take all rows of a chunk at once.

    Args:
        kind: `Assign`, `Modify` or `Remove`.
        columns: for each field of the change the name of a column.

    Example:
        >>> class Leavers(Importer):
        ...     label = "Leavers"
        ...     matter = CaseRef(required=True, example="trv-001")
        ...     person = UserRef(required=True, example="jones-001")
        ...     every_row = EveryRow(Remove, case="matter", user="person")
    """

    def __init__(self, kind: type[Assign | Modify | Remove], **columns: str) -> None:
        self.kind = kind
        self.columns: Mapping[str, str] = columns

    def change(self, row: Row) -> Change:
        """Make the change that a row asks for."""
        return self.kind(**{field: getattr(row, name) for field, name in self.columns.items()})


class Importer(Plugin):
    """Say which columns a file has and what one row of it means.

    Columns are class attributes; their order is that of the sample file. A file is read in chunks,
    by several workers at the same time: an importer keeps nothing between rows.

    Example:
        >>> class Leavers(Importer):
        ...     label = "Leavers"
        ...     case = CaseRef(required=True, example="trv-001")
        ...     person = UserRef(required=True, by="email", example="jo@example.org")
        ...
        ...     def change(self, row):
        ...         return Remove(case=row.case, user=row.person)
    """

    label: ClassVar[str] = ""
    """What menus call this type of import."""

    columns: Mapping[str, Column[Any]] = {}
    """The columns by name, in the order of their definition; filled in by the class itself, and by
    an instance with those that its settings complete."""

    assignments: ClassVar[Mapping[str, AssignmentOf | AssignmentsOf]] = {}
    """The present assignments that rows have, by attribute; filled in by the class itself."""

    every_row: ClassVar[EveryRow | None] = None
    """What every row asks for, in the place of `change`."""

    group_by: ClassVar[str | None] = None
    """The column whose rows with the same value are one group, for `change_group`."""

    at_worst: ClassVar[AtWorst] = "removes"
    """What a row may do at worst, `adds`, `changes` or `removes`, which `every_row` says by itself.

    A file that lacks a column of its type is said to look like one of another type only if that
    type does nothing worse."""

    other_columns: ClassVar[Literal["refuse", "ignore"]] = "refuse"
    """What becomes of a file with columns that are not the importer's: `refuse` it, so that no
    mistyped name of a column goes unnoticed, or `ignore` them, with a warning on the import that
    names them."""

    sends_mails: ClassVar[bool] = True
    """Whether a row that leaves an assignment with notify sends a mail."""

    # The columns by which rows are kept together that can change the same assignments: those of
    # users, if the importer takes all assignments of users; those of cases likewise. Empty if it
    # takes both, as any two rows may then change the same one. None if it takes neither.
    _ordering: ClassVar[Sequence[str] | None] = None

    def __init__(self, key: str = "", settings: Any = None) -> None:
        super().__init__(key, settings)
        # Settings without defaults may not be given: the columns stay as the class has them.
        if self.settings is not None or self.Settings is None:
            self.columns = _completed(self.columns, self.settings)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        own = vars(cls).items()
        columns = {name: value for name, value in own if isinstance(value, Column)}
        # As in dataclasses: the base's columns come first, and one that is redefined keeps its
        # place.
        cls.columns = {**_declared(cls, "columns"), **columns}
        for name, found in cls.columns.items():
            # Python names only those that are attributes; `columns` itself may hold others.
            if isinstance(found, Column) and not found.name:
                found.__set_name__(cls, name)
        kinds = (AssignmentOf, AssignmentsOf)
        present = {name: value for name, value in own if isinstance(value, kinds)}
        cls.assignments = {**_declared(cls, "assignments"), **present}
        for name, each in cls.assignments.items():
            if problem := _unfit_column(each, cls.columns):
                raise TypeError(f"{cls.__name__}.{name}: {problem}")
        cls._ordering = _ordering_columns(cls)

    async def check_file(self, rows: FileRows, directory: Directory) -> Iterable[RowError] | None:
        """Look at all rows of a file before any of them is applied; refuse the file or let it pass.

        Called once for each upload, in a dry run too, after the file was read to its end; again if
        the worker is lost meanwhile. Not called where failed rows are tried again or a plan is
        applied: their file has passed. Keep of the rows what the check needs, and no more: a file
        may have millions.

        Args:
            rows: all rows of the file, to be read with `async for`. They have what the columns
                have read, and no present assignments.
            directory: reads what is stored of the app.

        Returns:
            why the file is refused, or nothing. The column of an error is None, or a column's name
            if all its cells are at fault; a message may name rows by their numbers.

        Example:
            >>> class FullRoster(Importer):
            ...     label = "Full roster"
            ...     matter = CaseRef(required=True, example="trv-001")
            ...     person = UserRef(required=True, example="jack-001")
            ...     every_row = EveryRow(Remove, case="matter", user="person")
            ...
            ...     async def check_file(self, rows, directory):
            ...         count = len([None async for _ in rows])
            ...         if count > 500:
            ...             fault = "The file removes {count:,} people; 500 are the most."
            ...             return [RowError(None, "TOO_MANY", fault, count=count)]
        """
        return None

    def check_chunk(
        self, rows: Sequence[Row], memo: dict[Any, Any]
    ) -> Iterable[tuple[Row, RowError]]:
        """Compare the rows of a chunk before `change` is called for each; name those that fail.

        Called for each chunk, with its rows whose cells could all be read, in the order of the
        file, and again if the chunk is run again. Rows with the same value in an `is_key` column
        are in one chunk or, where there are too many for one, in chunks that run one after another
        and share the memo. Other rows may be in any chunk, so compare only rows with the same key.

        Args:
            rows: the chunk's.
            memo: what this method has put in it for earlier rows; keys are texts, numbers or
                tuples of them, values what JSON can hold, and tuples come back as lists.

        Returns:
            each row that fails, with its error; a row may occur several times.

        Example:
            >>> class Rotas(Importer):
            ...     label = "Rotas"
            ...     person = UserRef(required=True, is_key=True, example="jack-001")
            ...     day = Date(required=True, example="01/31/2026")
            ...
            ...     def check_chunk(self, rows, memo):
            ...         for row in rows:
            ...             first = memo.setdefault((row.person.id, str(row.day)), row.number)
            ...             if first != row.number:
            ...                 fault = "row {first} has it too."
            ...                 yield row, RowError("day", "BUSY", fault, first=first)
        """
        return ()

    def change(self, row: Row) -> Answer | Iterable[Answer] | None:
        """Say what the row asks for: one change, several, or none.

        Called for each row whose cells are all right. The answer may depend on the row and the day
        alone: the engine calls it again for a row when it runs a chunk again.

        Args:
            row: with an attribute for each column.

        Returns:
            a change; a list or generator of changes, of which all are made or none; or None for
            nothing.

        Raises:
            RowError: the row can't be carried out.
        """
        if self.every_row is None:
            raise NotImplementedError
        return self.every_row.change(row)

    def _every_row_of(self, rows: Iterable[Sequence[Any]]) -> EveryRow | None:
        """Return what all of some rows ask for, given their values; None if they may differ."""
        return self.every_row if type(self).change is Importer.change else None

    def change_group(
        self, key: Any, rows: Sequence[Row], failed_rows: Sequence[FailedRow]
    ) -> Iterable[tuple[Row | None, Answer | Iterable[Answer] | RowError | None]]:
        """Say what all rows of a group ask for, in the place of `change`.

        Called for each value of the column `group_by` with all rows that have it, however large
        the file is, once at least one of them can be read. The answer may depend on these and the
        day alone: the engine calls it again when it runs a chunk again.

        Args:
            key: the value of the column.
            rows: those whose cells could all be read, in the order of the file.
            failed_rows: the others.

        Returns:
            pairs of a row and what it asks for, as `change` returns it, or the `RowError` that it
            fails with. A row may occur several times, which adds up; one that does not occur asks
            for nothing. None in the place of a row stands for the group: such changes belong to no
            row of the file. They are made only if every row of the group passes, and if no row
            whose own group can't be read could mean the same. The group's first row tells of them.

        Raises:
            RowError: no row of the group can be carried out.

        Example:
            >>> class Teams(Importer):
            ...     label = "Teams of one lead"
            ...     group_by = "case"
            ...     case = CaseRef(required=True, example="trv-001")
            ...     person = UserRef(required=True, example="jack-001")
            ...
            ...     def change_group(self, key, rows, failed_rows):
            ...         if len(rows) + len(failed_rows) > 3:
            ...             raise RowError("case", "LARGE_TEAM", "has more than three people.")
            ...         for row in rows:
            ...             yield row, Remove(case=key, user=row.person)
        """
        raise NotImplementedError


def _completed(columns: Mapping[str, Column[Any]], settings: Any) -> Mapping[str, Column[Any]]:
    """Return the columns with what they take from settings.

    Raises:
        ConfigError: what columns take is missing or can't be used.
    """
    completed, problems = dict(columns), list[str]()
    for name, column in columns.items():
        if not isinstance(column, Column):
            continue
        try:
            completed[name] = column._with_settings(settings)
        except ConfigError as error:
            problems += [f"its column '{name}' {problem}" for problem in error.problems]
    if problems:
        raise ConfigError(problems)
    return completed


def _declared(importer_class: type[Importer], name: str) -> Mapping[str, Any]:
    """Return what the class or its bases have by this name, unless that is a column so called."""
    found = (vars(each).get(name) for each in importer_class.__mro__)
    return next(each for each in found if isinstance(each, Mapping))


def _unfit_column(
    present: AssignmentOf | AssignmentsOf, columns: Mapping[str, object]
) -> str | None:
    """Say which column can't name the case or the user; None if all can."""
    named: list[tuple[str, Noun]]
    if isinstance(present, AssignmentsOf):
        named = [(present.column, present.noun)]
    else:
        named = [(present.case, "case"), (present.user, "user")]
    for name, noun in named:
        column, kind = columns.get(name), _REFERENCES[noun]
        if column is None:
            return f"there is no column {name!r}"
        # A look-up of a plugin's own may find cases and users; by which of its columns rows are to
        # be kept together, it can't say.
        is_fit = isinstance(column, kind)
        if isinstance(present, AssignmentOf) and isinstance(column, Reference):
            is_fit = noun in column._may_name
        if not is_fit:
            return f"the column {name!r} names no {noun}: make it a {kind.__name__}"
    return None


def _ordering_columns(importer_class: type[Importer]) -> Sequence[str] | None:
    declared = importer_class.assignments.values()
    nouns = {each.noun for each in declared if isinstance(each, AssignmentsOf)}
    if not nouns:
        return None
    if len(nouns) > 1:
        return ()
    kind = _REFERENCES[nouns.pop()]
    columns = importer_class.columns.items()
    return tuple(name for name, column in columns if isinstance(column, kind))
