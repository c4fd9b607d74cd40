"""`caseroll new-importer`: a project to write an importer or another plugin in."""

from __future__ import annotations

import keyword
import re
import shlex
import sys
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

import click

import importers
from api.cli.failure import RefusedError
from api.cli.project_kind import IMPORTER, KINDS, ProjectKind
from api.settings import plugins_file, process_environment
from importers.plugins.plugins_file import default_path

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", re.ASCII)
# Names of tables have 63 characters at most, and begin with this one.
_LONGEST = 50
_TAKEN_MODULES = sys.stdlib_module_names | {"api", "importers", "models"}
# Also what the templates themselves define.
_TAKEN_CLASSES = {*importers.__all__, "Note"}


@click.command("new-importer")
@click.argument("name")
@click.option(
    "--into",
    "folder",
    type=click.Path(path_type=Path),
    help="The project's folder, new or empty.  [default: NAME]",
)
@click.option(
    "--table", "kinds", flag_value="table", multiple=True, help="Give it a table of its own."
)
@click.option(
    "--validator",
    "kinds",
    flag_value="validator",
    multiple=True,
    help="Write a validator, which can veto rows.",
)
@click.option(
    "--reader",
    "kinds",
    flag_value="reader",
    multiple=True,
    help="Write a reader of files of another format.",
)
def new_importer(name: str, folder: Path | None, *, kinds: tuple[str, ...]) -> None:
    """Write a project for an importer of your own; NAME is its key, such as acme-roster.

    It can be installed and tested as it is. docs/writing-an-importer.md says how to go on.
    """
    if len(set(kinds)) > 1:
        raise click.UsageError(
            "a project is of one kind: name one of --table, --validator, --reader."
        )
    kind = KINDS[kinds[0]] if kinds else IMPORTER
    words = _words(name, kind)
    folder = folder or Path(name)
    if folder.exists() and not folder.is_dir():
        raise RefusedError(f"{folder} is a file; name another folder with --into.")
    if folder.exists() and any(folder.iterdir()):
        raise RefusedError(f"{folder} is not empty; name another folder with --into.")
    for path, text in kind.texts(words).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        # Never over a file that has appeared since the folder was found empty.
        with target.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    project = shlex.quote(str(folder))
    click.echo(f"Wrote {folder}: {kind.wrote}. Next:")
    install = f"pip install -e {project} pytest"
    for command in (install, f"pytest {project}", _switch_on(kind, name)):
        click.echo(f"  {command}")
    click.echo("Then start Caseroll again; `caseroll importers` says whether it is on.")


def _words(name: str, kind: ProjectKind) -> dict[str, str]:
    """Return the values of the placeholders that depend on the name.

    Raises:
        RefusedError: a plugin of this kind can't have this name.
    """
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise RefusedError(
            f"{kind.noun}'s name is made of a to z, 0 to 9 and inner hyphens, at most {_LONGEST} "
            f"of them, and begins with a letter, as acme-roster does; not {name!r}."
        )
    if name in entry_points(group=f"caseroll.{kind.group}").names:
        raise RefusedError(f"there is {kind.noun} {name!r} already; see `caseroll importers`.")
    module = name.replace("-", "_")
    class_name = "".join(part.capitalize() for part in name.split("-"))
    _check_module(name, module, class_name)
    return {
        "name": name,
        "module": module,
        "class_name": class_name,
        "label": name.replace("-", " ").capitalize(),
    }


def _check_module(name: str, module: str, class_name: str) -> None:
    """Refuse a name that would hide something else in Python or in Caseroll."""
    is_word = keyword.iskeyword(module) or keyword.iskeyword(class_name)
    if is_word or module in _TAKEN_MODULES or class_name in _TAKEN_CLASSES:
        raise RefusedError(
            f"{name!r} means something else in Python or in Caseroll; "
            f"put your organisation before it, as in acme-{name}."
        )
    if find_spec(module) is not None:
        raise RefusedError(
            f"there is a module '{module}' here already, perhaps of another project; "
            "choose another name."
        )


def _switch_on(kind: ProjectKind, name: str) -> str:
    """Return the command that adds it to the plugins.toml in use, or to a copy of ours."""
    named = plugins_file(process_environment())
    ours = Path.cwd() / "plugins.toml"
    add = f"printf '\\n[{kind.group}.{name}]\\n' >> {shlex.quote(str(named or ours.name))}"
    if named or ours.exists():
        return add
    # Not over the file that the same command has made for another project meanwhile.
    return f"test -e {ours.name} || cp {shlex.quote(str(default_path()))} . && {add}"
