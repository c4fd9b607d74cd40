"""The validator: a plugin that vetoes what imports of any type are about to do."""

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
    """What a row is about to do; changes that do nothing are no effects.

    Args:
        change: what the importer has asked for.
        outcome: `CREATED`, `UPDATED` or `REMOVED`.
        before: the assignment as it is; None when there is none, or the change is not about one.
        after: the assignment as it will be; None when there will be none, or the change is not
            about one.
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

    For each row all validators are asked with `check` about all that it is about to do; one that
    refuses is enough. What none has refused, all are told of with `note`. One that does not load
    lets no row through.

    Example:
        >>> class NoGuests(Validator):
        ...     def check(self, effect, prepared):
        ...         if effect.after and effect.after.role.key == "guests":
        ...             raise RowError("role", "NO_GUESTS", "guests are not put on cases.")
    """

    together: ClassVar[Literal["case", "user"] | None] = None
    """What is counted or compared over several rows. Rows about the same case (or user) are then
    judged in the order of the file, and no other import changes it meanwhile."""

    async def prepare(self, changes: Sequence[Change], directory: Directory) -> Any:
        """Read what the checks of a chunk need, in a number of queries that does not grow.

        Args:
            changes: of all rows of the chunk, of any kind.
            directory: what is stored of the app.

        Returns:
            what `check` and `note` are given as `prepared`: anything that can be copied.
        """
        return None

    def check(self, effect: Effect, prepared: Any) -> None:
        """Let an effect pass, or refuse its row; must change nothing.

        Args:
            effect: of an import of any type, so look at what it is about before using it.
            prepared: what `prepare` has returned, as `note` has changed it since.

        Raises:
            RowError: with the name of the change's field at fault as its column (`case`, `user`,
                `role` …), from which the engine finds the file's column; None for the whole row.
        """

    def note(self, effect: Effect, prepared: Any) -> None:
        """Take note of an effect that no validator has refused, by changing `prepared`.

        Args:
            effect: which later checks may have to count.
            prepared: what `prepare` has returned.
        """
