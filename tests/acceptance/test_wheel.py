"""The wheel, installed into an environment of its own, runs far from the source tree."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from urllib.request import HTTPCookieProcessor, Request, build_opener
from zipfile import ZipFile

import pytest

from tests.acceptance.program import call, launch, until_ready

ROOT = Path(__file__).parents[2]
OFFLINE = ["--no-index", "--no-deps", "--disable-pip-version-check"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that `pip install .` would build, without any network."""
    folder = tmp_path_factory.mktemp("wheel")
    call([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], ROOT)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has the wheel, and the packages that it needs.

    A folder that a .pth file names comes last on the path, and its own .pth files are not read: so
    the packages are there, and the editable Caseroll beside them is not.
    """
    environment = tmp_path_factory.mktemp("environment") / ".venv"
    call([sys.executable, "-m", "venv", "--without-pip", environment], ROOT)
    python = environment / "bin/python"
    pip = [sys.executable, "-m", "pip", "--python", python]
    call([*pip, "install", *OFFLINE, wheel], environment)
    theirs = sysconfig.get_path("purelib", "venv", {"base": str(environment)})
    Path(theirs, "packages.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return python


@pytest.fixture
def running(python: Path, tmp_path: Path) -> Iterator[Path]:
    """The folder where that environment's `caseroll up --demo` runs."""
    with until_ready(launch(["up", "--demo", "--workers", "1"], python=python, cwd=tmp_path)):
        yield tmp_path


def test_contents(wheel: Path) -> None:
    """It has the code, and the files that the code reads; nothing of tests, scripts and docs."""
    names = set(ZipFile(wheel).namelist())
    product = {
        path.relative_to(ROOT).as_posix()
        for package in ("api", "importers", "models")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }

    assert {name for name in names if ".dist-info/" not in name} == {
        *product,
        "importers/plugins.toml",
        "api/console/api.md",
    }


def test_first_import(running: Path, python: Path) -> None:
    """`caseroll up --demo` and a first import work there as from the source tree."""
    said = ""
    for arguments in (
        ["sample", "assign", "-o", "assign.csv"],
        ["import", "assign.csv", "--type", "assign", "--name", "First import"],
    ):
        with launch(arguments, python=python, cwd=running) as command:
            said += command.communicate(timeout=60)[0]

    assert said == "Processed: First import, 1 row: 1 passed, 1 created.\n"


def test_console(running: Path, python: Path) -> None:
    """The console has its templates, styles and snippets there: pages of it are whole."""
    folder = running / ".caseroll"
    url, token = ((folder / name).read_text().strip() for name in ("url", "admin.token"))
    opener = build_opener(HTTPCookieProcessor())
    sign_in = Request(f"{url}/console/sign-in", f"token={token}".encode(), {"Origin": url})
    imports = opener.open(sign_in).read().decode()
    [style] = re.findall(r'href="([^"]+\.css)"', imports)

    assert "Demo: assignments" in imports
    assert b":root" in opener.open(f"{url}{style}").read()
    assert "Python: gql" in opener.open(f"{url}/console/api").read().decode()


def test_it_is_the_wheel(python: Path, tmp_path: Path) -> None:
    """What runs there is the wheel and not the source tree; it has the command `caseroll`."""
    code = "import api, importers, models; print(api.__file__, importers.__file__, models.__file__)"
    found = subprocess.run(
        [python, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    files = [Path(each) for each in found.stdout.split()]

    assert [file.is_relative_to(python.parents[1]) for file in files] == [True] * 3
    call([python.with_name("caseroll"), "--version"], tmp_path)
