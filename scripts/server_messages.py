"""Finds in the code the messages that have a code, as the catalogues write them.

A call makes a message if a code such as `CASE_CLOSED` is among its arguments, and a text behind it.
The text may be put together of constants, variables and conditions; values in it become names in
braces.
"""

from __future__ import annotations

import ast
import re
from itertools import islice, product
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).parent.parent
PACKAGES = ("api", "importers", "models")
GAP = "{…}"
"""Stands in a template for what the code does not say in one place."""

_CODE = re.compile(r"[A-Z]{2,}(_[A-Z]+)+|[A-Z]{4,}")
# What may have a constant in capitals and a text among its arguments, and makes no message.
_NO_MAKER = re.compile(
    r"reader\.|environ|re\.compile|\.replace$|enum_value$|Applied$|^taken_error$"
)
_MOST = 64

_Texts: TypeAlias = "Mapping[str, Sequence[str]]"


class FoundMessage(NamedTuple):
    """A message in the code.

    Args:
        template: with a name in braces for each value.
    """

    place: str
    code: str
    template: str


def found_messages() -> Iterator[FoundMessage]:
    """Find the messages of the product."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            place = str(path.relative_to(ROOT))
            yield from messages_in(ast.parse(path.read_text("utf-8")), place)


def messages_in(module: ast.Module, place: str) -> Iterator[FoundMessage]:
    """Find the messages of a module, at its top and in its functions."""
    constants = _Walk(place, {})
    constants.block(module.body)
    yield from constants.found
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            walk = _Walk(place, constants.texts)
            walk.block(node.body)
            yield from walk.found


class _Walk:
    """Goes through statements as they are run, with the texts that variables then hold."""

    def __init__(self, place: str, texts: _Texts) -> None:
        self.texts: dict[str, Sequence[str]] = dict(texts)
        self.found: list[FoundMessage] = []
        self._place = place

    def block(self, statements: Sequence[ast.stmt]) -> bool:
        """Go through a block; true if what follows it is run as well."""
        for statement in statements:
            match statement:
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    continue
                case ast.If(test=test, body=body, orelse=other):
                    self._calls(test)
                    if not self._either(body, other):
                        return False
                    continue
                case ast.Try(body=body, handlers=handlers, orelse=other, finalbody=last):
                    self._either(body, *(each.body for each in handlers))
                    self._either(other, last)
                    continue
                case ast.Match(cases=cases):
                    self._either([], *(each.body for each in cases))
                    continue
                case ast.With(body=body) | ast.AsyncWith(body=body):
                    if not self.block(body):
                        return False
                    continue
                case ast.For(body=body) | ast.AsyncFor(body=body) | ast.While(body=body):
                    self._either([], body)
                    continue
            self._calls(statement)
            self._assign(statement)
            if isinstance(statement, ast.Return | ast.Raise):
                return False
        return True

    def _either(self, *blocks: Sequence[ast.stmt]) -> bool:
        """Go through blocks of which one is run; then each variable may hold what any has left."""
        before, goes_on = self.texts, False
        merged: dict[str, Sequence[str]] = {}
        for block in blocks:
            self.texts = dict(before)
            if self.block(block):
                goes_on = True
                for name, texts in self.texts.items():
                    merged[name] = list(dict.fromkeys([*merged.get(name, ()), *texts]))
        self.texts = merged if goes_on else dict(before)
        return goes_on

    def _assign(self, statement: ast.stmt) -> None:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(values=values))
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.Dict(values=values))
            ):
                self.texts[f"{name}[]"] = [text for each in values for text in self._texts(each)]
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self.texts[name] = self._texts(value)
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                for target, value in zip(names, values, strict=True):
                    self.texts[ast.unparse(target)] = self._texts(value)
            case ast.AugAssign(target=ast.Name(id=name), op=ast.Add(), value=value):
                self.texts[name] = _joined(self.texts.get(name, [GAP]), self._texts(value))

    def _calls(self, statement: ast.AST) -> None:
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and not _NO_MAKER.search(ast.unparse(node.func)):
                self._call(node)

    def _call(self, call: ast.Call) -> None:
        named = (each.value for each in call.keywords if each.arg in ("code", "message"))
        arguments = [*call.args, *named]
        for index, argument in enumerate(arguments):
            code = argument.value if isinstance(argument, ast.Constant) else None
            if isinstance(code, str) and _CODE.fullmatch(code):
                place = f"{self._place}:{call.lineno}"
                texts = map(self._texts, arguments[index + 1 :])
                sentences = ([text for text in each if " " in text] for each in texts)
                some = next(filter(None, sentences), [])
                self.found += [FoundMessage(place, code, text) for text in some]
                return

    def _texts(self, node: ast.expr) -> Sequence[str]:
        """Return the texts that an expression may be, with names in braces for values."""
        match node:
            case ast.Constant(value=str(text)):
                return [text]
            case ast.JoinedStr(values=values):
                return _joined(*map(self._part, values))
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return _joined(self._texts(left), self._texts(right))
            case ast.IfExp(body=body, orelse=other):
                return [*self._texts(body), *self._texts(other)]
            case ast.Name() | ast.Subscript(value=ast.Name()):
                # Of a dictionary, any value.
                name = re.sub(r"\[.*", "[]", ast.unparse(node))
                return self.texts.get(name, [GAP])
        return [GAP]

    def _part(self, node: ast.expr) -> Sequence[str]:
        match node:
            case ast.FormattedValue(value=value, format_spec=None):
                texts = self._texts(value)
                return [f"{{{_name_of(value)}}}"] if list(texts) == [GAP] else texts
            case ast.FormattedValue(value=value, format_spec=spec):
                is_figure = isinstance(spec, ast.JoinedStr) and ast.unparse(spec) == "f','"
                return [f"{{{_name_of(value)}{':,' if is_figure else ''}}}"]
        return self._texts(node)


def _joined(*parts: Sequence[str]) -> Sequence[str]:
    return ["".join(each) for each in islice(product(*parts), _MOST)]


def _name_of(node: ast.expr) -> str:
    """Name a value in a message after what it is made of."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.lower().strip("_")
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
        case ast.Subscript(value=ast.Name(id=name)):
            return name
        case ast.Call(args=[first, *_]):
            return _name_of(first)
    return "value"
