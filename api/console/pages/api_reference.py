"""The API for those who write clients: the schema's reference, and a box to run a query in."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from api.console.form import read_form
from api.console.operation import execute_in_turn
from api.console.snippets import read_snippets
from api.errors import HttpError, shape_error
from api.execution.prepare import to_operation
from api.language import translator

if TYPE_CHECKING:
    from starlette.responses import Response

    from api.console.visit import Visit

_EXAMPLES = Path(__file__).parent.parent / "examples"
_ROOTS = ("Query", "Mutation", "Subscription")


class Example(NamedTuple):
    """A query to begin with."""

    key: str
    title: str
    query: str
    variables: str


class TypeText(NamedTuple):
    """A type as it is written, with the name that leads to its reference.

    Example:
        `[Case!]!` is `TypeText("[", "Case", "!]!")`.
    """

    before: str
    name: str
    after: str


async def show_reference(visit: Visit) -> Response:
    """Show the index of the schema, or what a search finds in it, and the box."""
    if query := visit.argument("query"):
        return await _show_box(visit, query, visit.argument("variables") or "")
    examples = _examples()
    chosen = examples.get(visit.argument("example") or "") or next(iter(examples.values()))
    return await _show_box(visit, chosen.query, chosen.variables)


async def run_query(visit: Visit) -> Response:
    """Run the query of the box with the visitor's token, and show its answer below it."""
    form = await read_form(visit.request)
    query, variables = form.first("query"), form.first("variables")
    try:
        body = {"query": query, "variables": _parse_variables(variables)}
        operation = to_operation({**body, "extensions": {"cost": True}})
        result = await execute_in_turn(visit.context, operation)
    except HttpError as error:
        return await _show_box(visit, query, variables, problem=translator().error(error.as_dict()))
    answer: dict[str, Any] = {"data": result.data}
    if result.errors:
        answer = {"errors": [shape_error(error) for error in result.errors], **answer}
    return await _show_box(
        visit,
        query,
        variables,
        answer=orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode(),
        cost=(result.extensions or {}).get("cost"),
    )


async def show_type(visit: Visit) -> Response:
    """Show the reference of one type."""
    data = await visit.run("api_type", name=visit.path("name"))
    found = data["__type"]
    if found is None:
        raise HttpError(404, "NOT_FOUND", "The schema has no such type.")
    fields = found["fields"] or found["inputFields"] or []
    return visit.page(
        "api_type.html",
        data=data,
        type=found,
        fields=[_describe_field(each) for each in fields],
    )


async def _show_box(
    visit: Visit,
    query: str,
    variables: str,
    *,
    answer: str = "",
    cost: dict[str, int] | None = None,
    problem: str = "",
) -> Response:
    data = await visit.run("api_reference")
    types = [each for each in data["__schema"]["types"] if not each["name"].startswith("__")]
    search = visit.argument("search") or ""
    return visit.page(
        "api_reference.html",
        data=data,
        search=search,
        found=_search(types, search) if search else None,
        groups=_group(types),
        examples=_examples().values(),
        snippets=read_snippets(),
        query=query,
        variables=variables,
        answer=answer,
        cost=cost,
        problem=problem,
    )


def _parse_variables(text: str) -> Any:
    try:
        return orjson.loads(text) if text else None
    except orjson.JSONDecodeError as error:
        message = f"The variables are not valid JSON: {error}."
        raise HttpError(400, "BAD_REQUEST", message) from error


def _describe_field(field: dict[str, Any]) -> dict[str, Any]:
    """Add the written types of a field and its arguments."""
    arguments = [{**each, "text": write_type(each["type"])} for each in field.get("args", ())]
    return {**field, "text": write_type(field["type"]), "args": arguments}


def write_type(kind: dict[str, Any]) -> TypeText:
    """Write a type with its brackets and marks."""
    if kind["kind"] == "NON_NULL":
        inner = write_type(kind["ofType"])
        return inner._replace(after=f"{inner.after}!")
    if kind["kind"] == "LIST":
        inner = write_type(kind["ofType"])
        return inner._replace(before=f"[{inner.before}", after=f"{inner.after}]")
    return TypeText("", kind["name"], "")


def _group(types: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Sort types into those that operations begin with, those of lists, and the others by kind."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for each in sorted(types, key=lambda each: str(each["name"])):
        name = each["name"]
        kind = "LIST" if name.endswith(("Connection", "Edge")) else each["kind"]
        groups["ROOT" if name in _ROOTS else kind].append(each)
    return groups


def _search(types: list[dict[str, Any]], words: str) -> list[tuple[str, str, str]]:
    """Return type, member and description of all whose name or description has the words."""
    wanted, found = words.casefold(), []
    for each in types:
        members = [
            *(each["fields"] or ()),
            *(each["inputFields"] or ()),
            *(each["enumValues"] or ()),
        ]
        for name, description in [
            ("", each["description"]),
            *((member["name"], member["description"]) for member in members),
        ]:
            if (
                wanted in (name or each["name"]).casefold()
                or wanted in (description or "").casefold()
            ):
                found.append((each["name"], name, description or ""))
    return sorted(found, key=lambda hit: (wanted not in (hit[1] or hit[0]).casefold(), hit))


@lru_cache(None)
def _examples() -> dict[str, Example]:
    """Read the examples: a title as the first comment, variables as the last."""
    found = {}
    for path in sorted(_EXAMPLES.glob("*.graphql")):
        title, *lines = path.read_text("utf-8").splitlines()
        variables = lines.pop().removeprefix("# ") if lines[-1].startswith("# ") else ""
        found[path.stem] = Example(path.stem, title.removeprefix("# "), "\n".join(lines), variables)
    return found
