"""Third-party plugins: projects of their own, in an environment of their own."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from api.cli.client import ApiClient
from models.database_url import credentials
from tests.acceptance.program import launch, wait_until_ready

ROOT = Path(__file__).parents[2]
EXAMPLES = ("acme-rates", "acme-roster", "acme-wall")
PROJECTS = ("acme-seating", *EXAMPLES)
# The line that switches acme-seating on is the one that `new-importer` prints.
PLUGINS = """
[importers.acme-rates]

[importers.acme-roster]
mails = true

[validators.acme-wall.kept_off]
"trv-4" = ["jack-001"]
"""
TYPES = """
{ importTypes { key label description sampleTemplate { content url } columns { name required } } }
"""
RATES = """
SELECT tag_id, cents, currency FROM acme_rates JOIN cases ON cases.id = case_id
WHERE tag_id LIKE '{}' ORDER BY tag_id
"""


class Place:
    """A folder with the projects, in whose environment `caseroll` and tools run.

    Args:
        python: the environment's interpreter.
    """

    def __init__(self, folder: Path, python: Path) -> None:
        self.folder = folder
        self.python = python

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        return launch(arguments, python=self.python, cwd=self.folder, **environ)

    def run(self, *arguments: str, **environ: str) -> tuple[int, str]:
        with self.start(*arguments, **environ) as popen:
            output, _ = popen.communicate(timeout=60)
        return popen.returncode, output

    def import_(self, type_: str, name: str, text: str, *options: str) -> tuple[int, str]:
        """Import a file; the exit code, and the line that sums it up."""
        (self.folder / f"{name}.csv").write_text(text)
        return self.run("import", f"{name}.csv", "--type", type_, "--name", name, *options)

    @property
    def api(self) -> ApiClient:
        return ApiClient(self.note("url"), self.note("admin.token"))

    def note(self, name: str) -> str:
        return (self.folder / ".caseroll" / name).read_text().strip()

    async def sql(self, query: str) -> list[tuple[Any, ...]]:
        db = await asyncpg.connect(**credentials(self.note("database.url")))
        try:
            return [tuple(row) for row in await db.fetch(query)]
        finally:
            await db.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A new environment that has Caseroll, and the projects installed, without any network."""
    folder = tmp_path_factory.mktemp("plugins")
    call([sys.executable, "-m", "venv", "--without-pip", ".venv"], folder)
    python = folder / ".venv/bin/python"
    ours = sysconfig.get_path("purelib")
    theirs = sysconfig.get_path("purelib", "venv", {"base": str(folder / ".venv")})
    Path(theirs, "caseroll.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
    place = Place(folder, python)
    shutil.copy(ROOT / "plugins.toml", folder)
    code, said = place.run("new-importer", "acme-seating")
    assert code == 0, said
    switch_on = said.splitlines()[3]
    call(["bash", "-c", switch_on], folder)
    with (folder / "plugins.toml").open("a") as file:
        file.write(PLUGINS)
    for name in EXAMPLES:
        shutil.copytree(
            ROOT / "examples" / name, folder / name, ignore=shutil.ignore_patterns(".*", "__py*")
        )
    editable = [part for name in PROJECTS for part in ("-e", name)]
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    pip = [sys.executable, "-m", "pip", "--python", python]
    call([*pip, "install", *offline, *editable], folder)
    return place


@pytest.fixture(scope="module")
def running(place: Place) -> Iterator[Place]:
    """`caseroll up --demo` with the plugins; each test imports what the others do not touch."""
    with place.start("up", "--demo", "--workers", "1") as up:
        wait_until_ready(up)
        yield place
        up.terminate()
        up.communicate(timeout=40)


def call(command: list[str | Path], folder: Path) -> None:
    """Run a command, and show what it has printed if it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("project", PROJECTS)
def test_own_tests(place: Place, project: str) -> None:
    """The project's tests pass as its author runs them."""
    # Without a folder of its own, pytest would lock PostgreSQL's user out of its common one.
    command = [place.python, "-m", "pytest", "-q", f"--basetemp={place.folder / 'pytest'}"]
    call(command, place.folder / project)


@pytest.mark.parametrize("project", PROJECTS)
def test_types(place: Place, project: str) -> None:
    """The SDK is typed well enough for an author who checks types strictly."""
    tool = [sys.executable, "-m", "mypy", "--strict", "--python-executable", place.python]
    call([*tool, "--cache-dir", place.folder / ".mypy_cache"], place.folder / project)


def test_plugins_are_on(place: Place) -> None:
    """`caseroll importers` lists them as on, with the packages that they come from."""
    code, output = place.run("importers", "--json")
    found = {each["name"]: each for each in json.loads(output)}

    assert code == 0
    assert {name: found[name]["state"] for name in PROJECTS} == dict.fromkeys(PROJECTS, "on")
    assert found["acme-seating"]["distribution"] == "acme-seating 0.1.0"
    assert found["acme-wall"]["kind"] == "validator"


async def test_types_on_offer(running: Place) -> None:
    """The API describes a new type as it does its own, and serves its sample file."""
    types = (await running.api.execute(TYPES))["importTypes"]
    seating = next(each for each in types if each["key"] == "acme-seating")
    served: list[bytes] = []
    await running.api.download(seating["sampleTemplate"]["url"], served.append)

    assert {"acme-seating", "acme-roster", "acme-rates", "assign"} <= {
        each["key"] for each in types
    }
    assert (seating["label"], seating["description"]) == (
        "Acme seating",
        "Put users on cases, one a row.",
    )
    assert [column["name"] for column in seating["columns"] if column["required"]] == [
        "case_id",
        "user_id",
        "role",
    ]
    assert b"".join(served).decode() == seating["sampleTemplate"]["content"]


@pytest.mark.parametrize("type_", ["acme-seating", "acme-roster", "acme-rates"])
def test_samples_pass(running: Place, type_: str) -> None:
    """A plugin's sample file, uploaded unchanged, passes on the demo data."""
    sampled = running.run("sample", type_, "-o", f"{type_}.csv")
    code, output = running.run(
        "import", f"{type_}.csv", "--type", type_, "--name", f"Sample of {type_}"
    )

    assert sampled == (0, "")
    assert output.startswith(f"Processed: Sample of {type_}, 1 row: 1 passed")
    assert code == 0


async def test_roster(running: Place) -> None:
    """acme-roster puts people on cases by its own words, with mails as the settings say."""
    code, output = running.import_(
        "acme-roster",
        "roster",
        "matter,person,seat,mail\n"
        "trv-301,jack@example.org,lead,\n"
        "trv-302,Jo@Example.org,guest,0\n"
        "trv-303,nobody@example.org,guest,0\n",
    )
    stored = await running.sql(
        """
        SELECT cases.tag_id, users.tag_id, roles.key, notify FROM assignments
        JOIN cases ON cases.id = case_id JOIN users ON users.id = user_id
        JOIN roles ON roles.id = role_id WHERE cases.tag_id LIKE 'trv-30_' ORDER BY 1
        """
    )

    assert code == 1
    assert "3 rows: 2 passed, 1 failed, 2 created." in output
    assert stored == [
        ("trv-301", "jack-001", "staff", True),
        ("trv-302", "jones-001", "default", False),
    ]


async def test_rates(running: Place) -> None:
    """acme-rates writes its own table: again changes nothing, a dry run leaves nothing."""
    file = "case_id,rate,currency\ntrv-311,185.50,EUR\ntrv-312,90,\n"
    query = RATES.format("trv-31_")
    tried = running.import_("acme-rates", "tried", file, "--dry-run")
    after_dry_run = await running.sql(query)
    first = running.import_("acme-rates", "first", file)
    again = running.import_("acme-rates", "again", file)
    changed = running.import_("acme-rates", "changed", file.replace("90", "95"))

    assert tried[0] == 0
    assert tried[1].startswith("Planned: tried, 2 rows: 2 passed, 2 to create.\n")
    assert after_dry_run == []
    assert first == (0, "Processed: first, 2 rows: 2 passed, 2 created.\n")
    assert again[0] == 0
    assert again[1].startswith("Warning: The same file was imported as 'first' on ")
    assert again[1].endswith("Processed: again, 2 rows: 2 passed, 2 unchanged.\n")
    assert changed == (0, "Processed: changed, 2 rows: 2 passed, 1 updated, 1 unchanged.\n")
    assert await running.sql(query) == [("trv-311", 18550, "EUR"), ("trv-312", 9500, "USD")]


def import_id(place: Place, name: str) -> str:
    listed = json.loads(place.run("imports", "--json")[1])
    return str(next(each["id"] for each in listed if each["name"] == name))


async def test_undone_rates(running: Place) -> None:
    """An undo gives rates back as they were, but for what another file has changed since."""
    rows = "case_id,rate,currency\n"
    query = RATES.format("trv-32_")
    running.import_("acme-rates", "old", f"{rows}trv-321,100,EUR\n")
    plan = running.import_("acme-rates", "new", f"{rows}trv-321,150,EUR\ntrv-322,90,\n", "--plan")
    done = running.run("apply", shlex.split(plan[1])[-1], "--name", "applied")
    running.import_("acme-rates", "later", f"{rows}trv-322,95,\n")
    undone = running.run("undo", import_id(running, "applied"), "--name", "back")
    after = await running.sql(query)
    again = running.run("undo", import_id(running, "back"))

    assert done == (0, "Processed: applied, 2 rows: 2 passed, 1 created, 1 updated.\n")
    assert undone[0] == 1
    assert undone[1].startswith("Processed: back, 2 rows: 1 passed, 1 failed, 1 updated.\n")
    assert "The rate has been changed since, by row 2 of the import 'later'" in undone[1]
    assert after == [("trv-321", 10000, "EUR"), ("trv-322", 9500, "USD")]
    assert again[1].startswith("Processed: back (undone), 1 row: 1 passed, 1 updated.\n")
    assert (await running.sql(query))[0] == ("trv-321", 15000, "EUR")


async def test_migrate(place: Place, empty_database_url: str) -> None:
    """`caseroll migrate` makes a plugin's tables, and changes nothing when it is run again."""
    once, again = (place.run("migrate", DATABASE_URL=empty_database_url) for _ in range(2))
    db = await asyncpg.connect(**credentials(empty_database_url))
    found = await db.fetchval("SELECT count(*) FROM acme_rates")
    await db.close()

    assert once == again == (0, "The database is up to date.\n")
    assert found == 0


def test_wall(running: Place) -> None:
    """acme-wall refuses rows of an import type that it knows nothing of, on the user's column."""
    code, output = running.import_(
        "assign",
        "walled",
        "case_id,user_id,case_role_id\ntrv-401,jack-001,staff\ntrv-401,jones-001,staff\n",
        "--json",
    )
    state = json.loads(output)
    [row] = [edge["node"] for edge in state["rows"]["edges"]]

    assert code == 1
    assert (state["created"], state["failed"]) == (1, 1)
    assert (row["number"], row["errors"]) == (
        2,
        [
            {
                "code": "CONFLICT_OF_INTEREST",
                "message": "User Id: must be kept off the cases 'trv-4…'.",
                "column": "user_id",
                "value": "jack-001",
                "suggestion": None,
            }
        ],
    )
