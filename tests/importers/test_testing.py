"""What plugin authors test their importers with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import importers.testing
from importers import Assign, Case, CaseRef, Flag, Importer, RoleRef, Row, UserRef
from importers.errors import FileRefusedError
from importers.testing import Assigned, World, check_importer, run_importer


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


def test_a_file_and_what_is_expected() -> None:
    """An importer's test is one line for each file."""
    check_importer(
        SeatingPlan,
        "matter;person;seat\ntrv-002;JO@example.org;lead\ntrv-02;jack@example.org;guest\n",
        [
            {"row": 2, "outcome": "CREATED"},
            {
                "row": 3,
                "errors": [
                    {
                        "code": "NOT_FOUND",
                        "message": "Matter: no case has the Tag ID or ID 'trv-02'; "
                        "did you mean 'trv-002'?",
                        "column": "matter",
                        "value": "trv-02",
                        "suggestion": "trv-002",
                    }
                ],
            },
        ],
    )


def test_a_difference_shows_both_sides() -> None:
    """What is not as expected is an assertion that says what was found."""
    with pytest.raises(AssertionError) as caught:
        check_importer(
            SeatingPlan, "matter,person,seat\ntrv-002,jo@example.org,lead\n", [{"row": 2}]
        )

    assert str(caught.value) == (
        'expected\n{"row": 2}\nbut found\n{"row": 2, "outcome": "CREATED"}'
    )


def test_files(tmp_path: Path) -> None:
    """File and expectation can be files; `run_importer` writes the latter."""
    file, expected = tmp_path / "week.csv", tmp_path / "week.expected.json"
    file.write_text("matter,person,seat\ntrv-002,jo@example.org,lead\n")
    expected.write_text(json.dumps(run_importer(SeatingPlan, file)))

    check_importer(SeatingPlan, file, expected)


def test_a_world_of_ones_own() -> None:
    """What is there before the import can be said."""
    world = World(
        cases=[Case(id=9, tag_id="m-9")],
        assignments=[Assigned(case="m-9", user="jones-001", role="staff")],
    )

    reports = run_importer(
        SeatingPlan,
        "matter,person,seat\nm-9,jo@example.org,lead\nm-9,jo@example.org,lead\n",
        world=world,
    )

    assert reports == [
        {"row": 2, "outcome": "UNCHANGED"},
        {"row": 3, "outcome": "UNCHANGED", "message": "repeats row 2"},
    ]


def test_a_refused_file() -> None:
    """A file that can't be imported at all is refused as it would be on upload."""
    with pytest.raises(FileRefusedError, match="matter"):
        run_importer(SeatingPlan, "person,seat\njo@example.org,lead\n")


@pytest.mark.parametrize("name", importers.testing.__all__)
def test_every_name_is_documented(name: str) -> None:
    """Every public name has a docstring of its own."""
    documented = getattr(importers.testing, name).__doc__

    assert documented
    assert not documented.startswith(f"{name}(")
