"""Cases and users have much in common: both are listed, found, created and changed in here."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from strawberry import UNSET
from strawberry.utils.str_converters import to_camel_case

from api.errors import ApiError
from api.schema.connection import PageArguments, connect
from api.schema.input_errors import InputErrors, UserError, user_error
from api.schema.list_order import ordered
from api.schema.node import check_named, find_object, key_of, load_node
from importers.validation.mutation import RefusedMutationError
from models.entity import find_referenced
from models.listing import changed_since, is_active, matches_search
from models.write_one import (
    EmailTakenError,
    TagPermanentError,
    TagTakenError,
    insert_one,
    update_one,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from api.access.context import Context
    from api.batch.row_type import RowType
    from api.schema.connection import Connection
    from api.schema.list_order import ListOrder
    from importers.sdk.errors import RowError
    from models.list_query import Condition, Listing
    from models.write_one import Table

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EntityKind(Generic[T_co]):
    """What cases and users differ in.

    Args:
        noun: what messages call one.
        table: where they are stored.
        listing: all of the app.
        row_type: makes the objects of rows; tells in which column a field is stored.
        readers: for each field of the inputs, what checks a value, which may be null where a row is
            changed, and makes what is stored.
        keeps_tag: how the message ends that refuses another Tag ID.
    """

    noun: str
    table: Table
    listing: Listing
    row_type: RowType[T_co]
    readers: Mapping[str, Callable[[InputErrors, Any], object]]
    keeps_tag: str


async def list_entities(
    kind: EntityKind[T],
    context: Context,
    arguments: PageArguments,
    search: str | None,
    *,
    active: bool | None,
    updated_since: datetime | None,
    order_by: ListOrder | None,
) -> Connection[Any]:
    """Page through all of the app, by default oldest first.

    Args:
        active: only those that are active, or are not; None for all.
    """
    conditions: list[Condition] = []
    if search and search.strip():
        conditions.append(matches_search(search))
    if active is not None:
        conditions.append(is_active(active))
    listing = ordered(kind.listing, order_by, updated_since)
    if updated_since is not None:
        conditions.append(await context.scope.read(changed_since, listing, updated_since))
    return await connect(context, listing, kind.row_type, arguments, conditions)


async def load_entity(kind: EntityKind[T], context: Context, key: int) -> T | None:
    return await load_node(context, kind.listing, kind.row_type, key)


async def find_entity(
    kind: EntityKind[T], context: Context, node_id: str | None, condition: Condition | None
) -> T | None:
    """Find one by a condition that only one meets, or else by its ID."""
    if condition is not None:
        return await find_object(context, kind.listing, kind.row_type, condition)
    key = key_of(kind.row_type.kind.__name__, str(node_id))
    return None if key is None else await load_entity(kind, context, key)


async def find_by_tags(
    kind: EntityKind[T], context: Context, tag_ids: Sequence[str]
) -> list[T | None]:
    """Find those with some Tag IDs, in the same order; None where there is none."""
    check_named("tagIds", tag_ids)
    columns = sorted(kind.row_type.columns())
    rows = await context.scope.read(
        find_referenced, kind.table, columns, tags=list(dict.fromkeys(tag_ids)), ids=()
    )
    objects = kind.row_type.objects(rows)
    found = {row["tag_id"]: each for row, each in zip(rows, objects, strict=True)}
    return [found.get(tag_id) for tag_id in tag_ids]


async def create_entity(
    kind: EntityKind[T], context: Context, values: Any
) -> tuple[T | None, list[UserError]]:
    """Create one, or say what is wrong.

    Args:
        values: the input.
    """
    errors = InputErrors()
    row = _read_input(kind, values, errors, is_new=True)
    if errors.found:
        return None, errors.found
    judges = context.services.judges
    insert = judges.insert if judges.validators else insert_one
    try:
        key = await context.scope.write(insert, kind.table, row, by=context.actor)
    except RefusedMutationError as error:
        return None, [_refused(kind, values, each) for each in error.errors]
    except TagTakenError:
        return None, [_tag_taken(kind, row["tag_id"])]
    except EmailTakenError:
        message = f"Another user has the e-mail address '{row['email']}'."
        return None, [user_error("EMAIL_TAKEN", message, "input", "email")]
    return await _load_saved(kind, context, key)


async def update_entity(
    kind: EntityKind[T], context: Context, node_id: str, values: Any
) -> tuple[T | None, list[UserError]]:
    """Change one, or say what is wrong.

    Args:
        values: the input.
    """
    errors = InputErrors()
    changes = _read_input(kind, values, errors, is_new=False)
    if errors.found:
        return None, errors.found
    key = key_of(kind.row_type.kind.__name__, node_id)
    judges = context.services.judges
    update = judges.update if judges.validators else update_one
    try:
        found = None
        if key is not None:
            found = await context.scope.write(update, kind.table, key, changes, by=context.actor)
    except RefusedMutationError as error:
        return None, [_refused(kind, values, each) for each in error.errors]
    except TagTakenError:
        return None, [_tag_taken(kind, changes["tag_id"])]
    except TagPermanentError as error:
        message = f"The {kind.noun} has the Tag ID '{error.tag_id}', and {kind.keeps_tag}."
        return None, [user_error("TAG_PERMANENT", message, "input", "tagId")]
    if key is None or found is None:
        return None, [user_error("NOT_FOUND", f"There is no such {kind.noun}.", "id")]
    return await _load_saved(kind, context, key)


def _read_input(
    kind: EntityKind[T], values: Any, errors: InputErrors, *, is_new: bool
) -> dict[str, object]:
    """Return what an input sets, by column.

    Null clears a field that may be empty; the readers of others refuse it. In a new row it is as if
    the field was left out.
    """
    row: dict[str, object] = {}
    for field in dataclasses.fields(values):
        value = getattr(values, field.name)
        # The declaration by which rows become objects says in which column a field is stored.
        [column] = kind.row_type.columns(selected={field.name: {}})
        if value is UNSET or (value is None and is_new):
            continue
        row[column] = kind.readers[field.name](errors, value)
    return row


async def _load_saved(
    kind: EntityKind[T], context: Context, key: int
) -> tuple[T | None, list[UserError]]:
    entity = await load_entity(kind, context, key)
    if entity is None:
        raise ApiError("NOT_FOUND", f"The {kind.noun} is gone.")
    return entity, []


def _refused(kind: EntityKind[T], values: Any, error: RowError) -> UserError:
    """Describe a validator's refusal at the field of the input that it names."""
    if error.column is None:
        return user_error(error.code, error.message, params=error.params)
    names = [field.name for field in dataclasses.fields(values)]
    name = next(
        (name for name in names if error.column in kind.row_type.columns(selected={name: {}})), None
    )
    label = (name or error.column).replace("_", " ").title()
    path = ["input", to_camel_case(name)] if name else ["id"]
    return user_error(error.code, f"{label}: {error.message}", *path, params=error.params)


def _tag_taken(kind: EntityKind[T], tag_id: object) -> UserError:
    message = f"Another {kind.noun} has the Tag ID '{tag_id}'."
    return user_error("TAG_TAKEN", message, "input", "tagId")
