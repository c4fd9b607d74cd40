"""Plugins' own tables as they declare them: created, given new columns, and compared."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asyncpg import Connection

_CHANGED_AT = '"changed_at" timestamp with time zone NOT NULL DEFAULT now()'


class OwnColumn(NamedTuple):
    """A column of a plugin's own table.

    Args:
        type: PostgreSQL's name of it.
        refers_to: the table whose primary key it holds, if it does.
        default: for records that there are already when the column is new; None for none.
    """

    name: str
    type: str
    refers_to: str | None = None
    is_optional: bool = False
    default: Any = None

    @property
    def definition(self) -> str:
        """The column as it is defined: `"case_id" bigint NOT NULL REFERENCES cases …`."""
        parts = [f'"{self.name}" {self.type}']
        if not self.is_optional:
            parts.append("NOT NULL")
        if self.default is not None:
            parts.append(f"DEFAULT {_literal(self.default)}")
        if self.refers_to:
            action = "SET NULL" if self.is_optional else "CASCADE"
            parts.append(f"REFERENCES {self.refers_to} ON DELETE {action}")
        return " ".join(parts)


class OwnTable(NamedTuple):
    """A plugin's own table. Beside its columns it has `app_id`, which its primary key begins with.

    Args:
        key: the columns that tell an app's records apart.
        keep_days: how long records are kept after their last change, which `changed_at` says then;
            `imports` stands for as long as the results of imports, None for ever.
    """

    name: str
    columns: tuple[OwnColumn, ...]
    key: tuple[str, ...]
    keep_days: Any = None

    @property
    def primary_key(self) -> list[str]:
        return ["app_id", *self.key]


class StoredColumn(NamedTuple):
    """A column as it is stored."""

    type: str
    is_optional: bool
    has_default: bool


class StoredTable(NamedTuple):
    """A table as it is stored."""

    columns: Mapping[str, StoredColumn]
    primary_key: Sequence[str]


async def read_table(db: Connection, name: str) -> StoredTable | None:
    """Read how a table is stored; None if there is none."""
    sql = """
        SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type,
          NOT a.attnotnull AS is_optional, a.atthasdef OR a.attidentity <> '' AS has_default,
          array_position(i.indkey::int2[], a.attnum) AS place
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
        WHERE c.relname = $1 AND c.relnamespace = current_schema()::regnamespace
          AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY a.attnum
    """
    rows = await db.fetch(sql, name)
    if not rows:
        return None
    placed = sorted((row["place"], row["name"]) for row in rows if row["place"] is not None)
    columns = {row[0]: StoredColumn(*row[1:4]) for row in rows}
    return StoredTable(columns, [name for _, name in placed])


def find_misfit(table: OwnTable, stored: StoredTable) -> str | None:
    """Say why a stored table can't be made what a plugin declares, or None if it can.

    Only what is new can be added. What is otherwise has to be changed by a migration of the
    plugin's own, as only its author knows what becomes of the records that there are.
    """
    where = f"its table '{table.name}'"
    if list(stored.primary_key) != table.primary_key:
        there, wanted = (", ".join(names) for names in (stored.primary_key, table.primary_key))
        return f"{where} has the primary key ({there}) and is declared with ({wanted})"
    declared = {column.name: column for column in table.columns}
    for name, column in declared.items():
        found = stored.columns.get(name)
        if found is None and not column.is_optional and column.default is None:
            return f"{where} has no column '{name}', which needs a default, or may be None"
        if found and (found.type, found.is_optional) != (column.type, column.is_optional):
            return f"{where} has the column '{name}' otherwise: {_shown(found)}"
    for name, found in stored.columns.items():
        is_needed = not (found.is_optional or found.has_default)
        if name not in declared and is_needed and name != "app_id":
            return f"{where} has the column '{name}', which is not declared and may not be null"
    return None


def _shown(column: StoredColumn) -> str:
    return column.type if column.is_optional else f"{column.type} NOT NULL"


def creation(table: OwnTable) -> list[str]:
    """Return the statements that create a table.

    CREATE TABLE "acme_rates" (app_id bigint NOT NULL REFERENCES apps ON DELETE CASCADE,
      "case_id" bigint NOT NULL REFERENCES cases ON DELETE CASCADE, "cents" bigint NOT NULL,
      PRIMARY KEY ("app_id", "case_id"))
    """
    columns = ["app_id bigint NOT NULL REFERENCES apps ON DELETE CASCADE"]
    columns += [column.definition for column in table.columns]
    if table.keep_days:
        columns.append(_CHANGED_AT)
    key = ", ".join(f'"{name}"' for name in table.primary_key)
    create = f'CREATE TABLE "{table.name}" ({", ".join(columns)}, PRIMARY KEY ({key}))'
    return [create, *([_age_index(table)] if table.keep_days else [])]


def addition(table: OwnTable, stored: StoredTable) -> list[str]:
    """Return the statements that give a table the columns that it lacks.

    ALTER TABLE "acme_rates" ADD COLUMN "currency" text NOT NULL DEFAULT 'USD'
    """
    new = [column.definition for column in table.columns if column.name not in stored.columns]
    is_young = table.keep_days is not None and "changed_at" not in stored.columns
    columns = [*new, *([_CHANGED_AT] if is_young else [])]
    added = [f'ALTER TABLE "{table.name}" ADD COLUMN {column}' for column in columns]
    return [*added, *([_age_index(table)] if is_young else [])]


def _age_index(table: OwnTable) -> str:
    return f'CREATE INDEX ON "{table.name}" (changed_at)'


def _literal(value: Any) -> str:
    if isinstance(value, str | date):
        return "'{}'".format(str(value).replace("'", "''"))
    return str(value)
