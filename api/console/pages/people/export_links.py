"""Links to downloads of what a list shows, in the form of files that can be imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from api.console.visit import Visit


class ExportLinks(NamedTuple):
    """The downloads in the form of one import type.

    Args:
        label: the type's.
    """

    label: str
    csv: str
    workbook: str


def export_links(
    visit: Visit,
    noun: str,
    keys: Sequence[str],
    import_types: Sequence[Mapping[str, Any]],
    **filters: str | None,
) -> list[ExportLinks]:
    """Return the links for those of some import types that are switched on.

    Args:
        noun: of `api.files.export_nouns`.
        filters: parameters of the export, as of the list.
    """
    labels = {each["key"]: each["label"] for each in import_types}
    return [
        ExportLinks(
            label=labels[key],
            csv=visit.address(f"files/{noun}.csv", type=key, **filters),
            workbook=visit.address(f"files/{noun}.xlsx", type=key, **filters),
        )
        for key in keys
        if key in labels
    ]
