"""What keeps an importer class from being switched on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from importers.sdk.header import IGNORED, column_name
from importers.sdk.version import version_problem

if TYPE_CHECKING:
    from importers.sdk.importer import Importer


def class_problems(importer_class: type[Importer]) -> list[str]:
    """List what is wrong with a class, whatever files and settings it gets."""
    problems = [problem] if (problem := version_problem(importer_class.sdk)) else []
    if not isinstance(importer_class.label, str):
        problems.append(f"its label must be a text, not {importer_class.label!r:.80}")
    elif not importer_class.label:
        problems.append("the class has no label")
    if not importer_class.columns:
        problems.append("the class has no columns")
    names = [*importer_class.columns, *importer_class.assignments]
    problems += [
        f"a column can't be called '{name}'"
        for name in names
        if name == "number" or name in IGNORED
    ]
    return problems + [
        f"a column can't be called '{name}': use small letters"
        for name in names
        if name != column_name(name)
    ]
