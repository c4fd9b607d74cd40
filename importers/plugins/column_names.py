"""Names of an importer's columns: those that Python, the SDK or the engine has taken."""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING, get_origin

from importers.rows.header_mapping import IGNORED
from importers.sdk.columns import Column, column_name
from importers.sdk.importer import Importer

if TYPE_CHECKING:
    from collections.abc import Iterator

# What importers have beside what their class defines: set by `Plugin.__init__`.
_OF_IMPORTERS = frozenset({*dir(Importer), "key", "settings"})


def name_problems(importer_class: type[Importer]) -> list[str]:
    """List what is wrong with the names of columns, as attributes and in files."""
    names = [*importer_class.columns, *importer_class.assignments]
    problems = [problem for name in names if (problem := _attribute_problem(name))]
    if (chosen := importer_class.other_columns) not in ("refuse", "ignore"):
        problems.append(f"its other_columns is {chosen!r:.80}, neither 'refuse' nor 'ignore'")
    return [*problems, *_header_problems(importer_class), *_no_instances(importer_class)]


def _no_instances(importer_class: type[Importer]) -> Iterator[str]:
    """Find columns that are the class itself, without the parentheses, which no file would have."""
    for name, value in vars(importer_class).items():
        kind = get_origin(value) or value
        is_column = isinstance(kind, type) and issubclass(kind, Column)
        if is_column and not kind.__qualname__.startswith(f"{importer_class.__qualname__}."):
            yield f"'{name}' is the class {kind.__name__}, and no column: write {kind.__name__}(…)"


def _attribute_problem(name: str) -> str | None:
    use = f"give it another name, and header='{name}'"
    if keyword.iskeyword(name) or not name.isidentifier():
        return f"a column can't be called '{name}', which is no name in Python: {use}"
    if name in _OF_IMPORTERS:
        return f"a column can't be called '{name}', as importers have one: {use}"
    if name == "number":
        return f"a column can't be called '{name}', as rows have one: {use}"
    return None


def _header_problems(importer_class: type[Importer]) -> Iterator[str]:
    taken: dict[str, str] = {}
    for attribute, column in importer_class.columns.items():
        if not isinstance(column, Column):
            yield f"the column '{attribute}' is no Column, but {column!r:.80}"
            continue
        if _attribute_problem(attribute) and not column.headers:
            continue
        if not column.headers and attribute != column_name(attribute):
            yield f"a column can't be called '{attribute}': use small letters, or give it a header"
            continue
        for header in column.headers or (attribute,):
            if not (isinstance(header, str) and header.strip() and header.isprintable()):
                yield f"the column '{attribute}' has the header {header!r:.80}, which is no text"
                continue
            name = column_name(header)
            if name in IGNORED:
                yield f"a column can't be called '{header}': downloads of failed rows have one"
            if (other := taken.setdefault(name, attribute)) != attribute:
                yield f"the columns '{other}' and '{attribute}' have the same header, '{header}'"
