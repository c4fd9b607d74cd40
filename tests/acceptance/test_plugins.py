"""Third-party plugins: projects of their own, in an environment of their own."""

from __future__ import annotations

import json
import re
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
from tests.acceptance.program import call, launch, until_ready

ROOT = Path(__file__).parents[2]
EXAMPLES = tuple(sorted(path.parent.name for path in ROOT.glob("examples/*/pyproject.toml")))
# New projects → the options that they are written with.
NEW = {
    "acme-seating": (),
    "acme-desks": ("--table",),
    "acme-mails": ("--validator",),
    "acme-tilde": ("--reader",),
}
PROJECTS = (*NEW, *EXAMPLES)
OFFLINE = ["--no-index", "--no-build-isolation", "--disable-pip-version-check"]
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
    place = Place(folder, new_environment(folder))
    shutil.copy(ROOT / "plugins.toml", folder)
    for name, options in NEW.items():
        code, said = place.run("new-importer", name, *options)
        assert code == 0, said
        # The line that switches it on is one that `new-importer` prints.
        call(["bash", "-c", said.splitlines()[3]], folder)
    for name in EXAMPLES:
        shutil.copytree(
            ROOT / "examples" / name, folder / name, ignore=shutil.ignore_patterns(".*", "__py*")
        )
    with (folder / "plugins.toml").open("a") as file:
        file.writelines(f"\n{switched_on(folder / name)}" for name in EXAMPLES)
    editable = [part for name in PROJECTS for part in ("-e", name)]
    # With dependencies: pip looks whether the present Caseroll is one that they ask for.
    call([*pip(place.python), "install", *OFFLINE, *editable], folder)
    return place


def new_environment(folder: Path) -> Path:
    """Make an environment that sees the packages of the tests; return its interpreter."""
    call([sys.executable, "-m", "venv", "--without-pip", ".venv"], folder)
    (packages_of(folder) / "caseroll.pth").write_text(
        f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
    )
    return folder / ".venv/bin/python"


def packages_of(folder: Path) -> Path:
    """The folder of an environment's own packages."""
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(folder / ".venv")}))


def switched_on(project: Path) -> str:
    """What an example's README tells to write into `plugins.toml`."""
    blocks = re.findall(
        r"^```\n(\[\w+s\..*?)^```$", (project / "README.md").read_text(), re.M | re.S
    )
    assert blocks, f"the README of {project.name} says nothing of plugins.toml"
    return "\n".join(blocks)


def pip(python: Path) -> list[str | Path]:
    """The command for an environment, which has no pip of its own."""
    return [sys.executable, "-m", "pip", "--python", python]


def test_first_commands(tmp_path: Path) -> None:
    """The commands of the guide work one after the other, in a new environment."""
    python = shlex.quote(str(new_environment(tmp_path)))
    of_pip = shlex.join(map(str, pip(tmp_path / ".venv/bin/python")))
    programs = {
        "caseroll": f'exec {python} -P -m api.cli "$@"',
        "pip": f'exec {of_pip} "$@" {shlex.join(OFFLINE)}',
        "pytest": f'exec {python} -m pytest "$@"',
    }
    for name, command in programs.items():
        (tmp_path / ".venv/bin" / name).write_text(f"#!/bin/sh\n{command}\n")
        (tmp_path / ".venv/bin" / name).chmod(0o755)
    guide = (ROOT / "docs/writing-an-importer.md").read_text(encoding="utf-8")
    for block in re.findall(r"^```sh\n(.*?)^```$", guide, re.DOTALL | re.MULTILINE):
        call(["bash", "-ec", f"PATH={tmp_path}/.venv/bin:$PATH\n{block}"], tmp_path)

    assert (tmp_path / "acme-seating/tests/test_acme_seating.py").exists()


@pytest.fixture(scope="module")
def running(place: Place) -> Iterator[Place]:
    """`caseroll up --demo` with the plugins; each test imports what the others do not touch."""
    with until_ready(place.start("up", "--demo", "--workers", "1")):
        yield place


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
    assert found["acme-jsonl"]["kind"] == "reader"
    assert found["acme-wall"]["kind"] == found["acme-mails"]["kind"] == "validator"


def test_another_release(place: Place, tmp_path: Path) -> None:
    """pip refuses a plugin beside a release with another SDK, before anything is installed."""
    python = new_environment(tmp_path)
    other = packages_of(tmp_path) / "caseroll-2.0.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.4\nName: caseroll\nVersion: 2.0.0\n")
    command = [*pip(python), "install", *OFFLINE, "-e", place.folder / "acme-seating"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "No matching distribution found for caseroll<2,>=1.0" in done.stderr


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


@pytest.mark.parametrize(
    "type_", ["acme-seating", "acme-roster", "acme-rates", "acme-leavers", "acme-transfer"]
)
def test_samples_pass(running: Place, type_: str) -> None:
    """A plugin's sample file, uploaded unchanged, passes on the demo data.

    As a plan: samples are about the same people, and each would change what the others meet.
    """
    sampled = running.run("sample", type_, "-o", f"{type_}.csv")
    code, output = running.run(
        "import", f"{type_}.csv", "--type", type_, "--name", f"Sample of {type_}", "--plan"
    )

    assert sampled == (0, "")
    assert output.startswith(f"Planned: Sample of {type_}, 1 row: 1 passed")
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


async def test_transfer_and_leavers(running: Place) -> None:
    """Cases go from one person to another; then the person leaves them all."""
    ada = "ada-901,ada@example.org,Ada,Byron\n"
    running.import_(
        "add-users",
        "joined",
        f"host_tag_id,username,given_name,family_name\n{ada}bob-901,bob@example.org,Bob,Bell\n",
    )
    running.import_(
        "assign",
        "first cases",
        "case_id,user_id,case_role_id\ntrv-321,ada-901,staff\ntrv-322,ada-901,clients\n"
        "trv-322,bob-901,default\n",
    )
    handed = running.import_("acme-transfer", "handed", "from,to\nada-901,bob-901\n")
    query = """
        SELECT cases.tag_id, users.tag_id, roles.key FROM assignments
        JOIN cases ON cases.id = case_id JOIN users ON users.id = user_id
        JOIN roles ON roles.id = role_id WHERE users.tag_id LIKE '%-901' ORDER BY 1
        """
    stored = await running.sql(query)
    left = running.import_("acme-leavers", "left", "person\nBob@example.org\nada@example.org\n")

    assert handed == (0, "Processed: handed, 1 row: 1 passed, 1 updated.\n")
    assert stored == [("trv-321", "bob-901", "staff"), ("trv-322", "bob-901", "default")]
    assert left == (0, "Processed: left, 2 rows: 2 passed, 1 removed, 1 unchanged.\n")
    assert await running.sql(query) == []


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


def test_jsonl(running: Place) -> None:
    """acme-jsonl reads files for types that know nothing of it, and refuses them by the line."""
    line = '{"case_id": "trv-32%d", "user_id": "%s", "case_role_id": "staff"}\n'
    good = line % (1, "jack-001") + "\n" + line % (2, "nobody")
    imported = running.import_("assign", "lines", good, "--json")
    broken = running.import_("assign", "broken", good + '{"case_id": ["trv-323"]}\n')
    state = json.loads(imported[1])
    [row] = [edge["node"] for edge in state["rows"]["edges"]]

    assert (imported[0], state["created"], state["failed"]) == (1, 1, 1)
    assert (row["number"], [each["column"] for each in row["errors"]]) == (3, ["user_id"])
    assert broken[0] == 2
    assert "Line 4 has several values in 'case_id', and a cell holds one." in broken[1]


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
        "case_id,user_id,case_role_id\ntrv-401,jack-001,staff\ntrv-401,lee-008,staff\n",
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


def test_new_validator(running: Place) -> None:
    """A validator that `new-importer` has written refuses what it says, and nothing else."""
    code, output = running.import_(
        "assign",
        "notified",
        "case_id,user_id,case_role_id,case_notify\n"
        "trv-361,jack-001,clients,1\ntrv-361,jones-001,clients,0\n",
    )

    assert code == 1
    assert "2 rows: 1 passed, 1 failed, 1 created." in output
    assert "2\tcase_notify\tCase Notify: clients get no mails; enter 0." in output


async def test_new_table(running: Place) -> None:
    """An importer with a table that `new-importer` has written keeps its records there."""
    first = running.import_("acme-desks", "noted", "case_id,note\ntrv-331,One.\n")
    second = running.import_("acme-desks", "noted again", "case_id,note\ntrv-331,Two.\n")
    query = "SELECT text FROM acme_desks_notes JOIN cases ON cases.id = case_id"

    assert first == (0, "Processed: noted, 1 row: 1 passed, 1 created.\n")
    assert second == (0, "Processed: noted again, 1 row: 1 passed, 1 updated.\n")
    assert await running.sql(f"{query} WHERE tag_id = 'trv-331'") == [("Two.",)]


def test_new_reader(running: Place) -> None:
    """A reader that `new-importer` has written reads files for any type, or says why not."""
    (running.folder / "a.tilde").write_text(
        "case_id~user_id~case_role_id\ntrv-341~jones-001~staff\n"
    )
    (running.folder / "b.tilde").write_bytes(
        b"case_id~user_id~case_role_id\n\xff~jones-001~staff\n"
    )
    good, bad = (
        running.run("import", f"{name}.tilde", "--type", "assign", "--name", name) for name in "ab"
    )

    assert good == (0, "Processed: a, 1 row: 1 passed, 1 created.\n")
    assert bad == (2, "Error: Line 2 is not UTF-8. Save the file as UTF-8.\n")


async def test_caps(running: Place) -> None:
    """acme-caps lets the app lose fifty assignments an hour, and mutations of other things pass."""
    pairs = await running.sql(
        "SELECT u.tag_id, c.tag_id FROM assignments a JOIN cases c ON c.id = a.case_id"
        " JOIN users u ON u.id = a.user_id"
        " WHERE c.tag_id IS NOT NULL AND u.tag_id IS NOT NULL ORDER BY a.id LIMIT 60"
    )
    rows = "".join(f"{user},{case}\n" for user, case in pairs)
    # A dry run: the other tests may remove their own.
    options = ("--dry-run", "--json")
    code, output = running.import_("remove", "removals", f"user_id,case_id\n{rows}", *options)
    state = json.loads(output)
    codes = {each["node"]["errors"][0]["code"] for each in state["rows"]["edges"]}
    user = """mutation { createUser(input: {email: "caps@example.org"}) { userErrors { code } } }"""
    created = await running.api.execute(user)

    assert (code, codes) == (1, {"HOUR_FULL"})
    assert 0 < state["removed"] <= 50
    assert state["removed"] + state["failed"] == 60
    assert created["createUser"]["userErrors"] == []
