"""Users per case: limits how many users a case has in each role."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from importers.builtin.assign import AssignUsers
from importers.builtin.modify import ModifyAssignments
from importers.builtin.users_per_case import UsersPerCase
from importers.testing import run_importer
from tests.importers.run.sample_validators import Settings, limited


@pytest.mark.parametrize(
    ("settings", "rows", "codes"),
    [
        pytest.param(Settings(limit=1), ["trv-001,jack-001,clients"], ["CASE_FULL"], id="full"),
        pytest.param(Settings(limit=2), ["trv-001,jack-001,clients"], [None], id="a seat is left"),
        pytest.param(Settings(limit=1), ["trv-001,jack-001,staff"], [None], id="another role"),
        pytest.param(Settings(roles={"clients": 1}), ["trv-001,jack-001,clients"], ["CASE_FULL"],
                     id="of a named role"),
        pytest.param(Settings(roles={"clients": 1}), ["trv-001,jack-001,staff"], [None],
                     id="other roles are not limited"),
        pytest.param(Settings(limit=9, roles={"clients": 0}), ["trv-002,jack-001,clients"],
                     ["CASE_FULL"], id="a named role counts first"),
        pytest.param(Settings(limit=1), ["trv-002,jack-001,staff", "trv-002,jones-001,staff",
                                         "trv-002,jack-001,staff"],
                     [None, "CASE_FULL", None], id="rows before count, repeats do not"),
        pytest.param(Settings(limit=1), ["trv-002,gone-001,staff", "trv-002,jones-001,staff"],
                     ["USER_DISABLED", None], id="failed rows take no seat"),
    ],
)  # fmt: skip
def test_users_per_case(
    settings: UsersPerCase.Settings, rows: Sequence[str], codes: Sequence[str | None]
) -> None:
    """A row that puts one user too many into a role fails, with the error on the case."""
    reports = run_importer(
        AssignUsers, "\n".join(["case_id,user_id,case_role_id", *rows]),
        validators=[UsersPerCase("users-per-case", settings)],
    )  # fmt: skip
    errors = [report.get("errors", [{}])[0] for report in reports]

    assert [error.get("code") for error in errors] == codes
    assert {e["column"] for e in errors if e.get("code") == "CASE_FULL"} <= {"case_id"}


def test_users_per_case_says_how_many() -> None:
    """The message has the number of users and the limit."""
    (report,) = run_importer(
        AssignUsers, "case_id,user_id,case_role_id\ntrv-001,jack-001,clients\n",
        validators=[limited(1)],
    )  # fmt: skip

    assert report["errors"][0]["message"] == (
        "Case Id: has 1 users in the role 'clients', and may have 1."
    )


def test_users_per_case_counts_moves() -> None:
    """A user whose role changes leaves a seat in one role and takes one in the other."""
    reports = run_importer(
        ModifyAssignments,
        "case_id,user_id,case_role_id,case_notify\n"
        "trv-001,jones-001,staff,\ntrv-001,jones-001,staff,\n",
        validators=[limited(staff=1, clients=1)],
    )

    assert [report.get("outcome") for report in reports] == ["UPDATED", "UNCHANGED"]


@pytest.mark.parametrize(
    ("values", "problem"),
    [({}, "limits nothing"), ({"limit": -1}, "below 0"), ({"roles": {"staff": -1}}, "below 0")],
)
def test_users_per_case_checks_its_settings(values: dict[str, Any], problem: str) -> None:
    """Settings without a limit, or with a negative one, are refused at start."""
    with pytest.raises(ValueError, match=problem):
        Settings(**values)
