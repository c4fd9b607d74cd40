"""What a reader's class lacks, and whether it can be copied into the process that runs it."""

from __future__ import annotations

import inspect
import pickle
from typing import TYPE_CHECKING

from importers.plugins.change_methods import signature_problems
from importers.sdk.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

_METHODS = {"takes": ("beginning", "name"), "rows": ("file",)}


def reader_problems(reader_class: type[Reader]) -> list[str]:
    """List why no file could be read."""
    problems = [problem for name in _METHODS for problem in _method_problems(reader_class, name)]
    if reader_class.migrations is not None:
        problems.append("it names migrations, but readers have no tables")
    return problems


def _method_problems(reader_class: type[Reader], name: str) -> Iterator[str]:
    method, arguments = getattr(reader_class, name), _METHODS[name]
    if method is getattr(Reader, name):
        yield f"the class needs a method {name}({', '.join(arguments)})"
    elif inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method):
        yield f"its {name} is async, and is not awaited"
    else:
        yield from signature_problems(reader_class, name, arguments)


def copy_problem(reader: Reader) -> str | None:
    """Return why the process that reads a file can't have the reader, or None if it can."""
    try:
        pickle.dumps(reader)
    except Exception as error:
        return (
            f"it can't be copied into the process that reads a file: {error}; define its class at "
            "the top of a module, and keep only plain values in it"
        )
    return None
