"""What must be added in a second place: where it is forgotten, a test names it."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import asyncpg
import pytest
from tortoise import fields
from tortoise.models import Model

import models
from importers.sdk.node_id import encode_node_id
from models.app import Permission
from models.audit import Action, AuditEvent
from models.case import Case, CaseRecord
from models.database_url import credentials
from models.db import MODULES
from models.described_enum import DescribedIntEnum, DescribedStrEnum
from models.imports import Import, ImportStatus
from models.new_import import NewImport
from models.row import RowOutcome, RowStatus
from models.user import User, UserRecord
from models.write_many import _arrays

FILES = sorted(Path(models.__file__).parent.glob("*.py"))
# What PostgreSQL fills in, or the app that the caller gives.
FILLED_IN = {"id", "app_id", "created_at", "updated_at"}


def columns_of(model: type[Model]) -> dict[str, fields.Field[object]]:
    """Return a model's columns by name."""
    return {
        name: field
        for name, field in model._meta.fields_map.items()
        if not isinstance(field, fields.relational.RelationalField)
    }


def test_every_model_is_known() -> None:
    """Each module with a model is one that Tortoise is told of: it makes no table of others."""
    found = set()
    for path in FILES:
        module = importlib.import_module(f"models.{path.stem}")
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Model) and value is not Model:
                found.add(value.__module__)

    assert found - set(MODULES) == set()


@pytest.mark.parametrize("kind", [Permission, ImportStatus, RowStatus, RowOutcome, Action])
def test_every_member_is_described(
    kind: type[DescribedStrEnum | DescribedIntEnum | Action],
) -> None:
    """Each member of an enum that clients see has a description beside it."""
    assert [member.name for member in kind if not member.description] == []


def test_actions_say_what_they_are_done_to() -> None:
    """Each action has a target, whose ID names it, and fits into its column."""
    longest = AuditEvent._meta.fields_map["action"].max_length  # type: ignore[attr-defined]

    assert [action.name for action in Action if not action.target.isalpha()] == []
    assert [action.name for action in Action if len(action.value) > longest] == []
    assert all(encode_node_id(action.target, 1) for action in Action)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_statements_know_every_status(path: Path) -> None:
    """Where SQL lists the states of imports that are not final, it lists all of them, or those in
    which workers have something to do."""
    unfinished = {status.value for status in ImportStatus if not status.is_final}
    lists = re.findall(r"\bstatus IN \(([^)]*)\)", path.read_text(encoding="utf-8"))
    known = (unfinished, unfinished - {ImportStatus.HELD.value})

    assert [each for each in lists if set(re.findall(r"[A-Z]+", each)) not in known] == []


@pytest.mark.parametrize("kind", [RowStatus, RowOutcome])
def test_imports_count_every_result(kind: type[DescribedIntEnum]) -> None:
    """An import has a counter for each status and each outcome of a row."""
    counters = columns_of(Import)

    assert [member.name for member in kind if member.name.lower() not in counters] == []


@pytest.mark.parametrize(("table", "model"), [("cases", Case), ("users", User)])
async def test_imports_can_write_every_column(
    database_url: str, table: str, model: type[Model]
) -> None:
    """What an importer may set in cases and users has a type in SQL that PostgreSQL agrees with."""
    names = sorted(columns_of(model).keys() - FILLED_IN)
    arrays = _arrays(table, names, first=1)  # type: ignore[arg-type]
    db = await asyncpg.connect(**credentials(database_url))
    try:
        statement = await db.prepare(
            f"INSERT INTO {table} (app_id, {', '.join(names)})"
            f" SELECT 1, * FROM unnest({arrays}) AS n({', '.join(names)})"
        )

        assert len(statement.get_parameters()) == len(names)
    finally:
        await db.close()


@pytest.mark.parametrize(
    ("record", "model"),
    [
        (CaseRecord, Case),
        (UserRecord, User),
        (NewImport, Import),
    ],
)
def test_records_have_columns(record: type, model: type[Model]) -> None:
    """The fields of what is read from a table, or written to it, are its columns."""
    columns = columns_of(model).keys() | {"token_id"}

    assert [name for name in record._fields if name not in columns] == []  # type: ignore[attr-defined]
