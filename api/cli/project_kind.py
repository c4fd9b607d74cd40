"""What `caseroll new-importer` writes: a kind of plugin, and the files of its project."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

from importers import SDK_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_OF_ALL = ("pyproject.toml", "README.md")
_PATHS = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    "module.py": "src/$module/__init__.py",
    "test_module.py": "tests/test_$module.py",
    "sample.csv": "tests/sample.csv",
    "sample.expected.json": "tests/sample.expected.json",
    "sample.tilde": "tests/sample.tilde",
}
"""Template → the file that it becomes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectKind:
    """A kind of plugin to begin a project with.

    Attributes:
        name: of the option, and of the folder with its templates.
        noun: what it is, with its article.
        group: of its entry point, and of its table in `plugins.toml`.
        wrote: what is written, for the person at the terminal.
        note: what its README says besides.
        templates: those of its own.
    """

    name: str
    noun: str
    group: str
    wrote: str
    note: str
    templates: Sequence[str]

    def texts(self, words: Mapping[str, str]) -> dict[str, str]:
        """Return the files of a project: path → text.

        Args:
            words: the values of the placeholders that depend on the project's name.
        """
        folder = files("api") / "templates"
        own = {
            "noun": self.noun.capitalize(),
            "group": self.group,
            "note": self.note,
            "sdk": SDK_VERSION,
            "requirement": sdk_requirement(),
        }
        texts = {}
        for template in (*_OF_ALL, *self.templates):
            place = folder / ("project" if template in _OF_ALL else self.name)
            text = (place / f"{template}.tmpl").read_text(encoding="utf-8")
            path = Template(_PATHS[template]).substitute(words)
            texts[path] = Template(text).substitute(words, **own)
        return texts


_NEW_TESTS = (
    "A new test is a CSV or XLSX file in `tests/` and a line that calls `check_importer`; what it"
    " expects is written\nwhen the test runs for the first time. "
)
_OF_IMPORTERS = ("module.py", "test_module.py", "sample.csv", "sample.expected.json")
IMPORTER = ProjectKind(
    name="importer",
    noun="an importer",
    group="importers",
    wrote="an importer, a sample file and a test",
    note=_NEW_TESTS,
    templates=_OF_IMPORTERS,
)
TABLE = ProjectKind(
    name="table",
    noun="an importer",
    group="importers",
    wrote="an importer with a table, a sample file and a test",
    note=(
        "`caseroll migrate` makes its table, as `caseroll up` does when it starts.\n\n" + _NEW_TESTS
    ),
    templates=_OF_IMPORTERS,
)
VALIDATOR = ProjectKind(
    name="validator",
    noun="a validator",
    group="validators",
    wrote="a validator and a test",
    note="A validator that is switched on and does not load refuses every row and mutation.\n\n",
    templates=("module.py", "test_module.py"),
)
READER = ProjectKind(
    name="reader",
    noun="a reader",
    group="readers",
    wrote="a reader, a sample file and a test",
    note="Readers are asked in the order of `plugins.toml` whether they take a file.\n\n",
    templates=("module.py", "test_module.py", "sample.tilde"),
)
KINDS = {kind.name: kind for kind in (IMPORTER, TABLE, VALIDATOR, READER)}


def sdk_requirement(version: str = SDK_VERSION) -> str:
    """Return what a plugin that is written for this SDK asks of Caseroll, in pip's words.

    Caseroll's own version begins with that of its SDK, so pip refuses what would not load.

    Example:
        >>> sdk_requirement("1.2")
        'caseroll>=1.2,<2'
    """
    major = int(version.partition(".")[0])
    return f"caseroll>={version},<{major + 1}"
