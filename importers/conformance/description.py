"""Whether an importer is described, and its sample file passes."""

from __future__ import annotations

import dataclasses
import io
from typing import TYPE_CHECKING, Any, cast

from importers.conformance.problem import Problem
from importers.plugins.loader import class_problems
from importers.plugins.sample_file import sample_csv, sample_filename
from importers.reading.limits import Limits
from importers.reading.table import open_table
from importers.rows.header import header_spec, match_header
from importers.sdk.errors import ConfigError, FileRefusedError
from importers.testkit.translations import as_entries, missing_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from importers.conformance.subject import Subject
    from importers.sdk.importer import Importer
    from importers.sdk.plugin import Plugin


def check_catalogues(plugin: Plugin) -> Iterator[Problem]:
    """Find texts that catalogues lack, and what is wrong with these."""
    try:
        missing = list(missing_texts(plugin))
    except ConfigError as error:
        yield from (Problem("the class", each) for each in error.problems)
        return
    if missing:
        what = f"they lack what the class says of itself:\n{as_entries(missing)}"
        yield Problem("its catalogues", what, "Copy these lines into them, and translate them.")


def settings_problem(plugin: Plugin) -> Iterator[Problem]:
    """Find settings that were not given."""
    kind = type(plugin).Settings
    if kind is None:
        return
    if not dataclasses.is_dataclass(cast("Any", kind)):
        yield Problem("settings", "Settings is not a dataclass", "Decorate it with @dataclass.")
    elif not isinstance(plugin.settings, kind):
        name = type(plugin).__name__
        yield Problem(
            "settings",
            f"they are {plugin.settings!r:.80}, not an instance of its Settings",
            f'Give an instance that has them: {name}("test", {name}.Settings(…)).',
        )


def check_description(importer: Importer) -> Iterator[Problem]:
    """Find what menus, help and header would lack."""
    for fault in class_problems(type(importer)):
        yield Problem("the class", fault, "Caseroll would not switch it on.")
    if not (type(importer).__doc__ or "").strip():
        hint = "Say in a sentence what its files are for."
        yield Problem("the class", "it has no docstring", hint)
    for name, column in importer.columns.items():
        where = f"column {name!r}"
        if not column.help:
            yield Problem(where, "it has no help", 'Say in a sentence what to fill in: help="…".')
        if column.required and not (column.example and column.in_sample):
            what = "it is required, and the sample file has no cell for it"
            yield Problem(where, what, 'Give one that passes: example="…".')


def check_sample(subject: Subject) -> Iterator[Problem]:
    """Find why the sample file would not pass as it is."""
    importer, sampled = subject.importer, subject.sampled.only
    try:
        data = io.BytesIO(sample_csv(importer).encode())
        name = sample_filename(importer.key)
        table = open_table(data, filename=name, encoding=None, limits=Limits())
        match_header(table.header, header_spec(importer), [])
    except FileRefusedError as error:
        yield Problem("the sample file", f"it is refused: {error}")
    if sampled.crashes:
        yield Problem(
            "the sample file",
            f"the importer fails on its row: {subject.sampled.cause}",
            "Mend that first; most checks need a sample file that passes.",
        )
    elif sampled.errors:
        yield Problem(
            "the sample file",
            f"its row fails: {sampled}",
            "Mend the examples of the columns, or say with world= what they name; most checks need"
            " a sample file that passes.",
        )
