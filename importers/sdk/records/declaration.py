"""What a class of records declares: a table, its columns and its key."""

from __future__ import annotations

import re
from dataclasses import MISSING, dataclass, fields
from datetime import date
from decimal import Decimal
from functools import cached_property
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

from importers.sdk.entities import Case, User

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from models.own_table import OwnTable

KeepDays = int | Literal["imports"] | None

_TYPES: Mapping[type, str] = {
    str: "text",
    int: "bigint",
    Decimal: "numeric",
    date: "date",
    bool: "boolean",
    Case: "bigint",
    User: "bigint",
}
_REFERRED: Mapping[type, str] = {Case: "cases", User: "users"}
# Values of their subclasses will do; but a `bool` is no number, and a `datetime` no day.
_OPEN = (str, Decimal, Case, User)
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+", re.ASCII)
_COLUMN = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_RESERVED = ("app_id", "changed_at", "inverse")
_LONGEST_NAME = 63
_MOST = 1 << 63


# Without slots, for what is found once for many thousand records.
@dataclass(frozen=True, kw_only=True)
class RecordField:
    """One field of a record, and the column that stores it.

    Args:
        name: the attribute.
        column: `case_id` for a case in the attribute `case`; else the attribute's name.
        type: of its values.
        is_optional: whether it may be None.
        default: as a column has it; `MISSING` if there is none.
    """

    name: str
    column: str
    type: type
    is_optional: bool
    default: Any

    def check(self, value: Any) -> None:
        """Make sure that the field can have a value.

        Raises:
            TypeError, ValueError: it can't.
        """
        is_fit = type(value) is self.type or (value is None and self.is_optional)
        if not (is_fit or (self.type in _OPEN and isinstance(value, self.type))):
            raise TypeError(f"{self.name} has to be {self.type.__name__}, not {value!r:.80}")
        if type(value) is int and abs(value) >= _MOST:
            raise ValueError(f"{self.name} has to fit into 64 bits: {value}")
        if type(value) is Decimal and not value.is_finite():
            raise ValueError(f"{self.name} has to be a number, not {value}")

    @cached_property
    def is_entity(self) -> bool:
        """Whether its values are cases or users, of which the column has the primary key."""
        return self.type in _REFERRED

    @cached_property
    def is_plain(self) -> bool:
        """Whether JSON can hold what its column has."""
        return self.type not in (Decimal, date)

    def stored(self, value: Any) -> Any:
        """Return a value as its column has it; a primary key is that of a case or user already."""
        return getattr(value, "id", value) if self.is_entity else value

    def plain(self, stored: Any) -> Any:
        """Return what its column has as JSON can hold it: numbers as texts, days as ISO dates."""
        if self.is_plain or stored is None:
            return stored
        return format(stored, "f") if self.type is Decimal else stored.isoformat()

    def comparable(self, stored: Any) -> Any:
        """Return what its column has as texts and numbers that are equal where values are."""
        return self.plain(stored.normalize() if self.type is Decimal and stored else stored)

    def parsed(self, plain: Any) -> Any:
        """Return what its column has, given what `plain` has made of it."""
        if plain is None or self.type not in (Decimal, date):
            return plain
        return Decimal(plain) if self.type is Decimal else date.fromisoformat(plain)


@dataclass(frozen=True, kw_only=True, eq=False)
class TableDeclaration:
    """A plugin's own table.

    Args:
        record: the class that declares it.
        noun: what one record is called in messages, e.g. `rate`.
        fields: by their columns, in the order of their declaration.
        key: those that tell one record from others of the same app.
        keep_days: how long a record is kept after its last change; `imports` stands for as long as
            the results of imports, None for ever.
    """

    record: type
    name: str
    noun: str
    fields: Mapping[str, RecordField]
    key: Sequence[RecordField]
    keep_days: KeepDays

    @cached_property
    def own_table(self) -> OwnTable:
        """The table as `models` makes it."""
        from models.own_table import OwnColumn, OwnTable  # noqa: PLC0415 - the SDK loads no driver

        columns = [
            OwnColumn(
                name=field.column,
                type=_TYPES[field.type],
                refers_to=_REFERRED.get(field.type),
                is_optional=field.is_optional,
                default=None if field.default is MISSING else field.default,
            )
            for field in self.fields.values()
        ]
        return OwnTable(self.name, tuple(columns), tuple(self.key_columns), self.keep_days)

    @cached_property
    def referring(self) -> dict[str, str]:
        """The columns of the key that hold the case and the user: `{"case_id": "case_id"}`."""
        kinds = {"case_id": Case, "user_id": User}
        return {
            name: field.column
            for name, kind in kinds.items()
            for field in reversed(self.key)
            if field.type is kind
        }

    @cached_property
    def blank(self) -> dict[str, Any]:
        """What a record has that gives only what it must: the defaults of its other columns."""
        return {
            column: None if field.default is MISSING else field.default
            for column, field in self.fields.items()
            if field.is_optional or field.default is not MISSING
        }

    def side(self, values: Mapping[str, Any], columns: Iterable[str]) -> dict[str, Any]:
        """Return one side of a difference: the key and some columns, with their plain values.

        The case and the user that the difference names anyway are left out.
        """
        left_out = self.referring.values()
        return {
            column: self.fields[column].plain(values[column])
            for column in dict.fromkeys([*self.key_columns, *columns])
            if column not in left_out
        }

    @cached_property
    def key_columns(self) -> Sequence[str]:
        """The columns of the key."""
        return [field.column for field in self.key]


def declare(
    record: type,
    name: object,
    key: str | Sequence[str],
    keep_days: KeepDays,
    scope: Mapping[str, Any],
) -> TableDeclaration:
    """Read what a class of records declares.

    Args:
        scope: the names that its annotations may have.

    Raises:
        TypeError: no table can be made of it.
    """
    where = record.__name__
    if not (isinstance(name, str) and _NAME.fullmatch(name) and len(name) <= _LONGEST_NAME):
        hint = "small letters, and your own name before a _, such as acme_rates"
        raise TypeError(f"{where}: a table can't be called {name!r:.80}: use {hint}")
    if not (keep_days in (None, "imports") or (type(keep_days) is int and keep_days > 0)):
        raise TypeError(f"{where}: keep_days is a number of days, or 'imports', not {keep_days!r}")
    found = _fields_of(record, scope)
    names = (key,) if isinstance(key, str) else tuple(key)
    for each in names:
        if each not in found or found[each].is_optional:
            raise TypeError(f"{where}: its key needs the field {each!r}, which can't be None")
    if not names or len(set(names)) < len(names):
        raise TypeError(f"{where}: its key names the fields that tell its records apart, each once")
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", where)
    return TableDeclaration(
        record=record,
        name=name,
        noun=" ".join(words).lower(),
        fields={each.column: each for each in found.values()},
        key=[found[each] for each in names],
        keep_days=keep_days,
    )


def _fields_of(record: type, scope: Mapping[str, Any]) -> dict[str, RecordField]:
    """Return the fields of a class of records by their names."""
    try:
        hints = get_type_hints(record, localns=dict(scope))
    except NameError as error:
        hint = "import it where the class can see it, and not for type checkers alone"
        raise TypeError(f"{record.__name__}: {error}: {hint}") from error
    found: dict[str, RecordField] = {}
    for each in fields(record):
        field = _field_of(record.__name__, each.name, hints[each.name], each.default)
        if any(field.column == other.column for other in found.values()):
            raise TypeError(f"{record.__name__}: two fields have the column {field.column!r}")
        found[each.name] = field
    return found


def _field_of(where: str, name: str, hint: Any, default: Any) -> RecordField:
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    wanted = [kind for kind in kinds if kind is not NoneType]
    if len(wanted) != 1 or wanted[0] not in _TYPES:
        known = ", ".join(kind.__name__ for kind in _TYPES)
        raise TypeError(f"{where}.{name}: a field is one of {known}, perhaps or None, not {hint}")
    (kind,) = wanted
    column = f"{name}_id" if kind in _REFERRED and not name.endswith("_id") else name
    if not _COLUMN.fullmatch(column) or len(column) > _LONGEST_NAME or name in _RESERVED:
        raise TypeError(f"{where}: a field can't be called {name!r}")
    field = RecordField(
        name=name, column=column, type=kind, is_optional=len(kinds) > 1, default=default
    )
    if default is not MISSING:
        if kind in _REFERRED and default is not None:
            raise TypeError(f"{where}.{name}: a {kind.__name__} can't be a default")
        field.check(default)
    return field
