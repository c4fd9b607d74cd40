"""Files that arrive on a schedule: the script of the documentation, run as cron would run it."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.program import Place, until_ready

PAGE = (Path(__file__).parents[2] / "docs/operating.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("\n### Files that arrive on a schedule\n")[2].partition("\n### ")[0]
# What stands in the place of the HR system: no file at first, then what the test puts there.
CURL = """#!/bin/sh
test -e "$HOME/there.csv" || { echo "curl: (22) error: 404" >&2; exit 22; }
while test "$1" != --output; do shift; done
cp "$HOME/there.csv" "$2"
"""
DATE = '#!/bin/sh\ncat "$HOME/today"\n'
HEADER = "case_id,user_id,case_role_id\n"


def block(language: str) -> str:
    """The one piece of code of the section in a language."""
    [found] = re.findall(rf"^```{language}\n(.*?)^```$", SECTION, re.DOTALL | re.MULTILINE)
    return str(found)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Demo data, the script in its owner's home, and programs that stand for the network."""
    place = Place(tmp_path_factory.mktemp("schedule"))
    home = place.folder
    (home / "bin").mkdir()
    caseroll = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -m api.cli "$@"\n'
    for name, text in {"curl": CURL, "date": DATE, "caseroll": caseroll}.items():
        (home / "bin" / name).write_text(text)
        (home / "bin" / name).chmod(0o755)
    (home / "pull-roster.sh").write_text(block("sh"))
    with until_ready(place.start("up", "--demo", "--workers", "1")):
        token = (home / ".caseroll/admin.token").read_text()
        (home / "caseroll-token").write_text(token)
        yield place


def begin_day(place: Place, day: str) -> None:
    """Let a morning come on which the file is not there yet."""
    (place.folder / "today").write_text(day)
    (place.folder / "there.csv").unlink(missing_ok=True)


def run_by_cron(place: Place, file: str | None = None) -> tuple[int, str]:
    """Run the crontab's command; the exit code, and what cron would mail."""
    if file is not None:
        (place.folder / "there.csv").write_text(file)
    *settings, line = block("crontab").splitlines()
    environ = dict(each.split("=", 1) for each in settings)
    # Where this machine differs from the one of the page.
    environ["CASEROLL_URL"] = (place.folder / ".caseroll/url").read_text().strip()
    environ["PATH"] = f"{place.folder / 'bin'}:/usr/bin:/bin"
    environ["HOME"] = str(place.folder)
    command = line.split(maxsplit=5)[5]
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def imports_of(place: Place, day: str) -> list[str]:
    """The statuses of a day's imports, the newest first."""
    found = json.loads(place.run("imports", "--json")[1])
    return [each["status"] for each in found if each["name"] == f"Roster {day}"]


def test_a_morning(place: Place) -> None:
    """Without a file there is a mail; a good file is imported once, however often cron runs."""
    begin_day(place, "2026-11-30")
    no_file = run_by_cron(place)
    first = run_by_cron(place, f"{HEADER}trv-401,jack-001,staff\n")
    again = run_by_cron(place)
    only_one = imports_of(place, "2026-11-30")
    wrong = run_by_cron(place, f"{HEADER}trv-401,jack-001,staff\ntrv-402,nobody,staff\n")
    wrong_again = run_by_cron(place)
    refused = run_by_cron(place, "case_id\ntrv-401\n")

    assert no_file == (22, "curl: (22) error: 404\n")
    assert first == again == (0, "")
    assert only_one == ["PROCESSED"]
    assert wrong == wrong_again
    assert wrong[0] == 1
    assert "2 rows: 1 passed, 1 failed, 1 unchanged." in wrong[1]
    assert "no user has the Tag ID or ID 'nobody'" in wrong[1]
    assert refused[0] == 2
    assert refused[1].startswith("Error: ")
    assert imports_of(place, "2026-11-30") == ["PROCESSED", "PROCESSED"]


def test_a_held_file(place: Place) -> None:
    """Where imports wait for a release, each run says so; another file of the day is refused."""
    begin_day(place, "2026-12-01")
    place.run("app", "set", "demo", "--release-type", "assign")
    held = run_by_cron(place, f"{HEADER}trv-403,jack-001,staff\n")
    again = run_by_cron(place)
    another = run_by_cron(place, f"{HEADER}trv-404,jack-001,staff\n")
    of_the_day = imports_of(place, "2026-12-01")
    place.run("app", "set", "demo", "--no-release-types")

    assert held == again
    assert held[0] == 3
    assert held[1].startswith("Held: it waits for caseroll release or cancel.\nHeld: Roster")
    assert another[0] == 2
    assert "An import named 'Roster 2026-12-01' is running" in another[1]
    assert of_the_day == ["HELD"]


def test_the_key_of_another_file(place: Place) -> None:
    """A key stands for one upload: the same again is that import, anything else is refused."""
    (place.folder / "one.csv").write_text("user_id,case_id\njack-001,trv-405\n")
    (place.folder / "two.csv").write_text("user_id,case_id\njack-001,trv-406\n")
    command = ("--type", "remove", "--name", "Keyed", "--idempotency-key", "k", "--json")
    first, again = (place.run("import", "one.csv", *command) for _ in range(2))
    other = place.run("import", "two.csv", *command[:-1])

    assert first[0] == again[0] == 0
    assert json.loads(first[1])["id"] == json.loads(again[1])["id"]
    assert other[0] == 2
    assert other[1].startswith("Error: --idempotency-key: Another upload, with another file,")


def test_the_script_is_short() -> None:
    """It has ten lines, and the page shows no other script."""
    assert len(block("sh").splitlines()) == 10
