"""What an upload says of its file's header: names that are not those of the type's columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from importers.sdk.columns import column_name
from importers.sdk.errors import ErrorDetail, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

IGNORED = frozenset({"row", "errors"})
"""Columns that a download of failed rows adds; every type accepts and ignores them."""

_PASSED_OVER = "row"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderMapping:
    """What names in a header stand for, as an upload says it.

    Args:
        columns: name in the header → column of the type.
        ignored: names in the header of columns that are passed over.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    ignored: Sequence[str] = ()

    def columns_of(self, header: Iterable[str]) -> list[str]:
        """Return the columns that the names in a header mean; those of ignored ones stay."""
        meant = {column_name(name): column for name, column in self.columns.items()}
        return [meant.get(name, name) for name in map(column_name, header)]

    def names(self, header: Iterable[str]) -> list[str]:
        """Return the columns that the names in a header mean, without those that are ignored."""
        ignored = set(map(column_name, self.ignored))
        # As if it were a column that every type passes over.
        return [
            _PASSED_OVER if column_name(written) in ignored else name
            for written, name in zip(header, self.columns_of(header), strict=True)
        ]

    def absent(self, header: Iterable[str]) -> list[str]:
        """Return the names of the mapping that the header lacks."""
        present = set(map(column_name, header))
        return [name for name in (*self.columns, *self.ignored) if column_name(name) not in present]

    def warnings(self) -> list[ErrorDetail]:
        """Say which columns are passed over."""
        if not self.ignored:
            return []
        template = "The columns {columns} were passed over, as the upload has asked."
        return [ErrorDetail.of("IGNORED_COLUMNS", template, columns=quoted_names(self.ignored))]

    def as_stored(self) -> dict[str, Any] | None:
        """Return what is stored of it; None if it says nothing."""
        if not (self.columns or self.ignored):
            return None
        return {"columns": dict(self.columns), "ignored": list(self.ignored)}

    @classmethod
    def of(cls, stored: Mapping[str, Any] | None) -> HeaderMapping:
        return cls(**stored) if stored else cls()


def quoted_names(names: Sequence[str], *, most: int = 10) -> str:
    return ", ".join(f"'{printable(name[:100])}'" for name in names[:most])
