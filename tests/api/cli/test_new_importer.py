"""`caseroll new-importer` writes a project, and harms none."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from packaging.requirements import Requirement

from api.cli.failure import RefusedError
from api.cli.new_importer import new_importer
from api.cli.project_kind import sdk_requirement
from importers import SDK_VERSION

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the user stands in, with a plugins.toml."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CASEROLL_PLUGINS", raising=False)
    (tmp_path / "plugins.toml").touch()
    return tmp_path


def run(*arguments: str) -> str:
    """Run the command; what it prints."""
    result = CliRunner().invoke(new_importer, arguments, standalone_mode=False)
    if result.exception:
        raise result.exception
    return result.output


def written(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


PROJECT = ["README.md", "pyproject.toml"]
FILES = {
    "": [
        "src/acme_seating_2/__init__.py",
        "tests/sample.csv",
        "tests/sample.expected.json",
        "tests/test_acme_seating_2.py",
    ],
    "--table": [
        "src/acme_seating_2/__init__.py",
        "tests/sample.csv",
        "tests/sample.expected.json",
        "tests/test_acme_seating_2.py",
    ],
    "--validator": ["src/acme_seating_2/__init__.py", "tests/test_acme_seating_2.py"],
    "--reader": [
        "src/acme_seating_2/__init__.py",
        "tests/sample.tilde",
        "tests/test_acme_seating_2.py",
    ],
}
GROUPS = {
    "": "importers",
    "--table": "importers",
    "--validator": "validators",
    "--reader": "readers",
}


@pytest.mark.parametrize("option", FILES)
def test_project(folder: Path, option: str) -> None:
    """The plugin is an entry point by its name, written for the SDK that there is."""
    said = run("acme-seating-2", *filter(None, [option]))
    files = written(folder / "acme-seating-2")
    project = tomllib.loads(files["pyproject.toml"])["project"]

    assert sorted(files) == [*PROJECT, *FILES[option]]
    assert project["entry-points"] == {
        f"caseroll.{GROUPS[option]}": {"acme-seating-2": "acme_seating_2:AcmeSeating2"}
    }
    assert f'    sdk = "{SDK_VERSION}"\n' in files["src/acme_seating_2/__init__.py"]
    assert f"\n[{GROUPS[option]}.acme-seating-2]\n" in files["README.md"]
    assert said.splitlines()[3].startswith(f"  printf '\\n[{GROUPS[option]}.acme-seating-2]")
    assert not [text for text in files.values() if "$" in text]


def test_versions_that_fit(folder: Path) -> None:
    """pip takes the releases in which the plugin loads, and no others."""
    run("acme-seating")
    [text] = tomllib.loads((folder / "acme-seating/pyproject.toml").read_text())["project"][
        "dependencies"
    ]
    requirement = Requirement(text)
    major, minor = map(int, SDK_VERSION.split("."))
    tried = [f"{major}.{minor}.7", f"{major}.{minor + 1}.0", f"{major + 1}.0.0", "0.9.0"]

    assert requirement.name == "caseroll"
    assert [requirement.specifier.contains(each) for each in tried] == [True, True, False, False]
    assert sdk_requirement("1.2") == "caseroll>=1.2,<2"


def test_what_to_do_next(folder: Path) -> None:
    """It says how to install the project, test it and switch it on."""
    assert run("acme-seating", "--into", "my plugins/seating").splitlines() == [
        "Wrote my plugins/seating: an importer, a sample file and a test. Next:",
        "  pip install -e 'my plugins/seating' pytest",
        "  pytest 'my plugins/seating'",
        "  printf '\\n[importers.acme-seating]\\n' >> plugins.toml",
        "Then start Caseroll again; `caseroll importers` says whether it is on.",
    ]


def test_switching_it_on_switches_nothing_off(folder: Path) -> None:
    """Where there is no plugins.toml yet, the new one begins with what is on."""
    (folder / "plugins.toml").unlink()
    commands = [run("acme-seating").splitlines()[3], run("acme-mails").splitlines()[3]]
    for command in commands:
        subprocess.run(["bash", "-c", command], cwd=folder, check=True)

    assert {"assign", "acme-seating", "acme-mails"} <= tomllib.loads(
        (folder / "plugins.toml").read_text()
    )["importers"].keys()


def test_plugins_file_of_the_settings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CASEROLL_PLUGINS is the file to switch it on in."""
    (folder / "ours.toml").touch()
    monkeypatch.setenv("CASEROLL_PLUGINS", "ours.toml")

    assert run("acme-seating").splitlines()[3].endswith(" >> ours.toml")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param("Acme", "a to z, 0 to 9 and inner hyphens", id="capital"),
        pytest.param("acme_roster", "a to z, 0 to 9 and inner hyphens", id="underscore"),
        pytest.param("../acme", "a to z, 0 to 9 and inner hyphens", id="path"),
        pytest.param("2-acme", "begins with a letter", id="digit first"),
        pytest.param("acme-", "inner hyphens", id="hyphen last"),
        pytest.param("a" * 51, "at most 50", id="long"),
        pytest.param("äcme", "a to z", id="umlaut"),
        pytest.param("assign", "there is an importer 'assign' already", id="built-in"),
        pytest.param("importers", "as in acme-importers", id="module of the SDK"),
        pytest.param("json", "as in acme-json", id="standard library"),
        pytest.param("lambda", "as in acme-lambda", id="keyword"),
        pytest.param("none", "as in acme-none", id="keyword as a class"),
        pytest.param("row", "as in acme-row", id="class of the SDK"),
        pytest.param("note", "as in acme-note", id="class of a template"),
        pytest.param("click", "there is a module 'click' here already", id="installed"),
    ],
)
def test_wrong_name(folder: Path, name: str, message: str) -> None:
    """A name that can't be an importer's is refused, and nothing is written."""
    with pytest.raises(RefusedError, match=message):
        run(name)

    assert list(written(folder)) == ["plugins.toml"]


def test_two_kinds(folder: Path) -> None:
    """A project is of one kind."""
    with pytest.raises(click.UsageError, match="a project is of one kind"):
        run("acme-seating", "--validator", "--reader")

    assert list(written(folder)) == ["plugins.toml"]


def test_wrong_name_of_a_validator(folder: Path) -> None:
    """A validator may be called as an importer is, but not as another validator."""
    with pytest.raises(RefusedError, match="there is a validator 'users-per-case' already"):
        run("users-per-case", "--validator")
    run("users-per-case")

    assert (folder / "users-per-case/pyproject.toml").exists()


def test_nothing_is_overwritten(folder: Path) -> None:
    """A folder with anything in it, or a file in its place, is refused."""
    (folder / "acme-seating").mkdir()
    run("acme-seating")
    before = written(folder)
    with pytest.raises(RefusedError, match="acme-seating is not empty"):
        run("acme-seating")
    with pytest.raises(RefusedError, match=r"plugins\.toml is a file"):
        run("acme-other", "--into", "plugins.toml")

    assert written(folder) == before
