"""The change that takes back what an import has made of a case or a user."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from importers.sdk.changes import Applied, Difference, OwnChange, Refused
from importers.sdk.entity_changes import storable_value
from importers.sdk.errors import RowError
from models.undo import find_used
from models.write_many import find_by_tag, lock_many, update_many

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from importers.sdk.changes import Key, Transaction
    from importers.sdk.entities import Case, User
    from models.undo import Use
    from models.write_one import Table


_IN_USE = "the {noun} has assignments by now, and stays as it is."
_IN_USE_OF_IMPORT = (
    "the {noun} has assignments by now, such as that of row {row} of the import '{import_name}', "
    "and stays as it is."
)
_TAG_TAKEN = "another {noun} has the Tag ID by now, so the {noun} stays as it is."
_CHANGED = "the {noun} is not as the import has left it, and stays as it is."


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreEntity(OwnChange):
    """Give a case or a user the fields back that they had; close or disable one that was new.

    Args:
        fields: what they had; None if the import has created it.
        present: the same fields as the import has left them.
    """

    case: Case | None
    user: User | None
    fields: Mapping[str, Any] | None
    present: Mapping[str, Any]

    @property
    def keys(self) -> tuple[Key, ...]:
        """The case or the user."""
        return ((self.noun, self.entity.id),)

    @property
    def noun(self) -> str:
        return "case" if self.case else "user"

    @property
    def entity(self) -> Case | User:
        found = self.case or self.user
        if found is None:
            raise ValueError("there is neither a case nor a user")
        return found

    @classmethod
    async def apply(
        cls, changes: Sequence[RestoreEntity], transaction: Transaction
    ) -> list[Applied | Refused]:
        """Lock what is to be restored, in the order of the keys, and write what is as it was."""
        answers: dict[tuple[Key, ...], Applied | Refused] = {}
        for noun in ("case", "user"):
            of_kind = [change for change in changes if change.noun == noun]
            if of_kind:
                answers |= await _restore(f"{noun}s", of_kind, transaction)  # type: ignore[arg-type]
        return [answers[change.keys] for change in changes]


async def _restore(
    table: Table, changes: Sequence[RestoreEntity], transaction: Transaction
) -> dict[tuple[Key, ...], Applied | Refused]:
    db, app_id = transaction.db, transaction.app_id
    stored = await lock_many(db, app_id, table, [change.entity.id for change in changes])
    new = [change.entity.id for change in changes if change.fields is None]
    used = await find_used(db, table, new) if new else {}
    tags = {tag for change in changes if (tag := (change.fields or {}).get("tag_id"))}
    owners = {tag: row["id"] for tag, row in (await find_by_tag(db, app_id, table, tags)).items()}
    answers: dict[tuple[Key, ...], Applied | Refused] = {}
    rows: dict[int, Mapping[str, Any]] = {}
    for change in changes:
        answer, values = _answer(change, stored[change.entity.id], used, owners)
        answers[change.keys] = answer
        if values:
            rows[change.entity.id] = values
    await update_many(db, app_id, table, rows, stored)
    return answers


def _answer(
    change: RestoreEntity,
    stored: Mapping[str, Any],
    used: Mapping[int, Use],
    owners: Mapping[str, int],
) -> tuple[Applied | Refused, Mapping[str, Any] | None]:
    """Say what becomes of a change, and which columns to write.

    Args:
        used: those that have assignments.
        owners: which of the app's have the Tag IDs that are to be given back.
    """
    is_new = change.fields is None
    wanted: dict[str, Any] = {"is_active": False} if is_new else dict(change.fields or {})
    now = {name: storable_value(stored[name]) for name in wanted}
    if now == wanted:
        return Applied("UNCHANGED", "is so already"), None
    if is_new and change.entity.id in used:
        return _in_use(change, used[change.entity.id]), None
    if any(storable_value(stored[name]) != value for name, value in change.present.items()):
        return _kept(change, _CHANGED), None
    if owners.get(wanted.get("tag_id") or "", change.entity.id) != change.entity.id:
        return _kept(change, _TAG_TAKEN), None
    ids = {f"{change.noun}_id": change.entity.id}
    difference = Difference(before=now, after=wanted, **ids)
    day = wanted.get("date_opened")
    values = {**wanted, "date_opened": date.fromisoformat(day)} if isinstance(day, str) else wanted
    return Applied("UPDATED", difference=difference), values


def _in_use(change: RestoreEntity, use: Use) -> Refused:
    if use.import_name is None or use.row is None:
        return _kept(change, _IN_USE)
    return _kept(change, _IN_USE_OF_IMPORT, row=use.row, import_name=use.import_name)


def _kept(change: RestoreEntity, template: str, **params: Any) -> Refused:
    error = RowError(None, "CHANGED_SINCE", template, noun=change.noun, **params)
    return Refused(((change.entity, error),))
