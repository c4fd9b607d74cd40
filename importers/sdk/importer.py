"""The importer: the plugin that says what a file means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from importers.sdk.assignment_of import AssignmentOf
from importers.sdk.columns import Column
from importers.sdk.header import HeaderSpec
from importers.sdk.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from importers.sdk.changes import Answer
    from importers.sdk.errors import RowError
    from importers.sdk.every_row import EveryRow
    from importers.sdk.row import Row


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
    """What rows are told of present assignments, by name; filled in by the class itself."""

    every_row: ClassVar[EveryRow | None] = None
    """What every row asks for, in the place of `change`."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        own = vars(cls).items()
        columns = {name: value for name, value in own if isinstance(value, Column)}
        cls.columns = {**cls.columns, **columns}
        present = {name: value for name, value in own if isinstance(value, AssignmentOf)}
        cls.assignments = {**cls.assignments, **present}
        for name, each in present.items():
            for column in (each.case, each.user):
                if column not in cls.columns:
                    raise TypeError(f"{cls.__name__}.{name}: there is no column {column!r}")

    def check_chunk(
        self, rows: Sequence[Row], memo: dict[Any, Any]
    ) -> Iterable[tuple[Row, RowError]]:
        """Look at rows together, before `change` is asked about each: name those that are wrong.

        Called once for each chunk, with its rows whose cells are all right, in the order of the
        file. Rows with the same value in an `is_key` column are in one chunk, or, where these are
        too many, in chunks that are run one after another and share the memo; others may be in
        any, so compare none but those.

        Args:
            rows: the chunk's.
            memo: what this method has put in it for earlier rows; keys are texts, numbers or
                tuples of them, values what JSON can hold, and tuples come back as lists.

        Returns:
            each row that fails, with what is wrong with it; a row may come several times.

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
            ...                 yield row, RowError("day", "BUSY", f"row {first} has it too.")
        """
        return ()

    def change(self, row: Row) -> Answer | Iterable[Answer] | None:
        """Say what the row asks for: one change, several, or none.

        Called for each row whose cells are all right. It may depend on the row and the day alone:
        rows are asked about again when something has changed meanwhile.

        Args:
            row: with an attribute for each column.

        Returns:
            a change; a list of changes, or what a generator yields, of which all are made or none;
            or None for nothing.

        Raises:
            RowError: the row can't be carried out.
        """
        if self.every_row is None:
            raise NotImplementedError
        return self.every_row.change(row)


def header_spec(importer: Importer) -> HeaderSpec:
    """Describe the header that the importer's files have."""
    return HeaderSpec(
        key=importer.key,
        label=importer.label,
        columns={name: column.required for name, column in importer.columns.items()},
    )
