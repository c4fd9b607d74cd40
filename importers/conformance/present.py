"""Whether an importer copes with any assignments that there are before the import."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from importers.conformance.problem import Problem
from importers.testkit.fixture_app import Assigned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from importers.conformance.subject import Subject
    from importers.testkit.fixture_app import World

_COPE = (
    "An `AssignmentOf` is None where the user is not on the case, an `AssignmentsOf` empty where"
    " there are none; and a change has to be about what a column names."
)


def check_present(subject: Subject) -> Iterator[Problem]:
    """Run the sample row where nobody is on any case, and where everybody is on each."""
    if not subject.importer.assignments:
        return
    worlds = {"nobody is on any case": [], "all users are on all cases": _all_pairs(subject.world)}
    for where, assignments in worlds.items():
        ran = subject.with_assignments(assignments).sampled
        if ran.only.crashes:
            what = f"the plugin fails: {ran.cause}"
            yield Problem(f"the sample row, where {where}", what, _COPE)


def _all_pairs(world: World) -> list[Assigned]:
    """Let all users be on all cases, in changing roles."""
    cases = [case.tag_id for case in world.cases if case.tag_id]
    users = [user.tag_id for user in world.users if user.tag_id]
    roles = [role.key for role in world.roles]
    return [
        Assigned(case=case, user=user, role=roles[number % len(roles)])
        for number, (case, user) in enumerate(product(cases, users))
    ]
