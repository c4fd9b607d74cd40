"""What must be added in a second place: where it is forgotten, a test names it."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import AsyncIterator
from typing import Any, get_args, get_type_hints

import asyncpg
import pytest
from asyncpg import Connection

from api.schema.cases import CASE, CreateCaseInput, UpdateCaseInput
from api.schema.definition import NODES
from api.schema.entities import (
    ASSIGNMENT_ROW,
    CASE_ROW,
    CHANGE_ROW,
    ENTITY_CHANGE_ROW,
    ROLE_ROW,
    USER_ROW,
)
from api.schema.entity_kind import EntityKind
from api.schema.history.audit_events import EVENT_ROW
from api.schema.importing.error_groups import GROUP_ROW
from api.schema.importing.import_rows import ImportProblem, row_type_for
from api.schema.importing.imports import IMPORT_ROW
from api.schema.importing.plugins import PluginState
from api.schema.notify.webhooks import DELIVERY_ROW, WEBHOOK_ROW
from api.schema.uploads import create_import
from api.schema.users import USER, CreateUserInput, UpdateUserInput
from importers.plugins.plugin_status import PluginStatus
from importers.sdk.errors import ErrorDetail
from models import history_lists
from models import listing as listings
from models.audit import Action
from models.database_url import credentials
from models.list_query import Listing
from tests.api.schema_operations import node_types

ALL = vars(listings) | vars(history_lists)
LISTS = {
    "CASES": CASE_ROW,
    "USERS": USER_ROW,
    "ROLES": ROLE_ROW,
    "ERROR_GROUPS": GROUP_ROW,
    "IMPORTS": IMPORT_ROW,
    "IMPORT_ROWS": row_type_for(()),
    "AUDIT_EVENTS": EVENT_ROW,
    "ASSIGNMENTS": ASSIGNMENT_ROW,
    "CASE_ASSIGNMENTS": ASSIGNMENT_ROW,
    "IMPORT_ASSIGNMENTS": ASSIGNMENT_ROW,
    "USER_ASSIGNMENTS": ASSIGNMENT_ROW,
    "WEBHOOKS": WEBHOOK_ROW,
    "WEBHOOK_DELIVERIES": DELIVERY_ROW,
    "ASSIGNMENT_CHANGES": CHANGE_ROW,
    "CASE_CHANGES": CHANGE_ROW,
    "IMPORT_CHANGES": CHANGE_ROW,
    "PAIR_CHANGES": CHANGE_ROW,
    "USER_CHANGES": CHANGE_ROW,
    "ENTITY_CHANGES": ENTITY_CHANGE_ROW,
    "CASE_HISTORY": ENTITY_CHANGE_ROW,
    "USER_HISTORY": ENTITY_CHANGE_ROW,
}
# What is looked up by keys alone, and has no pages.
LOOKED_UP = {"TOKENS", "IMPORT_QUEUE"}
# Columns that no client is meant to see: the app, which is the token's, and how the engine works.
HIDDEN = {
    "CASES": {"app_id"},
    "USERS": {"app_id"},
    "ROLES": {"app_id", "id"},
    "IMPORTS": {
        "app_id", "idempotency_key", "declared_encoding", "date_order", "observed", "notify",
        "retry", "notified_at", "is_purging", "version", "released_at",
    },
    "IMPORT_ROWS": {"app_id", "edit_count", "is_planned", "plan_chunk"},
    "AUDIT_EVENTS": {"app_id"},
    "CASE_ASSIGNMENTS": {"app_id", "role_id"},
    "ERROR_GROUPS": {"id", "app_id"},
    "WEBHOOKS": {"app_id", "secret"},
    "WEBHOOK_DELIVERIES": {"app_id", "webhook_id", "state", "delivered_at"},
    "ENTITY_CHANGES": {"app_id", "kind"},
    "ASSIGNMENT_CHANGES": {"app_id", "before_role_id", "after_role_id"},
}  # fmt: skip
NEVER_SET = {"id", "app_id", "created_at", "updated_at"}
# A user is enabled when created, and keeps the address.
NOT_IN_INPUT = {(CreateUserInput, "status"), (UpdateUserInput, "email")}
KINDS: list[tuple[EntityKind[Any], tuple[type, type]]] = [
    (CASE, (CreateCaseInput, UpdateCaseInput)),
    (USER, (CreateUserInput, UpdateUserInput)),
]


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Connection]:
    """A connection to a database without rows."""
    connection = await asyncpg.connect(**credentials(database_url))
    yield connection
    await connection.close()


async def columns_of(db: Connection, table: str) -> set[str]:
    """Return the columns of a table, as the database knows them."""
    rows = await db.fetch(
        "SELECT attname FROM pg_attribute"
        " WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped",
        table,
    )
    return {row["attname"] for row in rows}


def names(kind: type) -> set[str]:
    """Return the fields of a dataclass."""
    return {field.name for field in dataclasses.fields(kind)}


def test_every_list_is_tried() -> None:
    """The table above has every list that clients page through."""
    found = {name for name, value in ALL.items() if isinstance(value, Listing)}

    assert found - LOOKED_UP == set(LISTS)


@pytest.mark.parametrize("name", LISTS)
async def test_lists_have_the_columns(db: Connection, name: str) -> None:
    """Whatever an object's attributes are made of is a column that its list can select."""
    listing: Listing = ALL[name]
    selected = listing.select(LISTS[name].columns())

    assert await db.fetch(f"SELECT {selected} FROM {listing.table} t {listing.joins}") == []


@pytest.mark.parametrize("name", HIDDEN)
async def test_columns_are_shown(db: Connection, name: str) -> None:
    """Each column of a table is shown to clients, or known to be hidden from them."""
    listing: Listing = ALL[name]
    shown = LISTS[name].columns()

    assert await columns_of(db, listing.table) - shown == HIDDEN[name]


@pytest.mark.parametrize(("kind", "inputs"), KINDS, ids=["cases", "users"])
async def test_columns_can_be_set(
    db: Connection, kind: EntityKind[Any], inputs: tuple[type, type]
) -> None:
    """Each column of cases and users is set by a field of an input, which something reads."""
    fields = set().union(*map(names, inputs))
    columns = kind.row_type.columns(selected={name: {} for name in kind.readers})

    assert fields == set(kind.readers)
    assert await columns_of(db, kind.table) - NEVER_SET == columns
    assert [
        (each.__name__, name)
        for each in inputs
        for name in sorted(fields - names(each))
        if (each, name) not in NOT_IN_INPUT
    ] == []


def test_uploads_are_read_whole() -> None:
    """Each field of the input of an upload is looked at."""
    source = inspect.getsource(create_import)
    fields = names(create_import.CreateImportInput)

    assert [name for name in sorted(fields) if f"values.{name}" not in source] == []


def test_every_node_can_be_loaded() -> None:
    """`node` knows how to load every type that has an ID."""
    assert set(NODES) == node_types()


def test_targets_of_actions_have_ids() -> None:
    """An action is done to a node, or else to a role, which has an ID all the same."""
    assert {action.target for action in Action} - node_types() == {"Role"}


def test_plugins_have_all_states() -> None:
    """Clients know each state that a plugin can be in."""
    states = get_args(get_type_hints(PluginStatus)["state"])

    assert {state.value for state in PluginState} == set(states)


def test_errors_are_shown_whole() -> None:
    """Clients see all that the engine stores of an error."""
    assert names(ImportProblem) == names(ErrorDetail)
