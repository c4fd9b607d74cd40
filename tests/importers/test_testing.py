"""What plugin authors test their importers with."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import importers.testing
from importers import (
    Case,
    Directory,
    Effect,
    Reference,
    Row,
    RowError,
    Unchanged,
    User,
    Validator,
)
from importers.builtin.add_users import AddUsers
from importers.sdk.errors import ConfigError, FileRefusedError
from importers.testing import Assigned, World, check_importer, run_importer
from tests.importers.fakes import SeatingPlan


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
        'expected\n{"row": 2}\nbut found\n{"row": 2, "outcome": "CREATED", "asks": [{"change": '
        '"Assign", "case": "trv-002", "user": "jones-001", "role": "staff", "notify": false}]}'
    )


def test_files(tmp_path: Path) -> None:
    """File and expectation can be files; `run_importer` writes the latter."""
    file, expected = tmp_path / "week.csv", tmp_path / "week.expected.json"
    file.write_text("matter,person,seat\ntrv-002,jo@example.org,lead\n")
    expected.write_text(json.dumps(run_importer(SeatingPlan, file)))

    check_importer(SeatingPlan, file, expected)


def test_an_expected_file_that_is_not_there(tmp_path: Path) -> None:
    """It is written, and fails once, so that somebody reads it; then it is what is expected."""
    expected = tmp_path / "week.expected.json"
    file = "matter,person,seat\ntrv-002,jo@example.org,lead\ntrv-002,jo@example.org,boss\n"

    with pytest.raises(AssertionError, match=r"week\.expected\.json was written; read it"):
        check_importer(SeatingPlan, file, expected)

    assert json.loads(expected.read_text()) == run_importer(SeatingPlan, file)
    assert len(expected.read_text().splitlines()) == 4, "one line a row, for reading"
    check_importer(SeatingPlan, file, expected)


class NoLeads(Validator):
    """Let nobody be a lead."""

    def check(self, effect: Effect, prepared: Any) -> None:
        """Refuse staff."""
        if effect.after and effect.after.role.key == "staff":
            raise RowError("role", "NO_LEADS", "leads are not on this list.")


def test_validators() -> None:
    """Validators are asked as well, and refuse on the file's own column."""
    check_importer(
        SeatingPlan,
        "matter,person,seat\ntrv-002,jo@example.org,lead\ntrv-002,jack@example.org,guest\n",
        [
            {
                "row": 2,
                "errors": [
                    {
                        "code": "NO_LEADS",
                        "message": "Seat: leads are not on this list.",
                        "column": "seat",
                        "value": "lead",
                    }
                ],
            },
            {"row": 3, "outcome": "CREATED"},
        ],
        validators=[NoLeads()],
    )


class Desk(Reference[User]):
    """Whoever sits at a desk, in a table of the plugin's own."""

    async def resolve(self, directory: Directory, keys: Collection[str]) -> Mapping[str, User]:
        """Ask the table."""
        rows = await directory.fetch(
            "SELECT code, person FROM acme_desks WHERE app_id = $1 AND code = ANY($2)",
            directory.app_id,
            list(keys),
        )
        return {row["code"]: User(id=row["person"]) for row in rows}


class Desks(SeatingPlan):
    """Put whoever sits at a desk on a matter."""

    person = Desk(required=True, example="d-1")


def test_a_plugins_own_tables() -> None:
    """World(fetch=…) answers what the plugin asks its own tables."""
    asked = []

    def fetch(query: str, *arguments: Any) -> list[dict[str, Any]]:
        asked.append((query.partition(" WHERE")[0], arguments[0], sorted(arguments[1])))
        return [{"code": "d-1", "person": 2}]

    reports = run_importer(
        Desks,
        "matter,person,seat\ntrv-002,d-1,lead\ntrv-002,d-2,lead\n",
        world=World(fetch=fetch),
    )

    assert asked == [("SELECT code, person FROM acme_desks", 1, ["d-1", "d-2"])]
    assert [report.get("outcome") for report in reports] == ["CREATED", None]
    assert reports[1]["errors"][0]["code"] == "NOT_FOUND"


def test_a_table_that_the_world_does_not_know(caplog: pytest.LogCaptureFixture) -> None:
    """Without it, the log says what to do."""
    reports = run_importer(Desks, "matter,person,seat\ntrv-002,d-1,lead\n")

    assert reports[0]["errors"][0]["code"] == "IMPORTER_ERROR"
    assert "say with World(fetch=…) what this query finds: SELECT code, person" in caplog.text


class Mailing(SeatingPlan):
    """Put people on matters, with a mail or not."""

    @dataclass(frozen=True)
    class Settings:
        """Whether to send mails."""

        mails: bool = True

    def change(self, row: Row) -> Any:
        """Do as the settings say."""
        return super().change(row) if self.settings.mails else None


def test_settings() -> None:
    """A class is run with the defaults of its settings, an instance with those that it has."""
    file = "matter,person,seat\ntrv-002,jo@example.org,lead\n"

    check_importer(Mailing, file, [{"row": 2, "outcome": "CREATED"}])
    check_importer(
        Mailing("mailing", Mailing.Settings(mails=False)),
        file,
        [{"row": 2, "outcome": "UNCHANGED"}],
    )


def test_settings_without_defaults() -> None:
    """A class that has to be told something is not run, and the error says how it can be."""

    class Told(SeatingPlan):
        @dataclass(frozen=True)
        class Settings:
            mails: bool

    with pytest.raises(ConfigError, match=r"'mails' is missing\ngive an instance .* Told\.Sett"):
        run_importer(Told, "matter,person,seat\n")


def test_a_world_of_ones_own() -> None:
    """What is there before the import can be said."""
    world = World(
        cases=[Case(id=9, tag_id="m-9")],
        assignments=[Assigned(case="m-9", user="jones-001", role="staff")],
    )

    check_importer(
        SeatingPlan,
        "matter,person,seat\nm-9,jo@example.org,lead\nm-9,jo@example.org,lead\n",
        [
            {"row": 2, "outcome": "UNCHANGED"},
            {"row": 3, "outcome": "UNCHANGED", "message": "repeats row 2"},
        ],
        world=world,
    )


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


MAPPED = "matter,person,seat\ntrv-002,jo@example.org,lead\n"


@pytest.mark.parametrize(
    ("report", "is_right"),
    [
        ({"outcome": "CREATED"}, True),
        ({"outcome": "CREATED", "asks": [{"role": "staff"}]}, True),
        ({"outcome": "CREATED", "asks": [{"role": "clients"}]}, False),
        ({"outcome": "CREATED", "asks": [{"colour": "red"}]}, False),
        ({"outcome": "CREATED", "asks": []}, False),
        ({"outcome": "UPDATED"}, False),
        ({}, False),
        ({"outcome": "CREATED", "message": "x"}, False),
        ({"errors": [{"code": "NOT_FOUND"}]}, False),
    ],
    ids=str,
)
def test_what_a_row_asks_for(report: dict[str, Any], is_right: bool) -> None:
    """A test says what it wants to of the change; outcome and message have to be right."""
    if is_right:
        check_importer(SeatingPlan, MAPPED, [{"row": 2, **report}])
    else:
        with pytest.raises(AssertionError, match=r"^expected\n"):
            check_importer(SeatingPlan, MAPPED, [{"row": 2, **report}])


@pytest.mark.parametrize(
    ("errors", "is_right"),
    [
        ([{"code": "NOT_FOUND", "column": "matter"}], True),
        ([{"code": "NOT_FOUND", "column": "person"}], False),
        ([], False),
        ([{}, {}], False),
    ],
    ids=str,
)
def test_what_is_wrong(errors: list[dict[str, Any]], is_right: bool) -> None:
    """Each error is expected, in as much detail as the test wants."""
    file, wanted = MAPPED.replace("trv-002", "x"), [{"row": 2, "errors": errors}]
    if is_right:
        check_importer(SeatingPlan, file, wanted)
    else:
        with pytest.raises(AssertionError, match=r"^expected\n"):
            check_importer(SeatingPlan, file, wanted)


def test_changes_of_an_own_kind_have_to_be_told() -> None:
    """Where only the database can tell the outcome, the test says what is asked for."""
    with pytest.raises(AssertionError):
        check_importer(AddUsers, "username\na@example.org\n", [{"row": 2}])
    check_importer(
        AddUsers, "username\na@example.org\n", [{"row": 2, "asks": [{"email": "a@example.org"}]}]
    )


def test_a_failure_is_never_expected(tmp_path: Path) -> None:
    """What an importer's bug comes to is not written down as what is expected."""

    class Odd(SeatingPlan):
        def change(self, row: Row) -> Any:
            raise ValueError

    with pytest.raises(AssertionError, match="a plugin failed"):
        check_importer(Odd, MAPPED, tmp_path / "expected.json")

    assert list(tmp_path.iterdir()) == []


def test_settings_have_their_defaults() -> None:
    """A class is tried with the settings that an empty table gives."""

    class Tuned(SeatingPlan):
        @dataclass
        class Settings:
            role: str = "clients"

        def change(self, row: Row) -> Any:
            return Unchanged(self.settings.role)

    check_importer(Tuned, MAPPED, [{"row": 2, "outcome": "UNCHANGED", "message": "clients"}])
