"""Whether rows have the same outcome, however often a file comes and however it is split."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations, islice
from typing import TYPE_CHECKING

from importers.conformance.problem import Problem
from importers.sdk.importer import Importer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from importers.conformance.specimens import Specimens
    from importers.conformance.subject import Cells, File, Outcome, Subject
    from importers.sdk.changes import Key

_KEEP_NOTHING = (
    "An importer and its columns keep nothing between rows, and wish for the same every time: what"
    " depends on other rows is for `check_chunk`, what depends on what is there for `AssignmentOf`."
)
_MEMO = (
    "Rows that share a value of an `is_key` column may be in several chunks, one after another:"
    " let `check_chunk` remember in `memo` what it has to know of earlier ones."
)
_ANY_CHUNK = (
    "Rows without a value of an `is_key` column in common may be in any chunk: let `check_chunk`"
    " compare only rows that have one, or give the column is_key=True."
)

RowKeys = list[dict[int, int]]
"""Group keys by kind of key and row number."""


def check_repeats(subject: Subject, count: int) -> Iterator[Problem]:
    """Repeat the sample row many times, in two chunks: only the first may do anything.

    A group that is taken as a whole is in one chunk, and may be refused for its size.
    """
    if subject.importer.group_by is not None:
        return
    numbers, half = range(2, count + 2), count // 2 + 2
    rows = subject.run_chain(
        {number: subject.sample for number in numbers if number < half},
        {number: subject.sample for number in numbers if number >= half},
    )
    first = subject.sampled.only

    def repeats(row: Outcome) -> bool:
        if not first.asks:
            return row == first
        return row.outcome == "UNCHANGED" and "repeats row 2" in (row.message or "").split("; ")

    wrong = [number for number, row in rows.items() if number > 2 and not repeats(row)]
    if wrong:
        yield Problem(
            f"the sample row, {count:,} times",
            f"{len(wrong):,} rows don't repeat row 2: row {wrong[0]:,} comes to {rows[wrong[0]]}",
            "Files are mended and uploaded again: a row that says the same again is UNCHANGED,"
            ' "repeats row 2". Equal rows need equal `keys` and `wish`.',
        )


def check_independence(subject: Subject, rest: Specimens) -> list[Problem]:
    """Run rows again, in another order and without others: that must make no difference.

    Only the first difference is reported, as one mistake shows in several ways.
    """
    kinds = subject.group(rest.file)
    if parted := list(_parted_twins(subject, rest, kinds)):
        return parted
    groups = _connected_groups(rest.file, kinds)
    return list(islice(_differences(subject, rest, groups), 1))


def _differences(
    subject: Subject, rest: Specimens, groups: Sequence[Sequence[int]]
) -> Iterator[Problem]:
    """Run the rows in one way after another, each of which may make a difference."""
    file = rest.file
    sample = {2: file[2]}
    yield from _differing(
        sample, {2: subject.sampled.only}, rest.alone, "alone again", _KEEP_NOTHING
    )
    once = subject.run(file).rows
    yield from _differing(file, once, subject.run(file).rows, "again", _KEEP_NOTHING)
    ran = subject.run_each({number: file[number] for number in group} for group in groups)
    apart = {number: row for each in ran for number, row in each.rows.items()}
    how = "in a chunk without those that share no group key with it"
    # Only `check_chunk` sees other rows, `change_group` those of its group. Without the first,
    # a difference means that something was kept.
    looks_around = type(subject.importer).check_chunk is not Importer.check_chunk
    yield from _differing(file, once, apart, how, _ANY_CHUNK if looks_around else _KEEP_NOTHING)
    if looks_around:  # the second chunk of a chain knows the first by keys and memo alone
        numbers = sorted(file)
        first, second = numbers[: len(numbers) // 2], numbers[len(numbers) // 2 :]
        rows = subject.run_chain({n: file[n] for n in first}, {n: file[n] for n in second})
        yield from _differing(file, once, rows, "cut in two", _MEMO)
    rows = subject.run({n: file[n] for group in reversed(groups) for n in group}).rows
    yield from _differing(file, once, rows, "in another order", _KEEP_NOTHING)


def _differing(
    file: File, once: Mapping[int, Outcome], again: Mapping[int, Outcome], how: str, hint: str
) -> Iterator[Problem]:
    for number in file:
        if again[number] != once[number]:
            first, second = str(once[number]), str(again[number])
            if first == second:
                first, second = f"the wish {once[number].asks}", f"the wish {again[number].asks}"
            rows = f"in a file of {len(file)} rows" if len(file) > 1 else "alone"
            what = f"{rows} it comes to {first}; {how}, to {second}"
            yield Problem(f"row {_row_text(file[number])}", what, hint)
            return


def _parted_twins(subject: Subject, rest: Specimens, kinds: RowKeys) -> Iterator[Problem]:
    """Find rows that ask for the same thing and share no group key; a pair for each kind."""
    by_key: dict[Key, list[int]] = defaultdict(list)
    for number, outcome in rest.alone.items():
        for key in {key for keys, _ in outcome.asks for key in keys}:
            by_key[key].append(number)
    reported = set()
    for key, numbers in by_key.items():
        kind = key[0] if isinstance(key[0], str) else "assignment"
        for pair in combinations(numbers, 2):
            if kind in reported:
                break
            first, second = ({keys[number] for keys in kinds if number in keys} for number in pair)
            if not first.isdisjoint(second):
                continue
            reported.add(kind)
            rows = [rest.file[number] for number in pair]
            yield Problem(
                f"rows {_row_text(rows[0])} and {_row_text(rows[1])}",
                f"both speak of {key!r}, and share no group key: in a large file they come into"
                " different chunks, where nobody sees that the one repeats or contradicts the"
                " other",
                _remedy(subject, rows, key),
            )


def _remedy(subject: Subject, rows: Sequence[Cells], key: Key) -> str:
    """Say which column gives such rows different keys, and what it lacks."""
    columns = subject.importer.columns
    cells = dict(zip(subject.names, zip(*rows, strict=True), strict=True))
    words = {str(part).lower() for part in key[1:]}
    telling = [
        {name for name, pair in cells.items() if pair[number].lower() in words} for number in (0, 1)
    ]
    shared = [name for name, (one, other) in cells.items() if one and one == other]
    forgotten = [name for name in shared if name in telling[0] and not columns[name].is_key]
    if forgotten or not any(telling):
        names = " or ".join(map(repr, forgotten or [n for n in shared if not columns[n].is_key]))
        return f"The columns that `keys` are made of need is_key=True: set it on {names}."
    if named := telling[0] & telling[1]:
        names = " or ".join(map(repr, sorted(named)))
        return (
            f"`keys` takes both cells of the column {names} for one thing: its `group_key` has to"
            " name both alike, or its `parse` to make the same value of both; and it needs"
            " is_key=True."
        )
    return (
        "The columns that `keys` are made of need is_key=True; and one kind of key can't be made"
        " of two columns: give each its own kind, or make two rows of it."
    )


def _connected_groups(file: File, kinds: RowKeys) -> list[list[int]]:
    """Return the groups of rows that share group keys, directly or through others."""
    groups = {number: [number] for number in file}
    first: dict[int, int] = {}
    for keys in kinds:
        for number, key in keys.items():
            one, other = groups[first.setdefault(key, number)], groups[number]
            if one is not other:
                one += other
                groups |= dict.fromkeys(other, one)
    return list({id(group): sorted(group) for group in groups.values()}.values())


def _row_text(cells: Cells) -> str:
    return repr(",".join(cells))[:120]
