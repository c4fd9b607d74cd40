"""What the documentation shows works."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from graphql import GraphQLObjectType

from api.schema.definition import schema
from bench.page import PAGE, newest_figures, with_figures
from importers import Importer, Validator
from importers.testing import check_conformance, check_validator
from scripts.error_codes import explained_codes, known_params, with_codes

ROOT = Path(__file__).parent.parent
GUIDE = (ROOT / "docs/writing-an-importer.md").read_text()
API = (ROOT / "docs/api.md").read_text(encoding="utf-8")
FILES = (ROOT / "docs/files.md").read_text(encoding="utf-8")


def snippets(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture
def guide(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module of every piece of Python in the guide, one after the other."""
    module = ModuleType("guide")
    monkeypatch.setitem(sys.modules, "guide", module)
    for snippet in snippets("python"):
        exec(snippet, vars(module))
    return module


def test_tests_of_the_guide(guide: ModuleType) -> None:
    """The tests that the guide shows pass."""
    tests = [value for name, value in vars(guide).items() if name.startswith("test_")]
    for test in tests:
        test()

    assert [test.__name__ for test in tests] == [
        "test_seating_plan", "test_who_is_there_already", "test_conformance", "test_endings",
        "test_engagements", "test_rates", "test_rooms", "test_wall", "test_extract",
    ]  # fmt: skip


def plugins(guide: ModuleType, base: type) -> dict[str, Any]:
    return {
        name: value
        for name, value in vars(guide).items()
        if isinstance(value, type) and issubclass(value, base) and value is not base
        and value.__module__ == "guide"
    }  # fmt: skip


IMPORTERS = [
    *["SeatingPlan", "Staffing", "Withdrawals", "Endings", "Engagements", "Removals"],
    *["Promotions", "Leavers", "MonthlyRemovals", "OneLead", "Teams", "Rates", "Rooms"],
]
SETTINGS = {"Engagements": {"titles": ["Dr.", "Prof."]}}
"""Those without which an importer of the guide can't be made."""


def test_the_first_importer_is_short() -> None:
    """The guide begins with a whole importer, in ten lines."""
    lines = [line for line in snippets("python")[0].splitlines() if line.strip()]

    assert len(lines) == 10


@pytest.mark.parametrize("name", IMPORTERS)
def test_importers_of_the_guide(guide: ModuleType, name: str) -> None:
    """Every importer gets right what importers have to."""
    importer = plugins(guide, Importer)[name]
    settings = SETTINGS.get(name)
    made = importer(name, importer.Settings(**settings)) if settings else importer
    check_conformance(made, rows=500)


def test_plugins_of_the_guide(guide: ModuleType) -> None:
    """So does every validator, and no importer is forgotten here."""
    validators = plugins(guide, Validator)
    check_validator(validators["Wall"]("wall", guide.Wall.Settings(prefix="trv-", users=[])))
    check_validator(validators["OneOfAKind"])
    check_validator(validators["FewRemovals"])

    assert list(validators) == ["Wall", "OneOfAKind", "FewRemovals"]
    assert list(plugins(guide, Importer)) == IMPORTERS


def test_toml_of_the_guide() -> None:
    """Every piece of TOML can be read."""
    assert [list(tomllib.loads(snippet)) for snippet in snippets("toml")] == [
        ["project"], ["importers"], ["importers"], ["importers"], ["validators"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    "page",
    [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "CHANGELOG.md",
        *sorted((ROOT / "docs").glob("*.md")),
        *sorted((ROOT / "examples").glob("**/README.md")),
    ],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_links(page: Path) -> None:
    """Every link to a file of the project leads to one."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)

    assert [link for link in links if not (page.parent / link).exists()] == []


MAKES_ERRORS = {
    "ApiError", "HttpError", "PlanError", "RequestError", "RetryError", "UndoError", "Hold",
    "UploadWarning", "ErrorDetail", "add", "user_error", "_replace", "__init__", "of",
}  # fmt: skip


def codes_of(path: Path) -> set[str]:
    """Every code that is an argument of a call in MAKES_ERRORS, or a `code` in a dictionary."""
    found: list[ast.expr | None] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            given = [*node.args, *(each.value for each in node.keywords)]
            found += given if name in MAKES_ERRORS else []
        if isinstance(node, ast.Dict):
            keys = [getattr(key, "value", None) for key in node.keys]
            found += [value for key, value in zip(keys, node.values, strict=True) if key == "code"]
    texts = [each.value for each in found if isinstance(each, ast.Constant)]
    return {text for text in texts if re.fullmatch(r"[A-Z][A-Z_]{3,}", str(text))}


def test_mutations_that_are_lost() -> None:
    """The page says of each mutation how to try it again."""
    table = API.partition("## Trying again")[2].partition("## ")[0]
    told = {
        name
        for row in table.splitlines()
        for name in re.findall(r"`(\w+)`", row.removeprefix("|").partition("|")[0])
    }

    mutations = schema._schema.type_map["Mutation"]
    assert isinstance(mutations, GraphQLObjectType)
    assert told == mutations.fields.keys()


def test_codes_of_the_api_are_explained() -> None:
    """The API's page has every code that the API can give, and no other."""
    page = API.partition("\n## Codes\n")[2].partition("\n### Codes of files and rows\n")[0]
    explained = re.findall(r"`([A-Z_]+)`", "".join(re.findall(r"^\|([^|]*)\|", page, re.MULTILINE)))
    console = ROOT / "api/console"  # it shows codes of others, and words of its own
    code = [path for path in (ROOT / "api").rglob("*.py") if not path.is_relative_to(console)]
    files = [*code, *REQUESTS, ROOT / "models/guard.py"]

    assert sorted(explained) == sorted(set().union(*map(codes_of, files)))


REQUESTS = [
    ROOT / "importers" / name
    for name in ("request_error.py", "retry.py", "plan_requests.py", "undo/undo_request.py")
]
# Constants that look like codes and are none.
NO_CODES = {"SDK_VERSION", "LC_MESSAGES"}


def constants_of(path: Path) -> set[str]:
    """Every constant of a module that looks like a code of two words or more."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    texts = [str(node.value) for node in nodes if isinstance(node, ast.Constant)]
    return {text for text in texts if re.fullmatch(r"[A-Z]{2,}(_[A-Z]+)+", text)}


def test_codes_of_files_and_rows_are_listed() -> None:
    """The API's page lists the codes that files.md explains; `make reference` writes the table."""
    assert explained_codes(FILES)
    assert with_codes(API, FILES, known_params()) == API


def test_codes_of_files_and_rows_are_explained() -> None:
    """files.md explains each code that importers, readers and validators can give."""
    given = set().union(*map(constants_of, (ROOT / "importers").rglob("*.py")))
    of_requests = set().union(*map(codes_of, REQUESTS))

    assert given - of_requests - NO_CODES - set(explained_codes(FILES)) == set()


def test_type_policies() -> None:
    """The snippet for Apollo's cache says of each type without `id` what its key is."""
    snippet = API.partition("typePolicies: {")[2].partition("```")[0]
    policies = set(re.findall(r"^    (\w+): {", snippet, re.MULTILINE))
    nodes = re.search(r"possibleTypes: {\s*Node: \[([^]]*)\]", API)
    kinds = {
        name: kind
        for name, kind in schema._schema.type_map.items()
        if isinstance(kind, GraphQLObjectType) and not name.startswith("__")
    }
    # Clients know the roots and Relay's types; payloads are not kept.
    known = re.compile(r"Mutation|Subscription|PageInfo|\w+(Connection|Edge|Payload)")
    without = {name for name, kind in kinds.items() if "id" not in kind.fields}

    assert policies - {"Assignment", "Case", "Import", "User", "Webhook"} == {
        name for name in without if not known.fullmatch(name)
    }
    assert nodes
    assert set(re.findall(r"\w+", nodes[1])) == {
        kind.name
        for kind in schema._schema.get_possible_types(schema._schema.type_map["Node"])  # type: ignore[arg-type]
    }


def test_keys_of_lists() -> None:
    """In that snippet, each list has the arguments that make it another list."""
    snippet = API.partition("typePolicies: {")[2].partition("```")[0]
    found = re.findall(r"(\w+): relayStylePagination\(\[([^]]*)\]\)", snippet)
    wanted = [
        (name, [each for each in field.args if each not in ("first", "after", "last", "before")])
        for kind in ("Query", "Case", "User", "Assignment", "Import", "Webhook")
        for name, field in schema._schema.type_map[kind].fields.items()  # type: ignore[attr-defined]
        if "first" in field.args
    ]

    assert sorted((name, sorted(re.findall(r"\w+", keys))) for name, keys in found) == sorted(
        (name, sorted(keys)) for name, keys in wanted
    )


def test_close_codes_are_explained() -> None:
    """So it has every code that a WebSocket is closed with."""
    source = (ROOT / "api/http/graphql_websocket.py").read_text(encoding="utf-8")
    closed = set(re.findall(r"CloseError\(([0-9]+)|\.close\(([0-9]+)|FORBIDDEN = ([0-9]+)", source))
    page = (ROOT / "docs/api.md").read_text(encoding="utf-8")

    assert [code for code in sorted(map("".join, closed)) if f"| {code} |" not in page] == []


def test_figures_are_measured() -> None:
    """The page of figures shows those that were measured last, and no others."""
    page = PAGE.read_text(encoding="utf-8")

    assert with_figures(page, newest_figures()) == page
    assert page.count("\n| ") > 50
