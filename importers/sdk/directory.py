"""Where references are looked up, and what validators count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import timedelta

    from importers.sdk.changes import Outcome
    from importers.sdk.entities import Assignment, Case, PresentAssignment, Role, User

MOST_ASSIGNMENTS = 100_000
"""How many assignments one look-up of all those of cases, or of users, may find."""


class TooManyAssignmentsError(ValueError):
    """A look-up of all assignments of cases, or of users, would find too many."""

    def __init__(self) -> None:
        found = f"the look-up finds more than {MOST_ASSIGNMENTS:,} assignments"
        super().__init__(f"{found}: ask for fewer users or cases at once")


EffectNoun = Literal["assignment", "case", "user", "other"]


class Directory(Protocol):
    """What is stored of one app, for `Reference.resolve` and `Validator.prepare`.

    Keys that find nothing are left out of the results. Each method is one query at most, so ask for
    all keys of a chunk at once. Queries run one after another, also those that `asyncio.gather`
    starts together.

    Example:
        >>> async def resolve(self, directory, keys):
        ...     return await directory.cases(keys)
    """

    @property
    def app_id(self) -> int:
        """The app; what `fetch` reads must be of this app."""

    async def fetch(self, query: str, *arguments: Any) -> Sequence[Mapping[str, Any]]:
        """Read rows of a plugin's own tables.

        Args:
            query: SQL with `$1`, `$2` … in the places of the arguments. It may read; PostgreSQL
                refuses what writes or locks rows.
            *arguments: their values, in this order.

        Example:
            >>> async def desks(directory, codes):
            ...     return await directory.fetch(
            ...         "SELECT code, id FROM acme_desks WHERE app_id = $1 AND code = ANY($2)",
            ...         directory.app_id,
            ...         list(codes),
            ...     )
        """

    async def cases(self, keys: Collection[str]) -> Mapping[str, Case]:
        """Find cases by Tag ID, else by ID."""

    async def users(self, keys: Collection[str]) -> Mapping[str, User]:
        """Find users by Tag ID, else by ID."""

    async def users_by_email(self, keys: Collection[str]) -> Mapping[str, User]:
        """Find users by e-mail address, in any case."""

    async def users_by_name(self, keys: Collection[str]) -> Mapping[str, Sequence[User]]:
        """Find users by given and family name, in any case; a few of each name at most.

        Args:
            keys: such as `ann jones`, in lower case.
        """

    async def roles(self) -> Mapping[str, Role]:
        """Return all roles of the app by key."""

    async def assignments(
        self, pairs: Collection[tuple[int, int]]
    ) -> Mapping[tuple[int, int], Assignment]:
        """Find present assignments.

        Args:
            pairs: the primary keys of case and user.
        """

    async def cases_of(
        self, user_ids: Collection[int]
    ) -> Mapping[int, Sequence[PresentAssignment]]:
        """Find all assignments of users.

        Args:
            user_ids: primary keys.

        Returns:
            the user's primary key → the assignments, in the order of the cases' primary keys.

        Raises:
            ValueError: there are more than 100,000 in all.

        Example:
            >>> async def prepare(self, changes, directory):
            ...     users = {change.user.id for change in changes if isinstance(change, Assign)}
            ...     return dict(await directory.cases_of(users))
        """

    async def users_of(
        self, case_ids: Collection[int]
    ) -> Mapping[int, Sequence[PresentAssignment]]:
        """Find all assignments to cases.

        Args:
            case_ids: primary keys.

        Returns:
            the case's primary key → the assignments, in the order of the users' primary keys.

        Raises:
            ValueError: there are more than 100,000 in all.
        """

    async def count_users(self, case_ids: Collection[int]) -> Mapping[tuple[int, str], int]:
        """Count the users on cases.

        Args:
            case_ids: primary keys.

        Returns:
            the case's primary key and the role's key → how many users are on it in this role.
        """

    async def count_cases(self, user_ids: Collection[int]) -> Mapping[tuple[int, str], int]:
        """Count the cases that users are on.

        Args:
            user_ids: primary keys.

        Returns:
            the user's primary key and the role's key → on how many cases, in this role.
        """

    async def near_cases(self, keys: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Find Tag IDs of cases that look like unknown ones, to suggest them."""

    async def near_users(self, keys: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Find Tag IDs of users that look like unknown ones, to suggest them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningImport:
    """The import whose rows are judged.

    Args:
        id: primary key, the `import_id` of a `Transaction`.
        name: what the upload calls it.
        type: key of the importer; `undo` for an import that undoes another.
        rows: how many rows its file has.
        is_dry_run: whether nothing of it is kept, as in a dry run or a plan.

    Example:
        >>> running = RunningImport(id=7, name="Roster", type="assign", rows=120)
    """

    id: int
    name: str
    type: str
    rows: int
    is_dry_run: bool = False


class ValidatorDirectory(Directory, Protocol):
    """A directory that also says what has changed so far, for `Validator.prepare`.

    With `together = "app"` its numbers are exact: no other import or mutation of the app changes
    anything between this look and the commit. Without, others may, and chunks of the same import
    that run at this moment are not in them. What is rolled back, as an attempt at a chunk that lost
    a race, is never counted, and no row twice. In a dry run, earlier rows count as if they had been
    applied: those of assignments by `Validator.note`, which is called for each of them first.

    Example:
        >>> async def prepare(self, changes, directory):
        ...     found = await directory.count_changes(timedelta(hours=1))
        ...     return Counter(found)  # such as {("assignment", "REMOVED"): 12}
    """

    @property
    def running_import(self) -> RunningImport | None:
        """The import whose rows are judged; None for a mutation of the API."""

    async def count_changes(self, within: timedelta) -> Mapping[tuple[EffectNoun, Outcome], int]:
        """Count what imports and mutations have changed in the app lately, by its history.

        Args:
            within: how far to look back; the longer, the longer it takes.

        Returns:
            `Effect.noun` and outcome → how many changes. Changes of plugins' own kinds are counted
            if they say their `Difference`.
        """

    async def count_import_changes(self) -> Mapping[tuple[EffectNoun, Outcome], int]:
        """Count what the import has changed so far, in all of its runs; nothing for a mutation.

        Returns:
            as `count_changes`. A retry of a dry run counts only the rows that it runs.
        """
