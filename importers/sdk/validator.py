"""The validator: a plugin that can veto what imports of any type are about to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from importers.sdk.entities import Case, User
from importers.sdk.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from importers.sdk.changes import Change, Outcome
    from importers.sdk.directory import Directory
    from importers.sdk.entities import Assignment


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a row is about to do. A change that would do nothing has no effect.

    Args:
        change: the change that the importer returned.
        outcome: `CREATED`, `UPDATED` or `REMOVED`.
        before: the assignment before the change; None if there is none, or if the change is about
            something other than an assignment.
        after: the assignment after the change; None likewise.
        import_type: key of the importer.
        row: number of the row.

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
    """Veto effects of imports of any type, row by row, in the order of the file.

    The engine calls `check` of every validator with each effect of a row; one refusal is enough to
    fail the row. It calls `note` of every validator after an effect that none has refused. If a
    later effect of the row is refused, what was noted of the row is undone. A validator that is
    switched on but does not load refuses every row.

    Example:
        >>> class NoGuests(Validator):
        ...     def check(self, effect, prepared):
        ...         if effect.after and effect.after.role.key == "guests":
        ...             raise RowError("role", "NO_GUESTS", "guests are not put on cases.")
    """

    together: ClassVar[Literal["case", "user"] | None] = None
    """Set it if a check counts or compares several rows. Rows about the same case (or user) are
    then checked in the order of the file, while no other import changes that case (or user)."""

    async def prepare(self, changes: Sequence[Change], directory: Directory) -> Any:
        """Read what the checks of a chunk need, in a fixed number of queries.

        Args:
            changes: of all rows of the chunk, of any kind.
            directory: reads what is stored of the app.

        Returns:
            Any value that `copy.deepcopy` can copy. `check` and `note` get it as `prepared`.
        """
        return None

    def check(self, effect: Effect, prepared: Any) -> None:
        """Return to let an effect pass, or raise to refuse its row. Must not change `prepared`.

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
