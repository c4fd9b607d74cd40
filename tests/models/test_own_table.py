"""Tables that plugins declare: made, extended, compared, and closed to other apps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import asyncpg
import pytest
from asyncpg import Connection

from models.app import create_app
from models.database_url import credentials
from models.db import database, migrate
from models.own_table import OwnColumn, OwnTable, find_misfit, read_table
from models.plugin_tables import FailedTable, find_unfit, make_tables
from models.row_security import SETTING, find_role

RATES = OwnTable(
    "kit_rates",
    (
        OwnColumn("case_id", "bigint", "cases"),
        OwnColumn("code", "text"),
        OwnColumn("amount", "numeric"),
        OwnColumn("payer_id", "bigint", "users", is_optional=True),
    ),
    ("case_id", "code"),
)
BY_HAND = "; change it by a migration of the plugin's own, or declare it as it is"


def with_columns(*columns: OwnColumn) -> OwnTable:
    return RATES._replace(columns=(*RATES.columns, *columns))


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Connection]:
    """A connection to a new database."""
    connection = await asyncpg.connect(**credentials(database_url))
    yield connection
    await connection.close()


async def test_creation(db: Connection) -> None:
    """A table has its columns, the app's key, and references that say what goes with what."""
    assert await make_tables(db, [RATES]) == []
    assert await make_tables(db, [RATES]) == []

    stored = await read_table(db, "kit_rates")
    keys = await db.fetch(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = 'kit_rates'::regclass AND contype = 'f' ORDER BY 1"
    )
    assert stored is not None
    assert {name: column.type for name, column in stored.columns.items()} == {
        "app_id": "bigint",
        "case_id": "bigint",
        "code": "text",
        "amount": "numeric",
        "payer_id": "bigint",
    }
    assert stored.primary_key == ["app_id", "case_id", "code"]
    assert [row[0] for row in keys] == [
        "FOREIGN KEY (app_id) REFERENCES apps(id) ON DELETE CASCADE",
        "FOREIGN KEY (case_id) REFERENCES cases(id) ON DELETE CASCADE",
        "FOREIGN KEY (payer_id) REFERENCES users(id) ON DELETE SET NULL",
    ]


async def test_new_columns(db: Connection) -> None:
    """Those that have a default, or may be null, are added, and the records have them."""
    app = await db.fetchval("INSERT INTO apps (slug, name) VALUES ('a', 'A') RETURNING id")
    case = await db.fetchval(
        "INSERT INTO cases (app_id, tag_id, about) VALUES ($1, 't', '') RETURNING id", app
    )
    await make_tables(db, [RATES])
    await db.execute("INSERT INTO kit_rates VALUES ($1, $2, 'A', 1)", app, case)

    grown = with_columns(
        OwnColumn("note", "text", is_optional=True),
        OwnColumn("unit", "text", default="it's an hour"),
        OwnColumn("factor", "numeric", default=Decimal("1.50")),
        OwnColumn("is_net", "boolean", default=True),
    )._replace(keep_days=30)
    assert await make_tables(db, [grown]) == []

    row = await db.fetchrow(
        "SELECT note, unit, factor, is_net, changed_at <= now() AS is_dated FROM kit_rates"
    )
    assert tuple(row) == (None, "it's an hour", Decimal("1.50"), True, True)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        pytest.param(
            with_columns(OwnColumn("unit", "text")),
            "its table 'kit_rates' has no column 'unit', which needs a default, or may be None",
            id="a column without a default",
        ),
        pytest.param(
            RATES._replace(columns=(*RATES.columns[:2], OwnColumn("amount", "bigint"))),
            "its table 'kit_rates' has the column 'amount' otherwise: numeric NOT NULL",
            id="another type",
        ),
        pytest.param(
            RATES._replace(columns=RATES.columns[:2]),
            "its table 'kit_rates' has the column 'amount', which is not declared and may not be"
            " null",
            id="a needed column is gone",
        ),
        pytest.param(
            RATES._replace(key=("case_id",)),
            "its table 'kit_rates' has the primary key (app_id, case_id, code) and is declared with"
            " (app_id, case_id)",
            id="another key",
        ),
    ],
)
async def test_misfits(db: Connection, database_url: str, table: OwnTable, expected: str) -> None:
    """What only the author can know how to change is left as it is, and told."""
    await make_tables(db, [RATES])

    assert await make_tables(db, [table]) == [FailedTable("kit_rates", expected + BY_HAND)]
    assert await find_unfit(database_url, [table]) == {"kit_rates": expected + BY_HAND}
    assert await find_unfit(database_url, [RATES]) == {}


async def test_a_column_that_is_not_declared_any_more(db: Connection) -> None:
    """It stays, if records can be without."""
    await make_tables(db, [RATES])
    stored = await read_table(db, "kit_rates")

    assert stored is not None
    assert find_misfit(RATES._replace(columns=RATES.columns[:3]), stored) is None


async def test_a_table_made_by_migrations(db: Connection) -> None:
    """It can be declared afterwards, if it is as the declaration would make it."""
    await db.execute(
        """
        CREATE TABLE kit_prices (
          app_id bigint NOT NULL REFERENCES apps,
          case_id bigint NOT NULL REFERENCES cases ON DELETE CASCADE,
          cents bigint NOT NULL,
          note text DEFAULT 'x',
          PRIMARY KEY (app_id, case_id)
        )
        """
    )
    columns = (OwnColumn("case_id", "bigint", "cases"), OwnColumn("cents", "bigint"))

    assert await make_tables(db, [OwnTable("kit_prices", columns, ("case_id",))]) == []


async def test_what_is_to_be_done(db: Connection, database_url: str) -> None:
    """A table, or a column, that is not there yet is told with the command that makes it."""
    missing = await find_unfit(database_url, [RATES])
    await make_tables(db, [RATES])
    lacking = await find_unfit(database_url, [with_columns(OwnColumn("note", "text", None, True))])

    assert missing == {"kit_rates": "its table 'kit_rates' is not there; run `caseroll migrate`"}
    assert lacking == {"kit_rates": "its table 'kit_rates' lacks a column; run `caseroll migrate`"}


async def test_no_table_of_caserolls_own(db: Connection) -> None:
    """A declaration can't mean a table of Caseroll's: none that has such a name has such a key."""
    rows = await db.fetch(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE '%\\_%'"
        " AND relnamespace = 'public'::regnamespace"
    )
    keys = {row[0]: await read_table(db, row[0]) for row in rows}

    assert len(keys) > 10
    assert [
        name for name, table in keys.items() if table and table.primary_key[:1] == ["app_id"]
    ] == []


async def test_the_apps_own_records(database_url: str) -> None:
    """The API's role may read an app's records, and no others."""
    await migrate(database_url, None, [RATES])
    async with database(database_url):
        apps = [await create_app(slug, slug) for slug in ("one", "two")]
    connection = await asyncpg.connect(**credentials(database_url))
    for app in apps:
        case = await connection.fetchval(
            "INSERT INTO cases (app_id, tag_id, about) VALUES ($1, 't', '') RETURNING id", app.id
        )
        await connection.execute("INSERT INTO kit_rates VALUES ($1, $2, 'A', 1)", app.id, case)
    await connection.execute(f'SET ROLE "{await find_role(connection)}"')

    assert await connection.fetch("SELECT app_id FROM kit_rates") == []
    await connection.execute(f"SET {SETTING} = '{apps[0].id}'")
    assert [row[0] for row in await connection.fetch("SELECT app_id FROM kit_rates")] == [
        apps[0].id
    ]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("DELETE FROM kit_rates")
    await connection.close()
