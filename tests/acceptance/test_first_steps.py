"""The first steps of a new user: `up --demo`, a sample file, an import, what failed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import openpyxl
import pytest

from tests.acceptance.program import Place, until_ready

# As on the project's first page: what the sample files hold, byte by byte.
SAMPLES = {
    "assign": (
        b"case_id,user_id,case_role_order,case_role_id,case_notify\r\ntrv-001,jack-001,,staff,0\r\n"
    ),
    "modify": b"case_id,user_id,case_role_id,case_notify\r\ntrv-001,jones-001,staff,0\r\n",
    "remove": b"user_id,case_id\r\njones-001,trv-001\r\n",
    "sync": (
        b"case_id,user_id,case_role_order,case_role_id,case_notify\r\ntrv-001,jack-001,,staff,0\r\n"
    ),
}
OUTCOMES = {"assign": "created", "modify": "updated", "remove": "removed", "sync": "removed"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Demo data, as new; each test imports something that the others do not touch."""
    place = Place(tmp_path_factory.mktemp("steps"))
    with until_ready(place.start("up", "--demo")):
        yield place


@pytest.mark.parametrize("type_", SAMPLES)
def test_sample_file(place: Place, type_: str) -> None:
    """A sample file is what the documentation shows."""
    code, output = place.run("sample", type_, "-o", f"{type_}.csv")

    assert (code, output) == (0, "")
    assert (place.folder / f"{type_}.csv").read_bytes() == SAMPLES[type_]


def test_import_types(place: Place) -> None:
    """What goes into a type's columns is listed, with the choices that the app has."""
    code, output = place.run("import-types", "assign")
    wrong = place.run("import-types", "asign")

    assert code == 0
    assert output.splitlines()[0].split("\t")[:3] == ["type", "column", "required"]
    assert [line.split("\t")[1:3] for line in output.splitlines()[1:]] == [
        ["case_id", "yes"],
        ["user_id", "yes"],
        ["case_role_order", ""],
        ["case_role_id", "yes"],
        ["case_notify", ""],
    ]
    assert "clients, staff, default" in output
    assert wrong[0] == 2
    assert "there is no import type 'asign'; the types are: add-users, assign" in wrong[1]
    assert [each["key"] for each in json.loads(place.run("import-types", "--json")[1])] == [
        "add-users", "assign", "add-cases", "modify-cases", "modify-users", "modify", "remove",
        "sync",
    ]  # fmt: skip


def test_samples_pass_unchanged(place: Place) -> None:
    """Each sample file, uploaded unchanged, passes on the demo data."""
    for type_, content in SAMPLES.items():
        (place.folder / f"unchanged-{type_}.csv").write_bytes(content)
        code, output = place.run(
            "import", f"unchanged-{type_}.csv", "--type", type_, "--name", f"Sample {type_}"
        )

        assert output == f"Processed: Sample {type_}, 1 row: 1 passed, 1 {OUTCOMES[type_]}.\n"
        assert code == 0


def test_failed_rows(place: Place) -> None:
    """Failed rows are shown, end with exit code 1, and can be downloaded by the import's name."""
    (place.folder / "bad.csv").write_text(
        "case_id,user_id,case_role_id\ntrv-003,jack-001,staff\ntrv-004,nobody,staff\n"
    )
    code, output = place.run("import", "bad.csv", "--type", "assign", "--name", "Bad")
    download = place.run("failed-rows", "Bad", "-o", "failed.csv")

    assert code == 1
    assert "2 rows: 1 passed, 1 failed, 1 created." in output
    assert "3\tuser_id\tUser Id: no user has the Tag ID or ID 'nobody'" in output
    assert download == (0, "")
    assert (
        (place.folder / "failed.csv")
        .read_text("utf-8-sig")
        .splitlines()[1:][0]
        .startswith("trv-004,nobody,staff,3,")
    )


def test_changes(place: Place) -> None:
    """A dry run lists what it would change, with what follows from it, for people and programs."""
    (place.folder / "remove.csv").write_text(
        "user_id,case_id\neriksen-008,trv-005\neriksen-008,trv-999\neriksen-008,trv-209\n"
    )
    place.run("import", "remove.csv", "--type", "remove", "--name", "Plan", "--dry-run")
    code, output = place.run("changes", "Plan")
    of_program = json.loads(place.run("changes", "Plan", "--json", "--case", "trv-005")[1])
    of_other = place.run("changes", "Plan", "--kind", "create", "--user", "eriksen-008")

    assert code == 0
    lines = output.splitlines()
    assert lines[-2] == "row\tkind\tcase\tuser\tchange"
    assert lines[-1].startswith("2\tREMOVE\ttrv-005\teriksen-008\t")
    assert (of_program["dryRun"], of_program["totalCount"]) == (True, 1)
    assert [each["row"] for each in of_program["changes"]] == [2]
    assert of_other[1].splitlines()[-1] == lines[-2]
    assert place.run("changes", "Plan", "--user", "nobody") == (
        2,
        "Error: there is no user with the Tag ID, e-mail address or ID 'nobody'.\n",
    )
    assert place.run("changes", "Nothing") == (
        2,
        "Error: there is no import with the ID or name 'Nothing'.\n",
    )


def test_history(place: Place) -> None:
    """What an import has changed is listed, for people and for programs."""
    (place.folder / "two.csv").write_text("case_id,user_id,case_role_id\ntrv-009,jack-001,staff\n")
    place.run("import", "two.csv", "--type", "assign", "--name", "Two")
    code, table = place.run("history", "--import", "Two")
    as_json = place.run("history", "--import", "Two", "--json")
    unknown = place.run("history", "--case", "nothing")

    assert code == as_json[0] == 0
    assert "trv-009\tjack-001\tput on the case as staff\tTwo\t2\tcaseroll up" in table
    assert json.loads(as_json[1])[0]["after"] == {"role": {"key": "staff"}, "notify": False}
    assert unknown == (2, "Error: there is no case with the Tag ID or ID 'nothing'.\n")


def test_workbooks(place: Place) -> None:
    """Samples and failed rows come as workbooks, too, and can be imported as they are; what is
    corrected in one passes."""
    code, _ = place.run("sample", "assign", "-o", "sample.xlsx")
    passed = place.run("import", "sample.xlsx", "--type", "assign", "--name", "S", "--dry-run")
    (place.folder / "wrong.csv").write_text("case_id,user_id,case_role_id\ntrv-007,jack-001,boss\n")
    place.run("import", "wrong.csv", "--type", "assign", "--name", "Wrong")
    download = place.run("failed-rows", "Wrong", "-o", "wrong.xlsx")
    again = place.run("import", "wrong.xlsx", "--type", "assign", "--name", "Again")
    book = openpyxl.load_workbook(place.folder / "wrong.xlsx")
    book.worksheets[0]["C2"] = "staff"
    book.save(place.folder / "right.xlsx")
    right = place.run("import", "right.xlsx", "--type", "assign", "--name", "Right")

    assert (code, passed[0], download) == (0, 0, (0, ""))
    assert (again[0], "there is no 'boss'" in again[1]) == (1, True)
    assert right == (0, "Processed: Right, 1 row: 1 passed, 1 created.\n")


def test_exports(place: Place) -> None:
    """What is exported can be imported as it is, and changes nothing."""
    exported = [
        place.run("export", "assignments", "--role", "staff", "-o", "staff.csv"),
        place.run("export", "users", "-o", "users.xlsx"),
    ]
    staff = place.run("import", "staff.csv", "--type", "modify", "--name", "All", "--json")
    users = place.run("import", "users.xlsx", "--type", "modify-users", "--name", "Users", "--json")
    wrong = place.run("export", "assignments", "--case", "trv-9999", "-o", "none.csv")

    assert exported == [(0, ""), (0, "")]
    for code, output in (staff, users):
        state = json.loads(output)
        assert code == 0
        assert state["unchanged"] == state["total"] > 0
    assert wrong == (2, "Error: There is no case with the Tag ID or ID 'trv-9999'.\n")
    assert not (place.folder / "none.csv").exists()


def test_no_failed_rows(place: Place) -> None:
    """An import without failed rows has no file of them, and none is left behind."""
    place.run("sample", "assign", "-o", "good.csv")
    place.run("import", "good.csv", "--type", "assign", "--name", "Good", "--dry-run")
    wrong = place.run("failed-rows", "Good", "-o", "none.xlsx")

    assert wrong == (2, "Error: no row of the import 'Good' failed.\n")
    assert not (place.folder / "none.xlsx").exists()


def test_refused_file(place: Place) -> None:
    """A file that is refused ends with exit code 2, every reason on a line, and the way out."""
    (place.folder / "refused.csv").write_text("case_id,user_id,colour\ntrv-001,jack-001,red\n")
    code, output = place.run("import", "refused.csv", "--type", "assign", "--name", "Refused")

    assert code == 2
    *errors, hint, options = output.splitlines()
    assert all(line.startswith("Error: ") for line in errors)
    assert any("colour" in line for line in errors)
    assert hint == "To import the file as it is, say what its columns are:"
    assert options == "  --map colour=COLUMN, or --ignore colour"


def test_wrong_options(place: Place) -> None:
    """What is wrong with an option is said with its name."""
    (place.folder / "good.csv").write_text("case_id,user_id,case_role_id\ntrv-001,jack-001,staff\n")
    code, output = place.run("import", "good.csv", "--type", "asign", "--name", " ")

    assert code == 2
    assert output.splitlines() == [
        "Error: --name: This can't be blank.",
        "Error: --type: There is no such import type; there are: add-users, assign, add-cases, "
        "modify-cases, modify-users, modify, remove, sync.",
    ]


def test_no_watch_and_json(place: Place) -> None:
    """Programs get the import's ID at once, or JSON."""
    (place.folder / "one.csv").write_text("case_id,user_id,case_role_id\ntrv-005,jack-001,staff\n")
    code, number = place.run(
        "import", "one.csv", "--type", "assign", "--name", "One", "--no-watch", "--dry-run"
    )
    listed = json.loads(place.run("imports", "--json")[1])

    assert code == 0
    assert number.strip() in [each["id"] for each in listed]


def test_list(place: Place) -> None:
    """The list of imports says when each was made, to the minute."""
    (place.folder / "two.csv").write_text("case_id,user_id,case_role_id\ntrv-006,jack-001,staff\n")
    place.run("import", "two.csv", "--type", "assign", "--name", "Two")
    header, newest, *_ = place.run("imports")[1].splitlines()

    assert header.split("\t")[-2:] == ["created (UTC)", "remarks"]
    assert re.fullmatch(r".+\tTwo\tassign\tPROCESSED\t1\t1\t0\t\d{4}-\d\d-\d\d \d\d:\d\d\t", newest)
