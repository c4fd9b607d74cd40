"""What stands in for the database in the tests of the SDK, and short ways to write rows."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from importers import (
    Assign,
    Assignment,
    Case,
    CaseRef,
    Flag,
    Importer,
    Modify,
    PresentAssignment,
    Remove,
    Role,
    RoleRef,
    Row,
    User,
    UserRef,
)
from importers.builtin.assign import AssignUsers
from importers.builtin.modify import ModifyAssignments
from importers.builtin.remove import RemoveUsers
from importers.rows.cell_reader import ReadRow, read_rows
from importers.rows.layout import Layout
from importers.run.apply import carry_on
from importers.run.carried_keys import CarriedKeys
from importers.run.chunk_context import ChunkContext
from importers.run.plan_rows import Plan, plan_rows
from importers.run.planned_row import PlannedRow
from importers.run.rules import Decision, rule_of
from importers.run.settle import Settled, settle
from importers.sdk.changes import AssignmentChange
from importers.sdk.directory import RunningImport
from importers.sdk.node_id import decode_node_id
from importers.testkit.fixture_app import World
from importers.testkit.memory_runner import MemoryStore
from models.assignment import Pair, Present

OPEN = Case(id=1, tag_id="trv-001")
CLOSED = Case(id=2, tag_id="trv-002", is_active=False)
UNTAGGED = Case(id=3)
JACK = User(id=11, tag_id="jack-001", email="jack@example.org")
GONE = User(id=12, tag_id="gone-001", email="gone@example.org", is_active=False)
JONES = User(id=13, tag_id="jones-001", email="Jones@example.org")
STAFF = Role(id=21, key="staff", label="Staff")
CLIENTS = Role(id=22, key="clients", label="Clients")
DEFAULT = Role(id=23, key="default", label="Default")
ROLE_KEYS = {role.id: role.key for role in (STAFF, CLIENTS, DEFAULT)}

NOTHING_CARRIED = CarriedKeys()
ASSIGN, MODIFY, REMOVE = AssignUsers("assign"), ModifyAssignments("modify"), RemoveUsers("remove")


@dataclass
class FakeDirectory:
    """A directory in memory that notes what it is asked."""

    known_cases: Sequence[Case] = (OPEN, CLOSED, UNTAGGED)
    known_users: Sequence[User] = (JACK, GONE, JONES)
    known_roles: Sequence[Role] = (STAFF, CLIENTS, DEFAULT)
    names: Mapping[str, Sequence[User]] = field(default_factory=dict)
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    async def cases(self, keys: Collection[str]) -> Mapping[str, Case]:
        """Find cases by Tag ID, else by ID."""
        self.asked.append(("cases", tuple(sorted(keys))))
        return _found("Case", keys, self.known_cases)

    async def users(self, keys: Collection[str]) -> Mapping[str, User]:
        """Find users by Tag ID, else by ID."""
        self.asked.append(("users", tuple(sorted(keys))))
        return _found("User", keys, self.known_users)

    async def users_by_email(self, keys: Collection[str]) -> Mapping[str, User]:
        """Find users by e-mail address, in any case."""
        self.asked.append(("users_by_email", tuple(sorted(keys))))
        by_email = {user.email.lower(): user for user in self.known_users}
        return {key: by_email[key.lower()] for key in keys if key.lower() in by_email}

    async def users_by_name(self, keys: Collection[str]) -> Mapping[str, Sequence[User]]:
        """Find users by name."""
        self.asked.append(("users_by_name", tuple(sorted(keys))))
        return {key: self.names[key] for key in keys if key in self.names}

    async def roles(self) -> Mapping[str, Role]:
        """Return all roles by key."""
        return {role.key: role for role in self.known_roles}

    @property
    def app_id(self) -> int:
        """The app."""
        return 1

    async def fetch(self, query: str, *arguments: Any) -> Sequence[Mapping[str, Any]]:
        """Find nothing."""
        self.asked.append(("fetch", (query, *map(str, arguments))))
        return []

    async def assignments(
        self, pairs: Collection[tuple[int, int]]
    ) -> Mapping[tuple[int, int], Assignment]:
        """Find nobody on any case."""
        return {}

    async def cases_of(
        self, user_ids: Collection[int]
    ) -> Mapping[int, Sequence[PresentAssignment]]:
        """Find nobody on any case."""
        return {}

    async def users_of(
        self, case_ids: Collection[int]
    ) -> Mapping[int, Sequence[PresentAssignment]]:
        """Find nobody on any case."""
        return {}

    async def count_users(self, case_ids: Collection[int]) -> Mapping[tuple[int, str], int]:
        """Count nobody."""
        return {}

    async def count_cases(self, user_ids: Collection[int]) -> Mapping[tuple[int, str], int]:
        """Count nothing."""
        return {}

    async def near_cases(self, keys: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Offer every Tag ID for each key."""
        self.asked.append(("near_cases", tuple(keys)))
        return {key: [case.tag_id for case in self.known_cases if case.tag_id] for key in keys}

    async def near_users(self, keys: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Offer every Tag ID for each key."""
        self.asked.append(("near_users", tuple(keys)))
        return {key: [user.tag_id for user in self.known_users if user.tag_id] for key in keys}


def _found(kind: str, keys: Collection[str], known: Sequence[Any]) -> dict[str, Any]:
    found = {}
    for key in keys:
        node = decode_node_id(key)
        named = [one for one in known if one.tag_id == key]
        named += [one for one in known if node == (kind, one.id)]
        if named:
            found[key] = named[0]
    return found


class SeatingPlan(Importer):
    """Put people on matters from the weekly seating plan."""

    label = "Seating plan"
    matter = CaseRef(required=True, example="trv-001")
    person = UserRef(required=True, by="email", example="jo@example.org")
    seat = RoleRef(choices={"lead": "staff", "guest": "default"})
    mail = Flag(default=False)

    def change(self, row: Row) -> Assign:
        """Put the person on the matter."""
        return Assign(case=row.matter, user=row.person, role=row.seat, notify=row.mail)


class Scripted(Importer):
    """Returns what it is told to, or raises it, or calls it with the row."""

    label = "Scripted"
    case_id = CaseRef()
    user_id = UserRef()

    def __init__(self, *answers: Any) -> None:
        super().__init__("scripted")
        self._answers = list(answers)

    def change(self, row: Row) -> Any:
        """Give the next answer."""
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer(row) if callable(answer) else answer


def layout(importer: Importer, *names: str) -> Layout:
    """Lay a file out with these columns; without names, with all of the importer's."""
    header = names or tuple(importer.columns)
    return Layout(positions={name: index for index, name in enumerate(header)}, width=len(header))


def rows_of(*texts: str, first: int = 2) -> list[ReadRow]:
    """Make rows of cells parted by commas."""
    rows = [(number, text.split(",")) for number, text in enumerate(texts, first)]
    return [ReadRow(number, cells, text=orjson.dumps(cells)) for number, cells in rows]


def read(
    importer: Importer,
    *texts: str,
    names: Sequence[str] = (),
    directory: FakeDirectory | None = None,
    first: int = 2,
) -> list[ReadRow]:
    """Read rows with the fake directory."""
    rows = rows_of(*texts, first=first)
    asyncio.run(read_rows(importer, layout(importer, *names), rows, directory or FakeDirectory()))
    return rows


def context_of(importer: Importer) -> ChunkContext:
    """Make the context of a chunk without a database."""
    return ChunkContext(
        importer=importer,
        layout=layout(importer),
        directory=FakeDirectory(),
        store=MemoryStore(
            World(cases=(OPEN, CLOSED, UNTAGGED), users=(JACK, GONE, JONES), assignments=()),
            RunningImport(id=1, name="test", type="test", rows=1),
        ),
        roles={role.id: role for role in (STAFF, CLIENTS, DEFAULT)},
    )


def plan_read(importer: Importer, rows: Sequence[ReadRow], carried: CarriedKeys) -> Plan:
    """Plan rows that were read."""
    return asyncio.run(plan_rows(context_of(importer), rows, carried))


def planned(
    importer: Importer, *texts: str, carried: CarriedKeys = NOTHING_CARRIED, first: int = 2
) -> list[PlannedRow]:
    """Read rows and plan them."""
    return list(plan_read(importer, read(importer, *texts, first=first), carried).rows)


def decide(
    change: AssignmentChange, current: Present | None, role_keys: Mapping[int, str]
) -> Decision:
    """Decide about a change by the rule of its kind."""
    return rule_of(type(change)).decide(change, current, role_keys)


def settle_plans(
    importer: Importer,
    plans: Sequence[PlannedRow],
    present: Mapping[Pair, Present] | None = None,
    carried: CarriedKeys = NOTHING_CARRIED,
) -> Settled:
    """Decide about planned rows without custom changes, and settle them."""
    decisions = {
        each.keys: decide(each.change, (present or {}).get(each.keys[0]), ROLE_KEYS)  # type: ignore[arg-type]
        for plan in plans
        for each in plan.changes
    }
    return settle(context_of(importer), plans, decisions, carried.verdicts)


def settled(
    importer: Importer,
    *texts: str,
    present: Mapping[Pair, Present] | None = None,
    carried: CarriedKeys = NOTHING_CARRIED,
    first: int = 2,
) -> Settled:
    """Read rows, plan and settle them."""
    plans = planned(importer, *texts, carried=carried, first=first)
    return settle_plans(importer, plans, present, carried)


def handed_on(importer: Importer, *texts: str) -> CarriedKeys:
    """Return what a chunk of these rows hands on, as the next one reads it."""
    plan = plan_read(importer, read(importer, *texts), NOTHING_CARRIED)
    done = settle_plans(importer, plan.rows)
    carried = carry_on(context_of(importer), plan, done)
    return CarriedKeys.unpack(carried.pack())


def assign(
    case: Case = OPEN, user: User = JACK, role: Role = STAFF, *, notify: bool = False
) -> Assign:
    """Make an Assign."""
    return Assign(case=case, user=user, role=role, notify=notify)


def modify(
    case: Case = OPEN, user: User = JACK, role: Role | None = None, *, notify: bool | None = None
) -> Modify:
    """Make a Modify."""
    return Modify(case=case, user=user, role=role, notify=notify)


def remove(case: Case = OPEN, user: User = JACK) -> Remove:
    """Make a Remove."""
    return Remove(case=case, user=user)
