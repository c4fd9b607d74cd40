"""The validator: a plugin that can veto what imports and mutations are about to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from importers.sdk.changes import OwnChange
from importers.sdk.entities import Case, User
from importers.sdk.entity_changes import AddCase, AddUser, ModifyCase, ModifyUser
from importers.sdk.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from importers.sdk.changes import Change, Difference, Outcome
    from importers.sdk.directory import EffectNoun, ValidatorDirectory
    from importers.sdk.entities import Assignment

_NOUNS: dict[type, EffectNoun] = {
    AddCase: "case",
    ModifyCase: "case",
    AddUser: "user",
    ModifyUser: "user",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a row or a mutation is about to do. A change that would do nothing has no effect.

    Args:
        change: the change that the importer returned. That of a mutation is an `AddUser`,
            `ModifyUser`, `AddCase` or `ModifyCase`, and that of an undo what has the same effect.
        outcome: `CREATED`, `UPDATED` or `REMOVED`.
        before: the assignment before the change; None if there is none, or if the change is about
            something other than an assignment.
        after: the assignment after the change; None likewise.
        import_type: key of the importer; `undo` for an undo, "" for a mutation.
        row: number of the row; 0 for a mutation.
        difference: the fields of a case, a user or a record of a plugin before and after; None for
            assignments, and where a plugin does not say it. A field that a mutation clears is None
            in `after`, while None in `ModifyUser` and `ModifyCase` means that it stays.

    Example:
        >>> effect = Effect(change=Remove(case=Case(id=1), user=User(id=2)), outcome="REMOVED")
        >>> effect.user.id
        2
    """

    change: Change
    outcome: Outcome
    before: Assignment | None = None
    after: Assignment | None = None
    import_type: str = ""
    row: int = 0
    difference: Difference | None = None

    @property
    def noun(self) -> EffectNoun:
        """What is changed, as `ValidatorDirectory.count_changes` counts it."""
        if not isinstance(self.change, OwnChange):
            return "assignment"
        if type(self.change) in _NOUNS:
            return _NOUNS[type(self.change)]
        if self.difference and self.difference.case_id is not None:
            return "case"
        return "user" if self.difference and self.difference.user_id is not None else "other"

    @property
    def case(self) -> Case | None:
        """The case that the change is about: its field `case`, if it has one."""
        found = getattr(self.change, "case", None)
        return found if isinstance(found, Case) else None

    @property
    def user(self) -> User | None:
        """The user that the change is about: its field `user`, if it has one."""
        found = getattr(self.change, "user", None)
        return found if isinstance(found, User) else None


class Validator(Plugin):
    """Veto effects of imports of any type, row by row, in the order of the file, and of mutations.

    The engine calls `check` of every validator with each effect of a row; one refusal is enough to
    fail the row, or the mutation. It calls `note` of every validator after an effect that none has
    refused. If a later effect of the row is refused, what was noted of the row is undone. A
    validator that is switched on but does not load refuses every row and mutation.

    Example:
        >>> class NoGuests(Validator):
        ...     def check(self, effect, prepared):
        ...         if effect.after and effect.after.role.key == "guests":
        ...             raise RowError("role", "NO_GUESTS", "guests are not put on cases.")
    """

    together: ClassVar[Literal["case", "user", "app"] | None] = None
    """Set it if a check counts or compares several rows. Rows about the same case (or user) are
    then checked in the order of the file, while no other import or mutation changes that case (or
    user). With `app`, all rows of a file are, chunk after chunk, and the app's imports and
    mutations take turns: that is exact, and as slow as one worker."""

    async def prepare(self, changes: Sequence[Change], directory: ValidatorDirectory) -> Any:
        """Read what the checks of a chunk need, in a fixed number of queries.

        Args:
            changes: of all rows of the chunk, of any kind; that of a mutation alone.
            directory: reads what is stored of the app, and counts what has changed.

        Returns:
            Any value that `copy.deepcopy` can copy. `check` and `note` get it as `prepared`.
        """
        return None

    def check(self, effect: Effect, prepared: Any) -> None:
        """Return None to let an effect pass; raise to refuse its row. Must not change `prepared`.

        Args:
            effect: of an import of any type: check which kind of change it has before you use it.
            prepared: what `prepare` returned, with the changes that `note` has made since.

        Raises:
            RowError: refuses the row. Its column is the name of the change's field at fault
                (`case`, `user`, `role` …), from which the engine finds the file's column; None for
                the whole row.
        """

    def note(self, effect: Effect, prepared: Any) -> None:
        """Record in `prepared` an effect that no validator has refused.

        Args:
            effect: an effect that later checks may need to count.
            prepared: what `prepare` returned; change it in place.
        """
