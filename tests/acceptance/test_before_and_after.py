"""Before and after a run, by the command line: plans, undo, holds, all or nothing."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.program import Place, until_ready

HEADER = "case_id,user_id,case_role_id\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Demo data, as new; each test imports something that the others do not touch."""
    place = Place(tmp_path_factory.mktemp("before"))
    with until_ready(place.start("up", "--demo")):
        yield place


@pytest.fixture
def releasing(place: Place) -> Iterator[Place]:
    """The same, with removals that another token must release."""
    place.run("app", "set", "demo", "--release-type", "remove")
    yield place
    place.run("app", "set", "demo", "--no-release-types")


def upload(place: Place, type_: str, name: str, rows: str, *options: str) -> tuple[int, list[str]]:
    (place.folder / "file.csv").write_text(rows)
    code, output = place.run("import", "file.csv", "--type", type_, "--name", name, *options)
    return code, output.splitlines()


def last_argument(line: str) -> str:
    """The ID in a command that the program proposes."""
    return shlex.split(line)[-1]


def find(place: Place, name: str) -> dict[str, Any]:
    listed = json.loads(place.run("imports", "--json")[1])
    found: dict[str, Any] = next(each for each in listed if each["name"] == name)
    return found


def test_plan_apply_undo(place: Place) -> None:
    """A plan says what it would do and how to apply it; what it has done is taken back."""
    rows = f"{HEADER}trv-018,jack-001,staff\ntrv-011,nobody,staff\n"
    code, said = upload(place, "assign", "May", rows, "--plan")
    plan = last_argument(said[-1])

    assert code == 1
    assert said[0] == "Planned: May, 2 rows: 1 passed, 1 failed, 1 to create."
    assert said[-2:] == [
        f"What it would change: caseroll changes {plan}",
        f"Apply just what passed: caseroll apply {plan}",
    ]

    assert place.run("apply", plan, "--name", "June") == (
        0,
        "Processed: June, 1 row: 1 passed, 1 created.\n",
    )
    again = place.run("apply", "May")
    applied = find(place, "June")["id"]
    would = place.run("undo", "June", "--plan", "--name", "Back?")
    undone = place.run("undo", applied, "--name", "Back")

    assert again == (2, "Error: This plan was applied already, by the import 'June'.\n")
    assert would[1].startswith("Planned: Back?, 1 row: 1 passed, 1 to remove.\nWhat it")
    assert undone == (0, "Processed: Back, 1 row: 1 passed, 1 removed.\n")
    lines = [line.split("\t") for line in place.run("imports")[1].splitlines()]
    assert {line[1]: line[-1] for line in lines if line[1] in ("May", "June", "Back")} == {
        "May": "plan, applied as June",
        "June": "applies the plan May, undone by Back",
        "Back": "undoes June",
    }


def test_undo_what_changed_since(place: Place) -> None:
    """What another import has changed since stays, and ends with exit code 1."""
    upload(place, "assign", "One", f"{HEADER}trv-012,jack-001,staff\ntrv-013,jack-001,staff\n")
    upload(place, "modify", "Two", f"{HEADER}trv-012,jack-001,clients\n")
    code, output = place.run("undo", find(place, "One")["id"])

    assert code == 1
    assert output.startswith("Processed: One (undone), 2 rows: 1 passed, 1 failed, 1 removed.\n")


def test_wrong_ids(place: Place) -> None:
    """What is refused ends with exit code 2 and the reason, also for programs."""
    refused = {
        command: place.run(command, "nothing") for command in ("apply", "undo", "release", "cancel")
    }
    as_json = place.run("undo", "nothing", "--json")

    assert refused == dict.fromkeys(refused, (2, "Error: There is no such import.\n"))
    assert '"code": "NOT_FOUND"' in as_json[1]


def test_held(releasing: Place) -> None:
    """A held import ends with exit code 3; another token releases it, its own does not."""
    code, said = upload(
        releasing, "remove", "Held", "case_id,user_id\ntrv-001,jones-001\n", "--release"
    )
    held = last_argument(said[-1])
    by_itself = releasing.run("release", held)
    token = releasing.run("token", "create", "--app", "demo", "--name", "second")[1].split()[-1]
    listed = releasing.run("imports")[1].splitlines()[1].split("\t")
    released = releasing.run("release", held, CASEROLL_TOKEN=token)

    assert code == 3
    assert said == [
        "Error: Another token than the one that uploaded the import must release it.",
        "Held: Held, 1 row, once it is released: 1 passed, 1 removed.",
        "Why: The import must be released by another token than the one that uploaded it.",
        f"What it would change: caseroll changes {held}",
        f"Let it go on, with the other token in CASEROLL_TOKEN: caseroll release {held}",
        f"Or end it: caseroll cancel {held}",
    ]
    assert by_itself == (
        2,
        "Error: Another token than the one that uploaded the import must release it.\n",
    )
    assert (listed[3], listed[-1]) == ("HELD", said[2].removeprefix("Why: "))
    assert released == (0, "Processed: Held, 1 row: 1 passed, 1 removed.\n")


def test_cancel(releasing: Place) -> None:
    """A held import that is cancelled has done nothing, and is finished."""
    code, said = upload(releasing, "remove", "Not this", "case_id,user_id\ntrv-002,wright-004\n")
    held = last_argument(said[-1])
    cancelled = releasing.run("cancel", held)
    again = releasing.run("cancel", held)

    assert code == 3
    assert cancelled == (0, "Cancelled: Not this, 1 row: 1 cancelled.\n")
    assert again == (2, "Error: The import is finished already.\n")


def test_release_at_once(place: Place) -> None:
    """What would remove too much is held; with --release, the token that may releases it."""
    place.run("app", "set", "demo", "--remove-percent", "1", "--remove-at-least", "1")
    upload(place, "assign", "Put", f"{HEADER}trv-014,jack-001,staff\ntrv-015,jack-001,staff\n")
    rows = "case_id,user_id\ntrv-014,jack-001\n"
    held = upload(place, "remove", "Off", rows)
    place.run("cancel", last_argument(held[1][-1]))
    released = upload(place, "remove", "Off again", rows, "--release")
    place.run("app", "set", "demo", "--remove-percent", "20", "--remove-at-least", "100")

    assert held[0] == 3
    assert "more than the 1 % that may be removed at once." in held[1][1]
    assert released[0] == 0
    assert released[1][-1] == "Processed: Off again, 1 row: 1 passed, 1 removed."


def test_atomic(place: Place) -> None:
    """All or nothing: with one wrong row, no row is applied."""
    rows = f"{HEADER}trv-016,jack-001,staff\ntrv-017,nobody,staff\n"
    code, said = upload(place, "assign", "All", rows, "--atomic")
    both = upload(place, "assign", "Both", rows.replace("nobody", "jones-001"), "--atomic")

    assert code == 1
    assert said[0] == "Failed: All, 2 rows: 2 failed."
    assert both == (0, ["Processed: Both, 2 rows: 2 passed, 2 created."])


def test_release_without_watching(place: Place) -> None:
    """A release comes after the import is held, so an upload can't do it without watching."""
    code, said = upload(place, "assign", "X", HEADER, "--release", "--no-watch")

    assert code == 2
    assert "--no-watch" in said[-1]
