"""The file of a sync is the whole truth for each case that it names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from importers.builtin.sync import SyncUsers
from importers.testing import Assigned, check_conformance, check_importer, run_importer
from tests.importers import world_of_groups

HEADER = "case_id,user_id,case_role_id,case_notify"
ELSEWHERE = Assigned(case="trv-002", user="jones-001", role="clients")
WORLD = replace(world_of_groups.WORLD, assignments=[*world_of_groups.WORLD.assignments, ELSEWHERE])


def reports(*rows: str) -> list[Any]:
    """Return what rows come to: their outcomes and messages, or the codes of their errors."""
    return [
        [error["code"] for error in each["errors"]]
        if "errors" in each
        else (each["outcome"], each.get("message"))
        for each in run_importer(SyncUsers, "\n".join([HEADER, *rows]), world=WORLD)
    ]


def test_a_case_gets_the_users_of_its_rows() -> None:
    """They are assigned or modified, others are removed; cases that are not named stay."""
    check_importer(
        SyncUsers,
        f"{HEADER}\ntrv-001,jack-001,staff,1\ntrv-001,jones-001,staff,\ntrv-001,gone-001,staff,0\n",
        [
            {
                "row": 2,
                "outcome": "UPDATED",
                "message": "removed jill-001, who is not in the file",
                "asks": [
                    {"change": "Remove", "case": "trv-001", "user": "jill-001"},
                    {"change": "Assign", "user": "jack-001", "role": "staff", "notify": True},
                ],
            },
            {
                "row": 3,
                "outcome": "UPDATED",
                "asks": [{"change": "Modify", "user": "jones-001", "role": "staff"}],
            },
            {"row": 4, "outcome": "UNCHANGED"},
        ],
        world=WORLD,
    )


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param(
            ["trv-001,jones-001,clients,", "trv-001,jill-001,clients,", "trv-001,gone-001,staff,"],
            [("UNCHANGED", None)] * 3,
            id="all is so already",
        ),
        pytest.param(
            ["trv-001,jones-001,clients,0"],
            [("REMOVED", "removed gone-001 and jill-001, who are not in the file")],
            id="the row itself changes nothing",
        ),
        pytest.param(
            ["trv-001,jack-001,staff,0", "trv-001,jones-001,client,0"],
            [
                ("CREATED", "kept jones-001 and 2 others; row 3 has failed"),
                ["INVALID_CHOICE"],
            ],
            id="the user of a row that fails stays, too",
        ),
        pytest.param(
            ["trv-001,jack-001,staff,0", "trv-001,gone-001,clients,0"],
            [
                ("CREATED", "kept jones-001 and jill-001; row 3 has failed"),
                ["USER_DISABLED"],
            ],
            id="a disabled user",
        ),
        pytest.param(
            ["closed-001,jack-001,staff,0"],
            [["CASE_CLOSED"]],
            id="a closed case loses nobody",
        ),
        pytest.param(
            ["closed-001,jack-001,staff,0", "closed-001,jones-001,clients,0"],
            [("UNCHANGED", None)] * 2,
            id="a closed case as it is",
        ),
        pytest.param(
            ["trv-001,gone-001,staff,", "trv-001,jill-001,clients,", "trv-01,jones-001,clients,"],
            [
                (
                    "UNCHANGED",
                    "kept jones-001; the Case Id of row 4 can't be read",
                ),
                ("UNCHANGED", None),
                ["NOT_FOUND"],
            ],
            id="the case of a row is unknown: its user stays everywhere",
        ),
        pytest.param(
            ["trv-002,jack-001,staff,0", "trv-002,jack-001,staff,0", "trv-002,jack-001,clients,0"],
            [
                ("CREATED", "kept jones-001; row 4 has failed"),
                ("UNCHANGED", "repeats row 2"),
                ["CONFLICTS_WITH_ROW"],
            ],
            id="rows that contradict each other",
        ),
        pytest.param(
            ["trv-002,jack-001,staff,0", "trv-001,jack-001,staff,0"],
            [
                ("UPDATED", "removed jones-001, who is not in the file"),
                ("UPDATED", "removed jones-001 and 2 others, who are not in the file"),
            ],
            id="two cases",
        ),
    ],
)  # fmt: skip
def test_what_rows_come_to(rows: list[str], expected: list[Any]) -> None:
    """A case with any row that fails loses nobody; its other rows are applied."""
    assert reports(*rows) == expected


def test_conformance() -> None:
    """It keeps the rules of all importers."""
    check_conformance(SyncUsers)
