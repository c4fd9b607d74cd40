"""The importer: what a plugin is."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, ClassVar

from importers.columns import Column
from importers.header import HeaderSpec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from importers.changes import Change
    from importers.row import Row


class Importer:
    """Say which columns a file has and what one row of it means.

    Columns are class attributes; their order is that of the sample file. `settings` holds an
    instance of the class's `Settings`, filled from `plugins.toml`.

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

    Settings: ClassVar[type | None] = None
    """A dataclass of the settings that `plugins.toml` may give."""

    columns: ClassVar[Mapping[str, Column[Any]]] = {}
    """The columns by name, in the order of their definition; filled in by the class itself."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Column)}
        cls.columns = {**cls.columns, **own}

    def __init__(self, key: str = "", settings: Any = None) -> None:
        self.key = key
        self.settings = settings

    @property
    def description(self) -> str:
        """The first paragraph of the class's docstring."""
        return (inspect.getdoc(type(self)) or "").partition("\n\n")[0].replace("\n", " ")

    def change(self, row: Row) -> Change | Iterable[Change] | None:
        """Say what the row asks for: one change, several, or none.

        Called once for each row whose cells are all right. Must not keep anything between rows.

        Raises:
            RowError: the row can't be carried out.
        """
        raise NotImplementedError


def header_spec(importer: Importer) -> HeaderSpec:
    """Describe the header that the importer's files have."""
    return HeaderSpec(
        key=importer.key,
        label=importer.label,
        columns={name: column.required for name, column in importer.columns.items()},
    )
