"""Testing an importer without a database: a file goes in, what became of its rows comes out."""

from __future__ import annotations

import asyncio
import io
import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from importers.base import header_spec
from importers.changes import OwnChange
from importers.claims import Claims
from importers.decide import Verdict
from importers.entity import Case, Role, User
from importers.header import match_header
from importers.limits import Limits
from importers.node_id import encode_node_id
from importers.own import own_changes
from importers.plan import plan_rows
from importers.read import Layout, ReadRow, read_rows
from importers.settle import Scene, settle
from importers.table import open_table
from models.assignment import Present
from models.row import RowOutcome

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from importers.base import Importer
    from importers.plan import Plan
    from models.row import RowResult

__all__ = ["Assigned", "World", "check_importer", "run_importer"]

E = TypeVar("E", Case, User)
RowReport = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """An assignment that is there before the import.

    Args:
        case: Tag ID of the case.
        user: Tag ID of the user.
        role: key of the role.
        notify: the stored choice.
    """

    case: str
    user: str
    role: str
    notify: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The cases, users, roles and assignments that an importer is tried on.

    Example:
        >>> World(cases=[Case(id=1, tag_id="m-1")]).cases[0].tag_id
        'm-1'
    """

    cases: Sequence[Case] = (
        Case(id=1, tag_id="trv-001"),
        Case(id=2, tag_id="trv-002"),
        Case(id=3, tag_id="closed-001", is_active=False),
    )
    users: Sequence[User] = (
        User(id=1, tag_id="jack-001", email="jack@example.org"),
        User(id=2, tag_id="jones-001", email="jo@example.org"),
        User(id=3, tag_id="gone-001", email="gone@example.org", is_active=False),
    )
    roles: Sequence[Role] = (
        Role(id=1, key="clients", label="Clients"),
        Role(id=2, key="staff", label="Staff"),
        Role(id=3, key="default", label="Default"),
    )
    assignments: Sequence[Assigned] = field(
        default=(Assigned(case="trv-001", user="jones-001", role="clients"),)
    )


def check_importer(
    importer: type[Importer] | Importer,
    file: str | Path,
    expected: Sequence[RowReport] | Path,
    *,
    world: World | None = None,
) -> None:
    """Run an importer over a file and compare what becomes of its rows.

    Args:
        importer: the class, or an instance with its settings.
        file: the text of a CSV file, or the path of a file of any kind.
        expected: what `run_importer` is to return, or the path of it as JSON.
        world: what there is before; None for the default world.

    Raises:
        AssertionError: something else has become of the rows.
        FileRefusedError: the file can't be imported.

    Example:
        >>> from importers.builtin.remove import RemoveUsers
        >>> check_importer(
        ...     RemoveUsers,
        ...     "user_id,case_id\\njones-001,trv-001",
        ...     [{"row": 2, "outcome": "REMOVED"}],
        ... )
    """
    wanted = _read_expected(expected) if isinstance(expected, Path) else list(expected)
    found = run_importer(importer, file, world=world)
    if found != wanted:
        raise AssertionError(f"expected\n{_written(wanted)}\nbut found\n{_written(found)}")


def run_importer(
    importer: type[Importer] | Importer, file: str | Path, *, world: World | None = None
) -> list[RowReport]:
    """Run an importer over a file and report each row as the API would.

    A report has `row` and `outcome`, or `row` and `errors`, and a `message` if there is one. What
    becomes of changes of other kinds than `Assign`, `Modify` and `Remove` only the database can
    tell: in place of the outcome the report has `asks`, a list of these changes and their values.
    `json.dump` it to write the expected file of `check_importer`. Not for use in a coroutine.

    Raises:
        FileRefusedError: the file can't be imported.
    """
    made = importer("test") if isinstance(importer, type) else importer
    data = file.read_bytes() if isinstance(file, Path) else file.encode()
    name = file.name if isinstance(file, Path) else "test.csv"
    table = open_table(io.BytesIO(data), filename=name, encoding=None, limits=Limits())
    layout = Layout(
        positions=match_header(table.header, header_spec(made), []), width=len(table.header)
    )
    rows = [ReadRow(number, cells) for number, cells in table.rows]
    return _reports(made, layout, rows, world or World())


def _reports(
    importer: Importer, layout: Layout, rows: Sequence[ReadRow], world: World
) -> list[RowReport]:
    asyncio.run(read_rows(importer, layout, rows, WorldDirectory(world)))
    claims = Claims()
    plans = plan_rows(importer, layout, rows, claims)
    scene = Scene(
        importer=importer,
        layout=layout,
        claims=claims,
        present=_present(world),
        role_keys={role.id: role.key for role in world.roles},
        applied={
            keys: Verdict(RowOutcome.UNCHANGED)
            for plan in plans
            for keys, _ in own_changes(plan.changes)
        },
    )
    results = settle(plans, scene).results
    return [_report(result, plan) for result, plan in zip(results, plans, strict=True)]


def _present(world: World) -> dict[tuple[int, int], Present]:
    cases = {case.tag_id: case.id for case in world.cases}
    users = {user.tag_id: user.id for user in world.users}
    roles = {role.key: role.id for role in world.roles}
    return {
        (cases[each.case], users[each.user]): Present(roles[each.role], each.notify)
        for each in world.assignments
    }


def _report(result: RowResult, plan: Plan) -> RowReport:
    report: RowReport = {"row": result.number}
    own = own_changes(plan.changes)
    if result.outcome and own:
        report["asks"] = [_described(change) for _, change in own]
    elif result.outcome:
        report["outcome"] = result.outcome.name
    if result.message:
        report["message"] = result.message
    if result.errors:
        report["errors"] = [
            {name: value for name, value in error.items() if value is not None}
            for error in result.errors
        ]
    return report


def _described(change: OwnChange) -> dict[str, Any]:
    """Write a change down as JSON, without the values that it leaves open."""
    kind, *values = OwnChange.wish(change)
    names = [each.name for each in fields(change)]  # type: ignore[arg-type]
    given = zip(names, values, strict=True)
    return {"change": kind, **{name: value for name, value in given if value is not None}}


def _read_expected(path: Path) -> list[RowReport]:
    return list(json.loads(path.read_text(encoding="utf-8")))


def _written(reports: Sequence[RowReport]) -> str:
    return "\n".join(json.dumps(report, ensure_ascii=False) for report in reports)


class WorldDirectory:
    """A directory in memory."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def cases(self, keys: Collection[str]) -> Mapping[str, Case]:
        """Find cases by Tag ID, else by ID."""
        return _found("Case", keys, self._world.cases)

    async def users(self, keys: Collection[str]) -> Mapping[str, User]:
        """Find users by Tag ID, else by ID."""
        return _found("User", keys, self._world.users)

    async def users_by_email(self, keys: Collection[str]) -> Mapping[str, User]:
        """Find users by e-mail address, in any case."""
        by_email = {user.email.lower(): user for user in self._world.users}
        return {key: by_email[key.lower()] for key in keys if key.lower() in by_email}

    async def roles(self) -> Mapping[str, Role]:
        """Return all roles by key."""
        return {role.key: role for role in self._world.roles}

    async def near_cases(self, keys: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Offer every Tag ID."""
        tags = [case.tag_id for case in self._world.cases if case.tag_id]
        return dict.fromkeys(keys, tags)

    async def near_users(self, keys: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Offer every Tag ID."""
        tags = [user.tag_id for user in self._world.users if user.tag_id]
        return dict.fromkeys(keys, tags)


def _found(kind: str, keys: Collection[str], known: Sequence[E]) -> dict[str, E]:
    by_id = {encode_node_id(kind, entity.id): entity for entity in known}
    by_name = by_id | {entity.tag_id: entity for entity in known if entity.tag_id}
    return {key: by_name[key] for key in keys if key in by_name}
