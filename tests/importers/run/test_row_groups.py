"""Groups of rows: taken together, with changes that belong to the group and to no row."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from importers import (
    Assign,
    CaseRef,
    Column,
    FailedRow,
    Importer,
    Remove,
    RoleRef,
    Row,
    RowError,
    Unchanged,
    UserRef,
    Validator,
)
from importers.testing import check_importer, run_importer
from tests.importers.world_of_groups import WORLD

HEADER = "matter,person,role,leaver"
LEAVES = "kept jones-001; "


class Handovers(Importer):
    """People take matters over; those who leave are taken off them."""

    label = "Handovers"
    group_by = "matter"

    matter = CaseRef(required=True, must_be_open=True, help="Which.", example="trv-002")
    person = UserRef(required=True, must_be_active=True, help="Who.", example="jack-001")
    role = RoleRef(required=True, help="As what.", example="staff")
    leaver = UserRef(help="Who leaves.", example="jones-001")

    def change_group(self, key: Any, rows: Sequence[Row], failed_rows: Sequence[FailedRow]) -> Any:
        for row in rows:
            yield row, Assign(case=key, user=row.person, role=row.role)
        for row in rows:
            if row.leaver:
                yield None, Remove(case=key, user=row.leaver)


def reports(*rows: str, importer: type[Importer] = Handovers, **options: Any) -> list[Any]:
    """Return what rows come to: their outcomes and messages, or the codes of their errors."""
    found = run_importer(importer, "\n".join([HEADER, *rows]), world=WORLD, **options)
    return [
        [error["code"] for error in each["errors"]]
        if "errors" in each
        else (each["outcome"], each.get("message"))
        for each in found
    ]


def test_the_first_row_makes_the_changes_of_its_group() -> None:
    """They are told of in its message; the outcome is that of a row of several changes."""
    check_importer(
        Handovers,
        f"{HEADER}\ntrv-001,jack-001,staff,\ntrv-001,jones-001,clients,jill-001\n",
        [
            {
                "row": 2,
                "outcome": "UPDATED",
                "message": "removed jill-001, who is not in the file",
                "asks": [
                    {"change": "Remove", "case": "trv-001", "user": "jill-001"},
                    {"change": "Assign", "case": "trv-001", "user": "jack-001", "role": "staff"},
                ],
            },
            {"row": 3, "outcome": "UNCHANGED"},
        ],
        world=WORLD,
    )


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param(
            ["trv-001,jones-001,clients,jill-001"],
            [("REMOVED", "removed jill-001, who is not in the file")],
            id="the first row does nothing itself",
        ),
        pytest.param(
            ["trv-001,jack-001,staff,jill-001", "trv-001,jack-001,staff,jones-001"],
            [
                ("UPDATED", "removed jones-001 and jill-001, who are not in the file"),
                ("UNCHANGED", "repeats row 2"),
            ],
            id="two of them",
        ),
        pytest.param(
            [
                "trv-001,jack-001,staff,jill-001",
                "trv-001,jack-001,staff,jones-001",
                "trv-001,jack-001,staff,gone-001",
            ],
            [
                ("UPDATED", "removed jones-001 and 2 others, who are not in the file"),
                ("UNCHANGED", "repeats row 2"),
                ("UNCHANGED", "repeats row 2"),
            ],
            id="three of them",
        ),
        pytest.param(
            ["trv-002,jack-001,staff,jones-001"],
            [("CREATED", "was not assigned (user 'jones-001')")],
            id="they change nothing",
        ),
        pytest.param(
            ["trv-001,jack-001,staff,jones-001", "trv-002,jack-001,staf,"],
            [("UPDATED", "removed jones-001, who is not in the file"), ["INVALID_CHOICE"]],
            id="a row of another group fails",
        ),
        pytest.param(
            ["trv-001,jack-001,staff,jones-001", "trv-001,jill-001,staf,"],
            [("CREATED", f"{LEAVES}row 3 has failed"), ["INVALID_CHOICE"]],
            id="a row of the group has a wrong cell",
        ),
        pytest.param(
            ["trv-001,jack-001,staff,jones-001", "trv-001,jill-001,staff,"],
            [("CREATED", f"{LEAVES}row 3 has failed"), ["ALREADY_ASSIGNED"]],
            id="a row of the group can't be carried out",
        ),
        pytest.param(
            ["trv-001,jack-001,staff,jones-001", "trv-001,jack-001,clients,", "trv-001,x,x,"],
            [
                ("CREATED", f"{LEAVES}rows 3 and 4 have failed"),
                ["CONFLICTS_WITH_ROW"],
                ["NOT_FOUND", "INVALID_CHOICE"],
            ],
            id="rows of the group contradict each other",
        ),
        pytest.param(
            ["trv-001,gone-001,staff,jones-001"],
            [("REMOVED", "removed jones-001, who is not in the file")],
            id="the first row names a disabled user, and changes nothing itself",
        ),
        pytest.param(
            ["closed-001,jack-001,staff,jones-001"],
            [["CASE_CLOSED"]],
            id="what makes the group refuses what the group changes",
        ),
        pytest.param(
            ["closed-001,jack-001,staff,"],
            [("UNCHANGED", None)],
            id="what makes the group refuses nothing of a group that changes nothing",
        ),
        pytest.param(
            ["trv-001,jack-001,staff,jones-001", "trv-01,jones-001,clients,"],
            [("CREATED", f"{LEAVES}the Matter of row 3 can't be read"), ["NOT_FOUND"]],
            id="a row of an unknown group names the same",
        ),
        pytest.param(
            ["trv-001,jack-001,staff,jones-001", "trv-01,jill-001,clients,"],
            [("UPDATED", "removed jones-001, who is not in the file"), ["NOT_FOUND"]],
            id="a row of an unknown group names another",
        ),
        pytest.param(
            ["trv-001,jack-001,staff,jones-001", "trv-01,jo,clients,"],
            [
                ("CREATED", f"{LEAVES}the Matter of row 3 can't be read"),
                ["NOT_FOUND", "NOT_FOUND"],
            ],
            id="a row of an unknown group names nobody who is known",
        ),
        pytest.param(
            ["trv-001,jack-001,staff,jones-001", "trv-01,jill-001,no,"],
            [
                ("UPDATED", "removed jones-001, who is not in the file"),
                ["NOT_FOUND", "INVALID_CHOICE"],
            ],
            id="a row of an unknown group names another, with an unknown role",
        ),
        pytest.param(
            ["trv-001,jack-001,staff,jones-001", "trv-001,jill,-001,clients,x"],
            [
                ("CREATED", f"{LEAVES}the Matter of row 3 can't be read"),
                ["TOO_MANY_CELLS"],
            ],
            id="a row's cells are not where they belong",
        ),
    ],
)  # fmt: skip
def test_what_a_group_changes(rows: list[str], expected: list[Any]) -> None:
    """The group changes something only if each of its rows passes."""
    assert reports(*rows) == expected


class OneLeaves(Handovers):
    """One takes a matter over; rows are named by their roles."""

    def change_group(self, key: Any, rows: Sequence[Row], failed_rows: Sequence[FailedRow]) -> Any:
        self.seen.append((key.tag_id, [row.number for row in rows], list(failed_rows)))
        if rows[0].role.key == "default":
            raise RowError("role", "NO_ROLE", "is no role of a matter.")
        yield (
            rows[0],
            [Assign(case=key, user=rows[0].person, role=rows[0].role), Unchanged("is first")],
        )
        if len(rows) > 1:
            yield rows[1], RowError("person", "SECOND", "comes second.")

    seen: Any = None


def test_what_is_seen_and_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows come in the order of the file, wrong ones with their columns; all get a result."""
    seen: list[Any] = []
    monkeypatch.setattr(OneLeaves, "seen", seen)

    found = reports(
        "trv-001,jack-001,staff,",
        "trv-002,jack-001,staff,",
        "trv-001,jill-001,staff,",
        "trv-001,x,y,",
        "trv-001,jones-001,staff,",
        importer=OneLeaves,
    )

    assert seen == [
        ("trv-001", [2, 4, 6], [FailedRow(5, ("person", "role"))]),
        ("trv-002", [3], []),
    ]
    assert found == [
        ("CREATED", "is first"),
        ("CREATED", "is first"),
        ["SECOND"],
        ["NOT_FOUND", "INVALID_CHOICE"],
        ("UNCHANGED", None),
    ]


def test_an_error_of_the_group_fails_all_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Raised, it stands for the group; each row names its own cell."""
    monkeypatch.setattr(OneLeaves, "seen", [])
    rows = ["trv-001,jack-001,default,", "trv-001,jill-001,staff,", "trv-001,x,staff,"]

    found = run_importer(OneLeaves, "\n".join([HEADER, *rows]), world=WORLD)

    errors = [each["errors"] for each in found]
    assert [[(error["code"], error.get("value")) for error in each] for each in errors] == [
        [("NO_ROLE", "default")],
        [("NO_ROLE", "staff")],
        [("NOT_FOUND", "x")],
    ]


ROW = object()
"""Stands for the group's first row in what an importer answers."""


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (Unchanged("x"), "no pair of a row and an answer"),
        ((None, Unchanged("x")), "which is about no row of it"),
        ((None, RowError(None, "WRONG", "is wrong.")), "which can't be carried out"),
        (("trv-001", None), "which is about no row of it"),
        ((ROW, "trv-001"), "which can't be carried out"),
        ((ROW, RowError("nothing", "WRONG", "is wrong.")), "which is no column"),
    ],
)
def test_a_wrong_answer_fails_the_group(
    answer: Any, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The rows fail with IMPORTER_ERROR, the log says why; other groups are no worse off."""

    class Odd(Handovers):
        def change_group(self, key: Any, rows: Any, failed_rows: Any) -> Any:
            if key.tag_id == "trv-001":
                row, said = answer if isinstance(answer, tuple) else (None, None)
                yield (rows[0], said) if row is ROW else answer
            for row in rows:
                yield row, Assign(case=key, user=row.person, role=row.role)

    rows = ["trv-001,jack-001,staff,", "trv-002,jack-001,staff,", "trv-001,jones-001,clients,"]
    with caplog.at_level(logging.ERROR):
        found = reports(*rows, importer=Odd)

    assert found == [["IMPORTER_ERROR"], ("CREATED", None), ["IMPORTER_ERROR"]]
    assert fault in caplog.text


def test_a_group_asks_for_nothing_that_a_row_asks_for(caplog: pytest.LogCaptureFixture) -> None:
    """Which of the two should be done could not be known."""
    found = reports("trv-001,jones-001,clients,jones-001")

    assert found == [["IMPORTER_ERROR"]]
    assert "for the group, which a row asks for as well" in caplog.text


class Nobody(Validator):
    """Lets nobody be removed."""

    def check(self, effect: Any, prepared: Any) -> None:
        if effect.after is None:
            raise RowError("user", "STAYS", "has to stay.")


def test_a_veto_of_what_the_group_changes_fails_its_first_row() -> None:
    """All or nothing: the row that makes these changes says why they are not made."""
    rows = ["trv-001,jack-001,staff,jones-001", "trv-001,jill-001,clients,"]

    assert reports(*rows, validators=[Nobody("nobody")]) == [["STAYS"], ("UNCHANGED", None)]


class ByTeam(Importer):
    """Teams of people, by a name that is nothing to Caseroll."""

    label = "Teams"
    group_by = "team"

    team = Column[str](required=True, help="The team.", example="red")
    person = UserRef(required=True, help="Who.", example="jack-001")
    matter = CaseRef(required=True, help="Which.", example="trv-002")

    def change_group(self, key: str, rows: Any, failed_rows: Any) -> Iterator[Any]:
        for row in rows:
            yield row, Unchanged(f"{key}: {len(rows)} of {len(rows) + len(failed_rows)}")


def test_any_column_makes_a_group() -> None:
    """Its values are compared as keys are."""
    rows = ["red,jack-001,trv-001", "blue,x,trv-001", "red,x,trv-001", "blue ,jack-001,trv-001"]

    found = run_importer(ByTeam, "\n".join(["team,person,matter", *rows]))

    assert [each.get("message") for each in found] == [
        "red: 1 of 2",
        None,
        None,
        "blue: 1 of 2",
    ]
