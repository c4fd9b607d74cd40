"""Finds in the code which params the errors of each code have."""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

# Where the code stands among the arguments of what makes an error.
_MAKERS = {"RowError": 1, "ErrorDetail.of": 0, "BadRecordError": 0}
_NO_PARAMS = {"code", "message", "column", "value", "suggestion", "field"}

SPREAD = {
    "AMBIGUOUS_COUNTRY": ["country_1", "country_2"],
    "AMBIGUOUS_CURRENCY": ["currency_1", "…"],
    "BAD_ENCODING": ["row"],
    "BAD_QUOTING": ["row"],
    "DAMAGED_WORKBOOK": ["reason"],
    "EMAIL_TAKEN": ["tag_id", "given_name", "family_name", "locale", "zoneinfo", "is_active"],
    "INVALID_CHOICE": ["text", "choices"],
    "NOT_FOUND": ["noun", "text", "other", "tag_1", "tag_2", "tag_3"],
    "NUL_BYTE": ["row"],
    "REQUIRED": ["cells"],
    "ROW_TOO_LONG": ["row"],
    "SPREADSHEET_DAMAGE": ["detail", "shown"],
    "TAG_TAKEN": ["email", "about", "date_opened", "is_active"],
    "UNKNOWN_COLUMN": ["type", "columns", "type_1", "…"],
    "WRONG_TYPE": ["type_1", "…"],
}
"""Params that are put together before the error is made, so that no call names them."""


@dataclass(slots=True)
class Maker:
    """A function that makes errors of a code that it is given, or of its own.

    Args:
        place: of the code among its arguments; None if the code is its own.
        code: its own.
        params: those that it names itself.
    """

    place: int | None = None
    code: str = ""
    params: list[str] = field(default_factory=list)


def params_by_code(files: Iterable[Path]) -> Mapping[str, list[str]]:
    """Return the names of the params of each code's errors."""
    modules = [ast.parse(path.read_text(encoding="utf-8")) for path in files]
    makers = makers_in(modules)
    found: dict[str, list[str]] = defaultdict(list)
    for module in modules:
        for call, maker in calls_of(module, makers):
            if code := maker.code or _constant(_argument(call, maker.place)):
                found[code] += [*maker.params, *_keywords(call)]
    for code, names in SPREAD.items():
        found[code] += names
    return {code: list(dict.fromkeys(names)) for code, names in found.items()}


def makers_in(modules: Iterable[ast.Module]) -> Mapping[str, Maker]:
    """Return all that makes errors: their classes, and functions that call these."""
    functions = [
        node
        for module in modules
        for node in ast.walk(module)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    makers = {name: Maker(place) for name, place in _MAKERS.items()}
    # A helper may call another one that comes later.
    for _ in range(3):
        makers |= dict(_helpers(functions, makers))
    return makers


def _helpers(
    functions: Iterable[ast.FunctionDef | ast.AsyncFunctionDef], makers: Mapping[str, Maker]
) -> Iterator[tuple[str, Maker]]:
    """Find functions that hand a code, or all their params, on to what makes an error."""
    for function in functions:
        arguments = [each.arg for each in function.args.args if each.arg not in ("self", "cls")]
        for call, maker in calls_of(function, makers):
            given = _argument(call, maker.place)
            params = [*maker.params, *_keywords(call)]
            if isinstance(given, ast.Name) and given.id in arguments:
                yield function.name, Maker(arguments.index(given.id), params=params)
            elif function.args.kwarg and (code := maker.code or _constant(given)):
                yield function.name, Maker(code=code, params=params)


def calls_of(tree: ast.AST, makers: Mapping[str, Maker]) -> Iterator[tuple[ast.Call, Maker]]:
    """Find the calls that make errors."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            maker = makers.get(name) or makers.get(name.removeprefix("cls.").removeprefix("self."))
            if maker:
                yield node, maker


def _argument(call: ast.Call, place: int | None) -> ast.expr | None:
    if place is None or place >= len(call.args):
        return None
    return call.args[place]


def _constant(node: ast.expr | None) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else ""


def _keywords(call: ast.Call) -> list[str]:
    return [each.arg for each in call.keywords if each.arg and each.arg not in _NO_PARAMS]
