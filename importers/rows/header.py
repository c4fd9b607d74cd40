"""Matches a file's header with the columns of its import type."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from importers.reading.delimited import DELIMITERS
from importers.reading.workbooks.sheet_address import column_letters
from importers.rows.header_mapping import IGNORED, HeaderMapping, quoted_names
from importers.sdk.cell_note import shown_text
from importers.sdk.changes import EFFECTS
from importers.sdk.columns import column_name
from importers.sdk.errors import ErrorDetail, FileRefusedError, alternatives

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from importers.reading.record import Record
    from importers.sdk.changes import AtWorst
    from importers.sdk.importer import Importer

# difflib may take quadratic time, and a name in a header may be as long as a client likes.
_MAX_GUESSED = 64
_ANY_DELIMITER = re.compile(f"[{''.join(DELIMITERS)}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderSpec:
    """Which columns the files of one type have.

    Args:
        key: the type's key, such as `remove`.
        label: the type's label in menus, such as `Remove users assigned to cases`.
        columns: column name → whether the file must have it; in the order of the sample file.
        at_worst: what a row may do. A file is never said to look like one of a type that does
            worse than its own: an admin who forgot a column must not be led to a removal.
        aliases: other names of columns → the columns.
        headers: columns → their names as the sample file writes them, where these differ.
        ignores_others: whether a file may have columns that are not the type's.
        has_groups: whether rows are judged together, so that a file may not leave out any.
    """

    key: str
    label: str
    columns: Mapping[str, bool]
    at_worst: AtWorst = "adds"
    aliases: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    ignores_others: bool = False
    has_groups: bool = False

    def read(self, names: Iterable[str]) -> list[str]:
        """Return which columns are meant by the names of a header; unknown ones stay."""
        return [self.aliases.get(name, name) for name in names]

    def written(self, column: str) -> str:
        """Return a column's name as the sample file has it."""
        return self.headers.get(column, column)


_AS_WRITTEN = HeaderMapping()


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderColumn:
    """A name in a file's header, and what it means.

    Args:
        name: as the file has it.
        column: the type's column of which the cells below are.
        is_ignored: whether the cells below are passed over.
        suggestion: the column that an unknown name probably means.
    """

    name: str
    column: str | None
    is_ignored: bool
    suggestion: str | None


def header_spec(importer: Importer) -> HeaderSpec:
    """Describe the header that the importer's files have."""
    columns = importer.columns.values()
    return HeaderSpec(
        key=importer.key,
        label=importer.label,
        columns={column.public_name: column.required for column in columns},
        at_worst=importer.every_row.kind._at_worst if importer.every_row else importer.at_worst,
        aliases={
            column_name(each): column.public_name
            for column in columns
            for each in column.headers[1:]
        },
        headers={column.public_name: column.header for column in columns},
        ignores_others=importer.other_columns == "ignore",
        has_groups=importer.group_by is not None,
    )


def match_header(
    header: Sequence[str],
    spec: HeaderSpec,
    others: Sequence[HeaderSpec],
    *,
    mapping: HeaderMapping = _AS_WRITTEN,
    below: Sequence[Record] = (),
    first_column: int = 0,
) -> dict[str, int]:
    """Find each column's place in the file's rows.

    A header that lacks a required column of its type but fits another type is refused with the
    single error `WRONG_TYPE`, which names the missing column first. A header that fits but has no
    column that the type could change, and is the whole header of another type, lacks these columns:
    without them the file would do nothing.

    Args:
        header: the file's column names, in its order.
        spec: the type that the file was uploaded as.
        others: types that the file may have been meant for; may include `spec`.
        mapping: what the upload says of the header.
        below: the rows below it, of which one may be the header that was meant.
        first_column: index of its first column in the sheet.

    Returns:
        Column name → index in a row, for the columns that the file has.

    Raises:
        FileRefusedError: with every problem, in the order of the file, missing columns last.
    """
    plain = mapping.names(header)
    names = spec.read(plain)
    other_specs = [other for other in others if other.key != spec.key]
    absent = _absent_names(names, spec)
    if absent and (row := _header_below(below, spec)):
        raise FileRefusedError([_not_first(row)])
    if unknown := mapping.absent(header):
        raise FileRefusedError([_no_such_header(name, header) for name in unknown])
    if absent and (meant := _nearest_specs(plain, other_specs, spec.at_worst)):
        raise FileRefusedError([_wrong_type(absent, spec, meant)])
    problems = _column_errors(header, names, spec, other_specs, first_column)
    has_unknown = bool(_unknown_names(names, spec))
    problems += [_missing_column(name, spec, has_unknown=has_unknown) for name in absent]
    if not problems and any(
        set(other.read(plain)) - IGNORED == set(other.columns) for other in other_specs
    ):
        problems += _nothing_to_do(names, spec)
    # An export has the column of errors alone, and all rows.
    if spec.has_groups and not problems and IGNORED.issubset(names):
        problems.append(_only_failed_rows(spec))
    if problems:
        raise FileRefusedError(problems)
    return {name: index for index, name in enumerate(names) if name in spec.columns}


def describe_header(
    header: Sequence[str], spec: HeaderSpec, mapping: HeaderMapping
) -> list[HeaderColumn]:
    """Say what each name in a header means, whether or not the header fits the type."""
    names = spec.read(mapping.names(header))
    unknown = set(_unknown_names(names, spec))
    return [
        HeaderColumn(
            name=written,
            column=name if name in spec.columns else None,
            is_ignored=name in IGNORED or (name not in spec.columns and spec.ignores_others),
            suggestion=_nearest_column(name, names, spec) if name in unknown else None,
        )
        for written, name in zip(header, names, strict=True)
    ]


def missing_columns(header: Sequence[str], spec: HeaderSpec, mapping: HeaderMapping) -> list[str]:
    """Return the columns that the type needs and the header lacks."""
    return _absent_names(spec.read(mapping.names(header)), spec)


def find_spec(header: Sequence[str], specs: Sequence[HeaderSpec]) -> HeaderSpec | None:
    """Find the one type that a header fits best, unless it removes: that is an admin's to say."""
    fitting = _nearest_specs([column_name(name) for name in header], specs, "removes")
    is_sure = len(fitting) == 1 and fitting[0].at_worst != "removes"
    return fitting[0] if is_sure else None


def _header_below(below: Sequence[Record], spec: HeaderSpec) -> int | None:
    """Return the number of the first row that could be the header."""
    for number, cells in below:
        # Below a title, a file's delimiter may be another one than was found from the title.
        written = _ANY_DELIMITER.split(cells[0]) if len(cells) == 1 else map(shown_text, cells)
        if not _absent_names(spec.read(map(column_name, written)), spec):
            return number
    return None


def _not_first(row: int) -> ErrorDetail:
    return ErrorDetail.of(
        "HEADER_NOT_FIRST",
        "The header seems to be in row {row}, and there is something else above it. "
        "Delete the rows above the header.",
        row=row,
    )


def _unknown_names(names: Iterable[str], spec: HeaderSpec) -> list[str]:
    known = {*spec.columns, *IGNORED, ""}
    return [name for name in dict.fromkeys(names) if name not in known]


def _absent_names(names: Iterable[str], spec: HeaderSpec) -> list[str]:
    return [name for name, is_required in spec.columns.items() if is_required and name not in names]


def _nearest_specs(
    names: Sequence[str], others: Sequence[HeaderSpec], at_worst: AtWorst
) -> list[HeaderSpec]:
    """Return, of the types that the header fits, those of which it leaves out fewest columns.

    None does worse than `at_worst`, which is what the header's own type does.
    """
    fitting = {
        other.key: len(set(other.columns) - set(meant))
        for other in others
        if EFFECTS.index(other.at_worst) <= EFFECTS.index(at_worst)
        for meant in [other.read(names)]
        if not (_unknown_names(meant, other) or _absent_names(meant, other))
    }
    best = min(fitting.values(), default=0)
    return [other for other in others if fitting.get(other.key) == best]


def _wrong_type(
    absent: Sequence[str], spec: HeaderSpec, meant: Sequence[HeaderSpec]
) -> ErrorDetail:
    noun = "column" if len(absent) == 1 else "columns"
    types, labels = _labels(meant)
    return ErrorDetail.of(
        "WRONG_TYPE",
        "*{type}* needs the " + noun + " {columns}, and the file looks like " + types + ". "
        "Add what is missing, or choose the other type.",
        suggestion=meant[0].key if len(meant) == 1 else None,
        type=spec.label,
        columns=quoted_names(list(map(spec.written, absent))),
        **labels,
    )


def _missing_column(name: str, spec: HeaderSpec, *, has_unknown: bool) -> ErrorDetail:
    advice = "Add it to the header row."
    if has_unknown:
        advice = "Add it to the header row, or say at the upload which column it is."
    return ErrorDetail.of(
        "MISSING_COLUMN",
        "The column '{name}' is missing, and *{type}* needs it. " + advice,
        column=name,
        name=spec.written(name),
        type=spec.label,
    )


def _nothing_to_do(names: Sequence[str], spec: HeaderSpec) -> list[ErrorDetail]:
    """Refuse a header without any column that the type could change."""
    optional = [name for name, is_required in spec.columns.items() if not is_required]
    if not optional or not set(names).isdisjoint(optional):
        return []
    return [
        ErrorDetail.of(
            "MISSING_COLUMN",
            "*{type}* would find nothing to do in the file. Add a column that says what to change, "
            "such as '{name}', to the header row.",
            column=optional[-1],
            name=spec.written(optional[-1]),
            type=spec.label,
        )
    ]


def _only_failed_rows(spec: HeaderSpec) -> ErrorDetail:
    return ErrorDetail.of(
        "ONLY_FAILED_ROWS",
        "The file has the columns 'row' and 'errors' of a download of failed rows, and *{type}* "
        "looks at rows together: those that have passed are missing. Correct the failed rows in "
        "the import itself, or upload the whole file, without the column 'row'.",
        column="row",
        type=spec.label,
    )


def _labels(specs: Sequence[HeaderSpec]) -> tuple[str, dict[str, str]]:
    return alternatives("type", [spec.label for spec in specs], "*{}*")


def _column_errors(
    header: Sequence[str],
    names: Sequence[str],
    spec: HeaderSpec,
    others: Sequence[HeaderSpec],
    first: int,
) -> list[ErrorDetail]:
    """Return the errors of the columns that the file has, in its order."""
    counts = Counter(names)
    unknown = set() if spec.ignores_others else set(_unknown_names(names, spec))
    problems = []
    for index, (written, name) in enumerate(zip(header, names, strict=True)):
        if not name and not spec.ignores_others:
            template = "Column {letters} has no name. Name it in the header row, or remove it."
            letters = column_letters(first + index)
            problems.append(ErrorDetail.of("UNNAMED_COLUMN", template, letters=letters))
        # Each problem once, at the first column of the name.
        elif name in unknown and names.index(name) == index:
            problems.append(_unknown_column(written, index, names, spec, others, first=first))
        elif counts[name] > 1 and name in spec.columns and names.index(name) == index:
            problems.append(_duplicate_column(name, spec, first, names))
    return problems


def _unknown_column(
    written: str,
    index: int,
    names: Sequence[str],
    spec: HeaderSpec,
    others: Sequence[HeaderSpec],
    *,
    first: int,
) -> ErrorDetail:
    name = names[index]
    near = _nearest_column(name, names, spec)
    owners = [
        other
        for other in others
        if other.aliases.get(name, name) in other.columns
        and _count_known(names, other) > _count_known(names, spec)
        and EFFECTS.index(other.at_worst) <= EFFECTS.index(spec.at_worst)
    ]
    known = ", ".join(map(spec.written, spec.columns))
    params: dict[str, str | int] = {"type": spec.label, "columns": known}
    advice = (
        ". The columns of *{type}* are {columns}: rename it or remove it, or say at the upload "
        "which of them it is, or that it is to be ignored."
    )
    if near:
        params, advice = {}, "; did you mean '{suggestion}'?"
    elif owners:
        types, labels = _labels(owners)
        params = {"type": spec.label, **labels}
        # Not "remove it": a file that assigns would become one that removes.
        advice = " to *{type}*. It is a column of " + types + ": is this the right type?"
    return ErrorDetail.of(
        "UNKNOWN_COLUMN",
        "Column {letters}, '{name}', is not known" + advice,
        column=name[:100],
        value=written[:100],
        suggestion=spec.written(near) if near else None,
        letters=column_letters(first + index),
        name=written[:100],
        **params,
    )


def _count_known(names: Sequence[str], spec: HeaderSpec) -> int:
    return sum(name in spec.columns for name in spec.read(names))


def _nearest_column(name: str, names: Sequence[str], spec: HeaderSpec) -> str | None:
    """Return the column that a name in the header probably means."""
    if len(name) > _MAX_GUESSED:
        return None
    free = [known for known in spec.columns if known not in names]
    return next(iter(difflib.get_close_matches(name, free, n=1)), None)


def _no_such_header(name: str, header: Sequence[str]) -> ErrorDetail:
    return ErrorDetail.of(
        "NO_SUCH_HEADER",
        "The upload says what the column '{name}' is, and the file has no such column; it has "
        "{header}.",
        value=name[:100],
        name=name[:100],
        header=quoted_names(header),
    )


def _duplicate_column(name: str, spec: HeaderSpec, first: int, names: Sequence[str]) -> ErrorDetail:
    places = [column_letters(first + index) for index, other in enumerate(names) if other == name]
    every = "both" if len(places) == 2 else "all"
    return ErrorDetail.of(
        "DUPLICATE_COLUMN",
        "The columns {letters} and {last} are " + every + " '{name}'. Keep one of them.",
        column=name,
        letters=", ".join(places[:-1]),
        last=places[-1],
        name=spec.written(name),
    )
