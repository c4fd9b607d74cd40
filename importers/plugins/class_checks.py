"""What keeps an importer class from being switched on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from importers.sdk.header import IGNORED, column_name
from importers.sdk.version import unfit

if TYPE_CHECKING:
    from importers.sdk.importer import Importer


def faults_of(importer_class: type[Importer]) -> list[str]:
    """List what is wrong with a class, whatever files and settings it gets."""
    faults = [fault] if (fault := unfit(importer_class.sdk)) else []
    if not isinstance(importer_class.label, str):
        faults.append(f"its label must be a text, not {importer_class.label!r:.80}")
    elif not importer_class.label:
        faults.append("the class has no label")
    if not importer_class.columns:
        faults.append("the class has no columns")
    names = [*importer_class.columns, *importer_class.assignments]
    faults += [
        f"a column can't be called '{name}'"
        for name in names
        if name == "number" or name in IGNORED
    ]
    return faults + [
        f"a column can't be called '{name}': use small letters"
        for name in names
        if name != column_name(name)
    ]
