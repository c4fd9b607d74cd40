"""The reference of the SDK: a page of Markdown, made of its docstrings.

`python -m scripts.sdk_reference` prints it.
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import importers
from importers import testing
from importers.sdk import changes
from importers.testkit import fixture_app
from models import assignment
from scripts import docstring

if TYPE_CHECKING:
    from collections.abc import Iterator

_INTRODUCTION = """\
# The SDK, name by name

Everything that `importers` and `importers.testing` offer. To begin, read
[how an importer is written](writing-an-importer.md). In the examples everything is imported:

```python
from dataclasses import dataclass

from importers import *
from importers.testing import *
```
"""

GROUPS = {
    "The importer": [
        *["Plugin", "Importer", "Row", "FileRows", "FailedRow", "EveryRow", "AssignmentOf"],
        "AssignmentsOf",
        "SDK_VERSION",
    ],
    "Columns": [
        *[
            "Column",
            "Flag",
            "Choice",
            "State",
            "Date",
            "Email",
            "TagId",
            "Locale",
            "Name",
            "TimeZone",
        ],
        *["Number", "Amount", "Money", "Currency", "Country", "Phone", "Url", "Choices"],
        *["Blank", "setting"],
    ],
    "References": ["CaseRef", "UserRef", "RoleRef", "Reference"],
    "What rows ask for": [
        *["Assign", "Modify", "Remove", "AddUser", "ModifyUser", "AddCase", "ModifyCase"],
        *["Unchanged", "Change"],
    ],
    "Tables of your own": ["Record", "SetRecord", "AddRecord", "ModifyRecord", "RemoveRecord"],
    "Changes of your own": ["OwnChange", "Transaction", "Applied", "Difference", "Refused"],
    "Validators": ["Validator", "Effect", "ValidatorDirectory", "RunningImport"],
    "Readers": ["Reader"],
    "What is stored": ["Case", "User", "Role", "Assignment", "PresentAssignment", "Directory"],
    "Errors": ["RowError", "FileError"],
    "Testing": [
        *["check_importer", "run_importer", "check_conformance", "check_validator", "check_reader"],
        *["World", "Assigned"],
    ],
}
"""Heading → the public names below it."""

_LINE = 90
_LONGEST_DEFAULT = 40


class Member(NamedTuple):
    """A public method, property or attribute of a class.

    Args:
        form: how it is written, e.g. `change(row: Row) -> …`.
    """

    name: str
    form: str
    doc: docstring.Docstring


def find(name: str) -> Any:
    """Return the object with this public name."""
    return getattr(importers, name, None) or getattr(testing, name)


def doc_of(name: str) -> docstring.Docstring:
    """Return the docstring of a public name."""
    thing = find(name)
    is_code = inspect.isclass(thing) or inspect.isfunction(thing)
    return docstring.parse(thing.__doc__ if is_code else _constant(name)[1])


def members(cls: type) -> list[Member]:
    """Return the members that a class declares itself and no public base class has."""
    known = {name for base in _public_bases(cls) for name in dir(base)}
    declared = docstring.attributes(_file(cls), cls.__name__)
    documented = docstring.parse(cls.__doc__).args
    found = [
        Member(name, f"{name}: {_type(annotation)}".replace("'", '"'), docstring.parse(text))
        for name, (annotation, text) in declared.items()
        if text and not name.startswith("_") and name not in known
    ]
    for name, value in vars(cls).items():
        if name.startswith("_") or name in known or name in declared or name in documented:
            continue
        mark, function = "", value
        if isinstance(value, property):
            mark, function = "@property\n", value.fget
        elif isinstance(value, classmethod):
            mark, function = "@classmethod\n", value.__func__
        if inspect.isfunction(function):
            form = f"{mark}{_form(function, name, is_defined=True)}"
            found.append(Member(name, form, docstring.parse(function.__doc__)))
    return found


def page() -> str:
    """Write the reference."""
    parts = [_INTRODUCTION, _contents()]
    for heading, names in GROUPS.items():
        parts.append(f"## {heading}")
        for name in names:
            parts += [f"### `{name}`", *_written(name)]
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def _contents() -> str:
    return "\n".join(
        f"- **{heading}**: {', '.join(map(_link, names))}" for heading, names in GROUPS.items()
    )


def _written(name: str) -> Iterator[str]:
    thing = find(name)
    yield _block(_heading(name))
    if inspect.isclass(thing):
        yield _kind(thing)
    yield from _linked(docstring.markdown(doc_of(name)), name)
    if inspect.isclass(thing):
        for member in members(thing):
            yield f"#### `{name}.{member.name}`"
            yield _block(member.form)
            yield from _linked(docstring.markdown(member.doc), name)


def _kind(cls: type) -> str:
    """Name the public base class, and the class that documents the inherited arguments."""
    bases = _public_bases(cls)
    if not bases:
        return ""
    base, root = _link(bases[0].__name__), _link(bases[-1].__name__)
    if "**options" not in _heading(cls.__name__):
        return f"A kind of {base}."
    takes = "whose arguments it takes" if base == root else f"which takes the arguments of {root}"
    return f"A kind of {base}, {takes}."


def _heading(name: str) -> str:
    thing = find(name)
    if inspect.isfunction(thing):
        return _form(thing, name)
    if not inspect.isclass(thing):
        return f"{name} = {_type(_constant(name)[0])}".replace("'", '"')
    maker = next(base for base in thing.__mro__ if "__init__" in vars(base))
    is_own = maker is thing or maker.__name__.startswith("_")
    if is_own and not getattr(thing, "_is_protocol", False):
        return _form(thing, name)
    return f"{name}(**options)" if issubclass(thing, importers.Column) else f"class {name}"


def _form(function: Any, name: str, *, is_defined: bool = False) -> str:
    """Write how a function is called, on several lines if one would be too long.

    Args:
        is_defined: write the definition instead, for classes that override it.
    """
    signature = inspect.signature(function)
    given = [*signature.parameters.values()]
    answer = "" if inspect.isclass(function) else f" -> {_type(signature.return_annotation)}"
    arguments: list[str] = []
    kind: Any = inspect.Parameter.POSITIONAL_OR_KEYWORD
    for each in given:
        if each.kind is each.KEYWORD_ONLY and kind not in (each.KEYWORD_ONLY, each.VAR_POSITIONAL):
            arguments.append("*")
        arguments.append(_argument(each))
        kind = each.kind
    start = f"def {name}" if is_defined else name
    start = f"async {start}" if inspect.iscoroutinefunction(function) else start
    line = f"{start}({', '.join(arguments)}){answer}"
    if len(line) > _LINE:
        listed = "".join(f"    {argument},\n" for argument in arguments)
        line = f"{start}(\n{listed}){answer}"
    return line.replace("'", '"')


def _argument(parameter: inspect.Parameter) -> str:
    is_many = parameter.kind is parameter.VAR_POSITIONAL
    text = f"*{parameter.name}" if is_many else parameter.name
    if parameter.kind is parameter.VAR_KEYWORD:
        return f"**{text}"
    if parameter.annotation is not parameter.empty:
        text += f": {_type(parameter.annotation)}"
    if parameter.default is not parameter.empty:
        default = repr(parameter.default)
        is_short = len(default) <= _LONGEST_DEFAULT and not default.startswith("<")
        text += f" = {default if is_short else '…'}"
    return text


def _type(annotation: Any) -> str:
    """Write a type as in the code, with aliases that are not public spelt out."""
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    text = re.sub(r"^ClassVar\[(.*)\]$", r"\1", text)
    text = re.sub(r"(?<!['\"])\b[A-Z]\w*\b", lambda found: _alias(found[0]), text)
    return re.sub(r"'([^']*\[[^']*)'", r"\1", text)


def _alias(name: str) -> str:
    if name in importers.__all__:
        return name
    for module in (changes, fixture_app, testing, assignment):
        if value := docstring.constants(Path(module.__file__ or "")).get(name):
            return _type(value[0])
    return name


def _constant(name: str) -> tuple[str, str]:
    for path in sorted(Path(importers.__file__).parent.glob("sdk/*.py")):
        if found := docstring.constants(path).get(name):
            return found
    raise LookupError(name)


def _file(cls: type) -> Path:
    return Path(sys.modules[cls.__module__].__file__ or "")


def _public_bases(cls: type) -> list[type]:
    names = (*importers.__all__, *testing.__all__)
    return [base for base in cls.__mro__[1:] if base.__name__ in names]


def _block(code: str) -> str:
    return f"```python\n{code}\n```"


def _link(name: str) -> str:
    return f"[`{name}`](#{name.lower().replace('.', '')})"


def _linked(parts: Iterator[str], own: str) -> Iterator[str]:
    """Link public names, except the one that the text describes."""
    names = [name for group in GROUPS.values() for name in group if name != own]
    pattern = re.compile(rf"(?<!\[)`((?:{'|'.join(names)})(?:\.\w+)?)`")
    for part in parts:
        yield part if part.startswith("```") else pattern.sub(lambda hit: _link(hit[1]), part)


if __name__ == "__main__":
    sys.stdout.write(page())
