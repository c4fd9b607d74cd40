"""Messages are made of templates and params, so that no error lacks its params."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from importers import FileError, RowError
from importers.sdk.errors import ErrorDetail, alternatives
from scripts.error_params import SPREAD, Maker, calls_of, makers_in, params_by_code

ROOT = Path(__file__).parents[3]
MODULES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for path in [
        *sorted((ROOT / "importers").rglob("*.py")),
        *sorted((ROOT / "examples").glob("*/src/**/*.py")),
        ROOT / "api/schema/uploads/create_import.py",
    ]
}
# It puts the column's label before a message whose params are known.
LABELS = "error_detail"
Function = ast.FunctionDef | ast.AsyncFunctionDef


def test_message_of_a_template() -> None:
    """Params stand where the template names them, in the form that it gives."""
    error = RowError("seat", "TAKEN", "'{seat}' has {count:,} guests.", seat="a{b}", count=4000)

    assert error.message == "'a{b}' has 4,000 guests."
    assert error.params == {"seat": "a{b}", "count": 4000}


def test_message_without_params() -> None:
    """A message of a plugin that knows no params stays as it is, braces and all."""
    error = RowError(None, "TAKEN", "{seat} is taken {}.", "12")

    assert (error.message, error.params) == ("{seat} is taken {}.", {})


def test_suggestion_in_a_template() -> None:
    """A template may name the suggestion, which is no param: errors have it anyway."""
    error = RowError(None, "UNKNOWN", "no '{text}'; did you mean '{suggestion}'?", "b", text="a")

    assert (error.message, error.params) == ("no 'a'; did you mean 'b'?", {"text": "a"})


def test_long_messages_are_cut() -> None:
    """No message of a plugin keeps a page of rows from being shown; no suggestion is cut."""
    error = RowError(None, "LONG", "{text} is long.", "s" * 10_001, text="t" * 9_000)
    plain = RowError(None, "LONG", "m" * 20_000, "s" * 10_000)
    of_file = FileError("LONG", "m" * 20_000, text="t" * 9_000).errors[0]

    assert (len(error.message), error.suggestion) == (1_009, None)
    assert error.params == {"text": "t" * 999 + "…"}
    assert plain.message == "m" * 1_999 + "…"
    assert plain.suggestion == "s" * 10_000
    assert (len(of_file.message), of_file.params) == (2_000, error.params)


def test_params_are_printable() -> None:
    """What can't be seen, or not be stored, has its number in the message and in the params."""
    error = RowError(None, "ODD", "'{text}' is odd.", text="a\x00\u200b")

    assert error.params == {"text": "a[U+0000][U+200B]"}
    assert error.message == "'a[U+0000][U+200B]' is odd."


@pytest.mark.parametrize("value", [None, 1.5, b"x", ["x"]])
def test_params_of_other_types(value: Any) -> None:
    """What is neither a text nor a whole number fails in the plugin's own line."""
    with pytest.raises(TypeError, match="params of RowError"):
        RowError(None, "ODD", "'{text}' is odd.", text=value)


def test_a_param_that_is_missing() -> None:
    """So does a template that names what is not given."""
    with pytest.raises(KeyError, match="other"):
        RowError(None, "ODD", "'{other}' is odd.", text="x")


def test_stored_form() -> None:
    """An error is stored with its params only if it has some."""
    plain = ErrorDetail(code="REQUIRED", message="is required.", column="seat")
    whole = ErrorDetail.of("TOO_LONG", "{length} is too long.", column="seat", length=9)

    assert plain.as_dict() == {
        "code": "REQUIRED", "message": "is required.", "column": "seat", "value": None,
        "suggestion": None,
    }  # fmt: skip
    assert whole.as_dict() == {
        "code": "TOO_LONG", "message": "9 is too long.", "column": "seat", "value": None,
        "suggestion": None, "params": {"length": 9},
    }  # fmt: skip
    assert ErrorDetail(**whole.as_dict()).params == {"length": 9}


def test_alternatives() -> None:
    """Each of several texts is a param of its own, as "or" is English."""
    template, params = alternatives("tag", ["a", "b"])

    assert ErrorDetail.of("X", template, **params).message == "'a' or 'b'"


def sources(node: ast.AST, function: ast.AST, module: ast.Module) -> Iterator[ast.AST]:
    """All that an expression is made of: also what its names and functions of its module are."""
    known: set[tuple[int, int]] = set()
    waiting = [(node, function)]
    while waiting:
        expression, around = waiting.pop()
        for part in ast.walk(expression):
            yield part
            if isinstance(part, ast.Name):
                found = [(value, around) for value in assigned(part.id, around)]
            elif isinstance(part, ast.Call) and isinstance(part.func, ast.Name):
                found = [(value, each) for each, value in returned(part.func.id, module)]
            else:
                continue
            new = [each for each in found if (id(each[0]), id(each[1])) not in known]
            known.update((id(value), id(each)) for value, each in new)
            waiting += new


def assigned(name: str, function: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(function):
        targets: list[ast.expr] = getattr(node, "targets", [])
        if isinstance(node, ast.AugAssign | ast.NamedExpr | ast.AnnAssign):
            targets = [node.target]
        names = {each.id for target in targets for each in ast.walk(target)
                 if isinstance(each, ast.Name)}  # fmt: skip
        if name in names and (value := getattr(node, "value", None)):
            yield value


def returned(name: str, module: ast.Module) -> Iterator[tuple[ast.AST, ast.AST]]:
    for function in ast.walk(module):
        if isinstance(function, Function) and function.name == name:
            for node in ast.walk(function):
                if isinstance(node, ast.Return) and node.value:
                    yield function, node.value


def messages(call: ast.Call, maker: Maker) -> Iterator[ast.expr]:
    """The template among the arguments of a call that makes an error."""
    place = 0 if maker.place is None else maker.place + 1
    yield from call.args[place : place + 1]
    yield from (each.value for each in call.keywords if each.arg in ("message", "template"))


def is_filled(node: ast.AST) -> bool:
    """Whether it puts values into a text."""
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(each, ast.FormattedValue) for each in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return True
    return isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "format"


def test_every_message_is_a_template() -> None:
    """No message has values in it that are no params: neither f-strings nor other formats."""
    makers = {**makers_in(MODULES.values()), "ErrorDetail": Maker()}
    calls, wrong = 0, []
    for path, module in MODULES.items():
        functions = [node for node in ast.walk(module) if isinstance(node, Function)]
        constants = [node for node in module.body if isinstance(node, ast.Assign)]
        for function in [*constants, *functions]:
            if getattr(function, "name", "") in (LABELS, "fill", "of", "alternatives"):
                continue
            for call, maker in calls_of(function, makers):
                calls += 1
                parts = [part for each in messages(call, maker)
                         for part in sources(each, function, module)]  # fmt: skip
                wrong += [f"{path}:{call.lineno}" for part in parts if is_filled(part)]

    assert calls > 100
    assert sorted(set(wrong)) == []


def test_params_are_found() -> None:
    """What the API's page says of params is read from the code, but for what is put together."""
    params = params_by_code([ROOT / "importers/sdk/references.py", ROOT / "importers/run/rules.py"])

    assert params["ALREADY_ASSIGNED"] == ["role", "notify"]
    assert params["CASE_CLOSED"] == ["case"]
    assert set(SPREAD["NOT_FOUND"]) <= set(params["NOT_FOUND"])
