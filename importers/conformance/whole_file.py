"""Whether an importer that looks at files as a whole lets the sample file pass, and never fails."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from importers.conformance.problem import Problem
from importers.conformance.subject import listening
from importers.rows.cell_reader import ReadRow
from importers.rows.layout import Layout
from importers.sdk.errors import FileRefusedError
from importers.split.file_check import checks_files
from importers.testkit.memory_runner import check_in_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from importers.conformance.subject import Subject

_COPE = (
    "`check_file` returns a list of RowError, or nothing, whatever the file: there may be no row"
    " whose cells are all right."
)
_SAMPLE = "Say with world= on what data the sample file passes, or give the columns other examples."


def check_whole_file(subject: Subject) -> Iterator[Problem]:
    """Show it the sample file, and a file of one row that can't be read."""
    if not checks_files(subject.importer):
        return
    files = {
        "check_file, the sample file": list(subject.sample),
        "check_file, a file whose only row is too long": ["x"] * (len(subject.sample) + 1),
    }
    layout = Layout(
        positions={name: place for place, name in enumerate(subject.names)},
        width=len(subject.names),
    )
    for where, cells in files.items():
        try:
            with listening() as causes:
                rows = [ReadRow(2, cells)]
                asyncio.run(check_in_memory(subject.importer, subject.world, layout, rows))
        except FileRefusedError as error:
            if causes:
                yield Problem(where, f"it fails: {causes[0]}", _COPE)
            elif len(cells) == len(subject.sample):
                yield Problem(where, f"it is refused: {error}", _SAMPLE)
