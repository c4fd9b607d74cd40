"""The guide for authors of plugins is whole: its contents, its limits, and what it runs."""

from __future__ import annotations

import re
from pathlib import Path

from api.schema.importing.plugin_descriptions import _CALL_SECONDS as DESCRIPTION_SECONDS
from api.settings import Settings
from importers.isolation.attempts import MOST_ATTEMPTS
from importers.isolation.guard import AWAIT_SECONDS, CALL_SECONDS, TOTAL_SECONDS
from importers.plugins.loader import _LOAD_SECONDS as LOAD_SECONDS
from importers.plugins.plugin_reader import TAKES_SECONDS
from importers.rows.cell_reader import _LONGEST_VALUE as LONGEST_VALUE
from importers.rows.cell_reader import _MOST_ERRORS as MOST_ERRORS
from importers.run.chunk_context import MOST_RACES
from importers.run.validation import _TOTAL_SECONDS as VALIDATORS_SECONDS
from importers.sdk.cells.suggestions import MOST_SUGGESTIONS
from importers.sdk.columns import _LONGEST_CELL as LONGEST_CELL
from importers.split.file_check import _COMPUTING_SECONDS as FILE_COMPUTING
from importers.split.file_check import _WAITING_SECONDS as FILE_WAITING
from importers.validation.mutation import _COMPUTING_SECONDS as MUTATION_COMPUTING
from importers.validation.mutation import _WAITING_SECONDS as MUTATION_WAITING
from models.session import TIMEOUTS

GUIDE = (Path(__file__).parent.parent / "docs/writing-an-importer.md").read_text(encoding="utf-8")
# Language of a piece of code → what runs it.
RUN_BY = {
    "python": "test_docs.py: all pieces, one after the other, and the tests among them",
    "toml": "test_docs.py",
    "sh": "acceptance/test_plugins.py, in a new environment",
    "po": "importers/language/test_plugin_catalogue.py",
    "text": "nothing: it lists names of files",
}


def section(title: str) -> str:
    """The text below a heading."""
    return GUIDE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_every_piece_of_code_runs() -> None:
    """There is no code in the guide that no test looks at."""
    fences = re.findall(r"^ *```(.*)$", GUIDE, re.MULTILINE)

    assert set(fences[1::2]) == {""}
    assert set(fences[::2]) == RUN_BY.keys()


def test_contents() -> None:
    """The list at the beginning has every section, in their order."""
    titles = re.findall(r"^## (.+)$", GUIDE, re.MULTILINE)
    listed = re.findall(r"^- \[(.+)\]\(#(.+)\): .+$", GUIDE.partition("\n## ")[0], re.MULTILINE)

    assert [title for title, _ in listed] == titles
    assert [anchor for _, anchor in listed] == [each.lower().replace(" ", "-") for each in titles]


def test_links_inside() -> None:
    """Each link within the page leads to a heading."""
    headings = re.findall(r"^#+ (.+)$", GUIDE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}

    assert set(re.findall(r"\]\(#([^)]+)\)", GUIDE)) - anchors == set()


def test_limits() -> None:
    """The table has the limits of the code."""
    rows = re.findall(r"^\| (.+) \| (\S+)(?: (?:s|GiB))? \|$", section("Limits"), re.MULTILINE)
    found = {what: float(number.replace(",", "")) for what, number in rows}
    defaults = Settings(database_url="", redis_url="")

    assert found == {
        "a call of a plugin": CALL_SECONDS,
        "all calls of an importer for a chunk": TOTAL_SECONDS,
        "all calls of all validators for a chunk": VALIDATORS_SECONDS,
        "waiting in coroutines, for a chunk": AWAIT_SECONDS,
        "computing in `check_file`, for a file": FILE_COMPUTING,
        "waiting in `check_file`, reading included": FILE_WAITING,
        "a reader's answer whether it takes a file": TAKES_SECONDS,
        "computing of all validators, for a mutation": MUTATION_COMPUTING,
        "waiting of all validators, for a mutation": MUTATION_WAITING,
        "a statement of PostgreSQL": float(TIMEOUTS["statement_timeout"].removesuffix("s")),
        "waiting for a lock": float(TIMEOUTS["lock_timeout"].removesuffix("s")),
        "loading a plugin": LOAD_SECONDS,
        "a plugin's answer to what menus ask": DESCRIPTION_SECONDS,
        # The chunk's first death, that of a piece of it, and that of the row alone.
        "workers that a row may end before it fails": 3,
        "attempts at a chunk, and at cutting a file into chunks": MOST_ATTEMPTS,
        "attempts while other imports change the same things": MOST_RACES,
        "rows in a chunk (`CASEROLL_CHUNK_ROWS`)": defaults.chunk_rows,
        "characters in a cell, unless a column says `longest`": LONGEST_CELL,
        "characters of a cell that an error shows": LONGEST_VALUE,
        "errors of a row that are listed": MOST_ERRORS,
        "unknown keys of a column that get a suggestion, in a chunk": MOST_SUGGESTIONS,
        "memory of a worker (`CASEROLL_WORKER_MEMORY_BYTES`)": defaults.worker_memory_bytes
        / 1024**3,
    }
