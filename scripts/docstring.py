"""Parses docstrings and writes them as Markdown."""

from __future__ import annotations

import ast
import doctest
import itertools
import re
from dataclasses import dataclass
from functools import cache
from inspect import cleandoc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_SECTION = re.compile(r"(Args|Returns|Raises|Example):")
_ITEM = re.compile(r"(\*{0,2}\w+): (.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Docstring:
    """A docstring's parts.

    Args:
        text: the lines before the first section.
        sections: name → its lines, without their indent.
    """

    text: str
    sections: Mapping[str, str]

    @property
    def args(self) -> dict[str, str]:
        """The description of each argument."""
        return dict(items(self.sections.get("Args", "")))

    @property
    def examples(self) -> list[doctest.Example]:
        """The statements of the example, with their output."""
        return doctest.DocTestParser().get_examples(f"{self.sections.get('Example', '')}\n")


def parse(docstring: str | None) -> Docstring:
    """Split a docstring into its sections."""
    found: dict[str, list[str]] = {"": []}
    section = ""
    for line in cleandoc(docstring or "").splitlines():
        if heading := _SECTION.fullmatch(line):
            section = heading[1]
        found.setdefault(section, []).append("" if heading else line)
    texts = {name: cleandoc("\n".join(lines)).strip() for name, lines in found.items()}
    return Docstring(texts.pop(""), texts)


def items(section: str) -> Iterator[tuple[str, str]]:
    """Yield the names of a section with their descriptions; the name of a plain text is empty."""
    entry: list[str] = []
    for line in [*section.splitlines(), ""]:
        if entry and not line.startswith(" "):
            yield _item(" ".join(entry))
            entry = []
        if line:
            entry.append(line.strip())


def _item(text: str) -> tuple[str, str]:
    found = _ITEM.fullmatch(text)
    return (found[1], found[2]) if found else ("", text)


def markdown(docstring: Docstring) -> Iterator[str]:
    """Write a docstring as paragraphs, lists and a block of Python."""
    yield docstring.text
    for name, title in (("Args", "Arguments"), ("Returns", "Returns"), ("Raises", "Raises")):
        section = docstring.sections.get(name)
        if not section:
            continue
        found = list(items(section))
        if any(each for each, _ in found):
            yield f"{title}:\n\n" + "\n".join(f"- `{each}`: {text}" for each, text in found)
        else:
            yield f"{title} {' '.join(text for _, text in found)}"
    if docstring.examples:
        yield f"```python\n{_code(docstring.examples)}```"


def _code(examples: list[doctest.Example]) -> str:
    """Write an example without prompts, in the format of `make fmt`; output becomes comments."""
    code, gap = "", ""
    for each in examples:
        is_import = each.source.startswith(("import ", "from "))
        if gap == "\n":  # behind an import
            is_block = each.source.startswith(("class ", "def ", "async def ", "@"))
            gap = "" if is_import else "\n\n" if is_block else gap
        code += gap + each.source
        code += "".join(f"# {line}\n" for line in _printed(each))
        is_block = each.source.rstrip().splitlines()[-1].startswith(" ")
        gap = "\n\n" if is_block else "\n" if is_import else ""
    return code


def _printed(example: doctest.Example) -> list[str]:
    """Return the lines that a statement prints; of a traceback, the exception alone."""
    lines = example.want.splitlines()
    return lines[-1:] if example.exc_msg else lines


@cache
def constants(module: Path) -> dict[str, tuple[str, str]]:
    """Find the assignments of a module, with the docstrings below them, which Python discards.

    Returns:
        name → the source of its value, and its docstring or an empty text.
    """
    return _assigned(ast.parse(module.read_text(encoding="utf-8")).body)


@cache
def attributes(module: Path, class_name: str) -> dict[str, tuple[str, str]]:
    """Find the attributes that a class declares, in the same form as `constants`."""
    for statement in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.ClassDef) and statement.name == class_name:
            return _assigned(statement.body)
    return {}


def _assigned(body: list[ast.stmt]) -> dict[str, tuple[str, str]]:
    found = {}
    for statement, after in itertools.pairwise([*body, ast.Pass()]):
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name, value = statement.targets[0].id, ast.unparse(statement.value)
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            name, value = statement.target.id, ast.unparse(statement.annotation)
        else:
            continue
        found[name] = (value, _text(after))
    return found


def _text(statement: ast.stmt) -> str:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return cleandoc(str(statement.value.value))
    return ""
