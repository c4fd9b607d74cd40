"""Plans: a dry run is applied, an import undone, and one that is held released."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry
from strawberry import argument

from api.access.context import Info
from api.language import translator
from api.schema.importing.import_payload import ImportPayload, carry_out
from api.schema.importing.imports import ImportId
from api.schema.input_errors import InputErrors
from importers.plan_requests import request_apply, request_release
from importers.undo.undo_request import request_undo
from models.new_import import NewName

NAME_LONGEST = 200
KEY_LONGEST = 200

IdempotencyKey: TypeAlias = Annotated[
    str | None,
    argument(description="Sent once more, it returns the same import instead of an error."),
]


@strawberry.mutation(
    description="Carry out the plan of a finished dry run, exactly: the rows that passed, with the "
    "outcomes that it said. A row fails with `CHANGED_SINCE` if what it changes is not as it was. "
    "A plan is applied once."
)
async def apply_import(
    info: Info,
    node_id: ImportId,
    name: Annotated[
        str | None, argument(description="What to call the new import; else the dry run's name.")
    ] = None,
    idempotency_key: IdempotencyKey = None,
) -> ImportPayload:
    ending = translator().say("NAME", "(applied)")
    new = _read_name(name, idempotency_key, ending)
    if not isinstance(new, NewName):
        return new
    return await carry_out(info.context, node_id, request_apply, new)


@strawberry.mutation(
    description="Take back what an import has changed: another import does the opposite, row by "
    "row. What is not as the import has left it stays, and its row fails with `CHANGED_SINCE`; "
    "what can't be undone fails with `NOT_REVERSIBLE`. No mails are sent."
)
async def undo_import(
    info: Info,
    node_id: ImportId,
    name: Annotated[
        str | None, argument(description="What to call the new import; else the import's name.")
    ] = None,
    dry_run: Annotated[
        bool | None,
        argument(description="Only say what would become of it; the plan can be applied."),
    ] = False,
    idempotency_key: IdempotencyKey = None,
) -> ImportPayload:
    ending = translator().say("NAME", "(undone)")
    new = _read_name(name, idempotency_key, ending)
    if not isinstance(new, NewName):
        return new
    days = info.context.services.settings.undo_days
    return await carry_out(
        info.context, node_id, request_undo, new, is_dry_run=bool(dry_run), within_days=days
    )


def _read_name(
    name: str | None, idempotency_key: str | None, ending: str
) -> NewName | ImportPayload:
    """Return what the new import is called, or the answer that says what is wrong with it."""
    errors = InputErrors()
    text = errors.text("name", name, longest=NAME_LONGEST)
    key = errors.text("idempotencyKey", idempotency_key, longest=KEY_LONGEST)
    if errors.found:
        return ImportPayload(import_=None, user_errors=errors.found)
    return NewName(name=text or None, idempotency_key=key or None, ending=ending)


@strawberry.mutation(
    description="Let an import that is `HELD` go on: what it was held with is applied, as a plan."
)
async def release_import(info: Info, node_id: ImportId) -> ImportPayload:
    return await carry_out(info.context, node_id, request_release)
