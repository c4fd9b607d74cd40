"""The importer: the plugin that says what a file means, and what it declares beside columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from importers.sdk.columns import Column
from importers.sdk.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from importers.sdk.changes import Answer, Assign, AtWorst, Change, Modify, Remove
    from importers.sdk.directory import Directory
    from importers.sdk.errors import RowError
    from importers.sdk.row import FileRows, Row


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

    columns: ClassVar[Mapping[str, Column[Any]]] = {}
    """The columns by name, in the order of their definition; filled in by the class itself."""

    assignments: ClassVar[Mapping[str, AssignmentOf]] = {}
    """The present assignments that rows have, by attribute; filled in by the class itself."""

    every_row: ClassVar[EveryRow | None] = None
    """What every row asks for, in the place of `change`."""

    at_worst: ClassVar[AtWorst] = "removes"
    """What a row may do at worst, `adds`, `changes` or `removes`, which `every_row` says by itself.

    A file that lacks a column of its type is said to look like one of another type only if that
    type does nothing worse."""

    sends_mails: ClassVar[bool] = True
    """Whether a row that leaves an assignment with notify sends a mail."""

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
        present = {name: value for name, value in own if isinstance(value, AssignmentOf)}
        cls.assignments = {**_declared(cls, "assignments"), **present}
        for name, each in present.items():
            for column in (each.case, each.user):
                if column not in cls.columns:
                    raise TypeError(f"{cls.__name__}.{name}: there is no column {column!r}")

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


def _declared(importer_class: type[Importer], name: str) -> Mapping[str, Any]:
    """Return what the class or its bases have by this name, unless that is a column so called."""
    found = (vars(each).get(name) for each in importer_class.__mro__)
    return next(each for each in found if isinstance(each, Mapping))
