"""Mutations judged: validators see what the API is about to create or change, as in imports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from importers.isolation.guard import Guard, TooSlowError
from importers.isolation.plugin_thread import CalledElsewhere
from importers.rows.stored_directory import OneByOne
from importers.sdk.changes import Difference
from importers.sdk.entity_changes import (
    AddCase,
    AddUser,
    ModifyCase,
    ModifyUser,
    storable_fields,
)
from importers.sdk.errors import RowError
from importers.sdk.validator import Effect
from importers.validation.counting_directory import CountingDirectory
from importers.validation.judgement import BrokenValidatorError, Judgement
from importers.validation.locks import locks_for
from importers.validation.missing_validator import MissingValidator
from models.change_count import lock_changes
from models.row_security import as_owner
from models.write_many import lock_many
from models.write_one import SIDES, insert_one, update_one

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    from asyncpg import Connection

    from importers.isolation.plugin_thread import PluginThread
    from importers.sdk.entities import Case, User
    from importers.sdk.validator import Validator
    from models.audit import Actor
    from models.write_one import ChangedFields, Table

    EntityChange: TypeAlias = AddCase | AddUser | ModifyCase | ModifyUser

# A client waits, and the transaction must not be idle for 15 seconds.
_COMPUTING_SECONDS = 2.0
_WAITING_SECONDS = 5.0
_MOST_SECONDS = 10.0


class RefusedMutationError(Exception):
    """Validators refuse the mutation; nothing of it may be kept.

    Args:
        errors: why; a column is the name of a field of the change.
    """

    def __init__(self, errors: Sequence[RowError]) -> None:
        self.errors = errors
        super().__init__(" ".join(error.message for error in errors))


@dataclass(frozen=True, slots=True)
class MutationJudges:
    """The validators that are on, and the thread in which they judge mutations.

    Its methods run in the mutation's transaction, and raise `RefusedMutationError` to undo it.
    """

    validators: Sequence[Validator]
    thread: PluginThread

    async def insert(
        self, db: Connection, app_id: int, table: Table, values: Mapping[str, Any], *, by: Actor
    ) -> int:
        """Insert a row as `insert_one` does, if no validator refuses it."""
        change = _addition(table, values)
        judgements = await self._prepare(db, app_id, change)
        key = await insert_one(db, app_id, table, values, by=by)
        after = {name: value for name, value in values.items() if value not in (None, "")}
        await self._judge(judgements, change, "CREATED", _difference(table, key, None, after))
        return key

    async def update(
        self,
        db: Connection,
        app_id: int,
        table: Table,
        key: int,
        values: Mapping[str, Any],
        *,
        by: Actor,
    ) -> ChangedFields | None:
        """Change a row as `update_one` does, if no validator refuses it."""
        change = await _modification(CountingDirectory(db, app_id), table, key, values)
        if change is None:
            return None
        judgements = await self._prepare(db, app_id, change)
        sides = await update_one(db, app_id, table, key, values, by=by)
        if sides and sides.after:
            await self._judge(judgements, change, "UPDATED", _difference(table, key, *sides))
        return sides

    async def _prepare(
        self, db: Connection, app_id: int, change: EntityChange
    ) -> Sequence[Judgement]:
        """Take the locks that validators count under, and let them read what they need."""
        judgements = [Judgement(each, self._guard(each)) for each in self.validators]
        await self._hold(db, app_id, change)
        # With the owner's rights, as in a worker: tables by migration grant the API nothing.
        async with as_owner(db):
            directory: Any = CalledElsewhere(CountingDirectory(OneByOne(db), app_id))

            async def prepare() -> None:
                for judgement in judgements:
                    await judgement.prepare([change], directory)

            try:
                await self.thread.run(prepare(), seconds=_MOST_SECONDS)
            except TooSlowError:
                for judgement in judgements:
                    judgement.is_broken = True
        return judgements

    async def _hold(self, db: Connection, app_id: int, change: EntityChange) -> None:
        locks = locks_for(self.validators, [change])
        if locks.app:
            await lock_changes(db, app_id)
        for table, keys in locks.rows:
            await lock_many(db, app_id, table, keys)

    def _guard(self, validator: Validator) -> Guard:
        seconds = _COMPUTING_SECONDS / len(self.validators)
        return Guard(
            f"validator {validator.key!r}",
            call_seconds=seconds,
            total_seconds=seconds,
            await_seconds=_WAITING_SECONDS / len(self.validators),
        )

    async def _judge(
        self,
        judgements: Sequence[Judgement],
        change: EntityChange,
        outcome: Any,
        difference: Difference,
    ) -> None:
        effect = Effect(change=change, outcome=outcome, difference=difference)

        async def judge() -> list[RowError]:
            return [error for each in judgements if (error := _objection(each, effect))]

        try:
            errors = await self.thread.run(judge(), seconds=_MOST_SECONDS)
        except TooSlowError:
            errors = [_not_judged(each.validator) for each in judgements]
        if errors:
            raise RefusedMutationError(errors)


def _objection(judgement: Judgement, effect: Effect) -> RowError | None:
    # The stand-in's own message is about rows.
    if isinstance(judgement.validator, MissingValidator):
        return _not_judged(judgement.validator)
    try:
        return judgement.refusal_of(effect)
    except BrokenValidatorError:
        return _not_judged(judgement.validator)


def _not_judged(validator: Validator) -> RowError:
    template = "The validator '{validator}' fails or does not load, so nothing was changed; the log"
    template += " of the API says why."
    return RowError(None, "VALIDATOR_ERROR", template, validator=validator.key)


def _addition(table: Table, values: Mapping[str, Any]) -> AddCase | AddUser:
    if table == "users":
        return AddUser(**values)
    # A case of an import always has a Tag ID; that of a mutation may have none.
    return AddCase(**{**values, "tag_id": values.get("tag_id") or ""})


async def _modification(
    directory: CountingDirectory, table: Table, key: int, values: Mapping[str, Any]
) -> ModifyCase | ModifyUser | None:
    """Make the change as imports would, where None keeps what is stored."""
    if table == "cases":
        case: Case | None = (await directory.cases_by_id({key})).get(key)
        kept = {name: value for name, value in values.items() if name != "tag_id"}
        return ModifyCase(case=case, **kept) if case else None
    user: User | None = (await directory.users_by_id({key})).get(key)
    return ModifyUser(user=user, **values) if user else None


def _difference(
    table: Table, key: int, before: Mapping[str, Any] | None, after: Mapping[str, Any]
) -> Difference:
    old = None if before is None else storable_fields(before)
    return Difference(before=old, after=storable_fields(after), **{SIDES[table]: key})
