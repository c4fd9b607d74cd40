"""Whether an importer copes with cells: blank ones and unusual ones."""

from __future__ import annotations

import math
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from importers.conformance.hostile import HOSTILE
from importers.conformance.problem import Problem, quote_shortest
from importers.sdk.references import Reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from importers.conformance.subject import Ran, Subject
    from importers.sdk.columns import Column
    from importers.sdk.importer import Importer

_LONGEST_MESSAGE = 600
SENTENCE = "Say what is wrong and what to do, and end with a full stop."
# Zeros of the fullwidth, Arabic-Indic and Devanagari digits, for which `str.isdigit` holds and
# `int` works.
_DIGITS = ("\uff10", "\u0660", "\u0966")
# Python reads all of these as floats, the last one as infinity.
_NO_NUMBERS = ("nan", "inf", "-Infinity", "1e999999")


def check_blank_cells(subject: Subject) -> Iterator[Problem]:
    """Leave each column's cell blank, then the whole column out."""
    for name, column in subject.importer.columns.items():
        blank = subject.run({2: subject.with_cell(name, "")})
        where = f"column {name!r}, left blank"
        if column.required:
            if [(error["column"], error["code"]) for error in blank.only.errors] != [
                (column.public_name, "REQUIRED")
            ]:
                yield Problem(
                    where,
                    f"a required cell is blank, and the row comes to {blank.only}",
                    "The row has to fail with the one error REQUIRED, on this column; leave that to"
                    " Column.read.",
                )
            continue
        missing = subject.run({2: subject.sample}, without=name)
        yield from _check_crash(where, blank, "Its value is the column's default, or None.")
        if blank.only != missing.only:
            yield Problem(
                where,
                f"the row comes to {blank.only}; in a file without the column, to {missing.only}",
                "A column that is not in the file means the same as a blank cell.",
            )
    cells = zip(subject.importer.columns.values(), subject.sample, strict=True)
    bare = subject.run({2: tuple(cell if column.required else "" for column, cell in cells)})
    yield from _check_crash(
        "all columns that are not required, left blank",
        bare,
        "Their values are the columns' defaults, or None.",
    )


def _check_crash(where: str, ran: Ran, hint: str) -> Iterator[Problem]:
    if ran.only.crashes:
        yield Problem(where, f"the plugin fails: {ran.cause}", hint)


def check_hostile_cells(subject: Subject) -> Iterator[Problem]:
    """Try unusual cells in each column, one by one and all in one file."""
    for name, column in subject.importer.columns.items():
        found: dict[tuple[str, str], list[str]] = defaultdict(list)
        crashes: dict[str, tuple[Ran, list[str]]] = {}
        rows = [subject.with_cell(name, cell) for cell in HOSTILE]
        for cell, ran in zip(HOSTILE, subject.run_each({2: row} for row in rows), strict=True):
            if ran.only.crashes:
                crashes.setdefault(ran.cause.place, (ran, []))[1].append(cell)
            for problem in _malformed(subject.importer, ran.only.errors):
                found[problem].append(cell)
        for ran, cells in crashes.values():
            yield Problem(f"column {name!r}, cell {quote_shortest(cells)}", *_crash(ran))
        for (what, hint), cells in found.items():
            yield Problem(f"column {name!r}, cell {quote_shortest(cells)}", what, hint)
        # Together in one file, the cells reach `resolve` in a single call.
        whole = subject.run(dict(enumerate(rows, 2)))
        if not crashes and any(outcome.crashes for outcome in whole.rows.values()):
            yield Problem(f"column {name!r}, a file of {len(rows)} odd cells", *_crash(whole))
        # What a key may look like is for its look-up to say.
        if not isinstance(column, Reference):
            yield from _check_numbers(f"column {name!r}", column)


def _crash(ran: Ran) -> tuple[str, str]:
    errors = [error for outcome in ran.rows.values() for error in outcome.crashes]
    hint = (
        "What can't be read has to end in RowError(None, code, message), raised by `parse` or"
        " given by `unknown`."
        if errors[0]["column"]
        else "`change` and what it calls have to cope with every value that the columns let"
        " through, or raise RowError(column, code, message)."
    )
    return f"the plugin fails: {ran.cause}", hint


def _malformed(
    importer: Importer, errors: Iterable[Mapping[str, Any]]
) -> Iterator[tuple[str, str]]:
    """Find errors that clients can't show, with what to do about it."""
    labels = {column.public_name: column.label for column in importer.columns.values()}
    for error in errors:
        code, message, column = error["code"], error["message"], error["column"]
        name = f"the error {code!r:.80}"
        if column is not None and column not in labels:
            yield (
                f"{name} is on {column!r:.80}, which is no column",
                f"Name one of {', '.join(importer.columns)}, or None for the row as a whole.",
            )
            continue
        label = f"{labels[column]}: " if column else ""
        if len(message) > _LONGEST_MESSAGE:
            what = f"{name} has a message of more than {_LONGEST_MESSAGE} characters"
            yield what, "Cut the cell in it short."
        elif not is_sentence(message.removeprefix(label)):
            yield f"{name} has a message that is no sentence on one line", SENTENCE
        if not isinstance(error["suggestion"], str | None) or error["suggestion"] == "":
            what = f"{name} suggests {error['suggestion']!r:.80}"
            yield what, "A suggestion is what the cell should hold, a text, or None."


def is_sentence(text: object) -> bool:
    """Tell whether a message is one line that ends as a sentence does."""
    is_line = isinstance(text, str) and text.splitlines() == [text.strip()]
    return is_line and str(text)[-1] in ".?!"


def _check_numbers(where: str, column: Column[Any]) -> Iterator[Problem]:
    """Find columns that read a number where a database, or another column, reads none."""
    for cell in _NO_NUMBERS:
        value = _value_or_none(column, cell)
        if isinstance(value, float | Decimal) and not math.isfinite(value):
            yield Problem(
                f"{where}, cell {cell!r}",
                f"it is read as the number {value!r}",
                "Refuse what math.isfinite does not hold for.",
            )
            break
    for plain in (column.example or "", "12", "1"):
        for zero in _DIGITS:
            other = plain.translate({ord("0") + n: chr(ord(zero) + n) for n in range(10)})
            value = _value_or_none(column, other)
            if other != plain and value is not None and value == _value_or_none(column, plain):
                yield Problem(
                    f"{where}, cell {other!a}",
                    f"it is read as {value!r}, like {plain!r}",
                    "Digits are 0 to 9 alone: test text.isascii() as well as text.isdigit().",
                )
                return


def _value_or_none(column: Column[Any], cell: str) -> Any:
    try:
        return column.read(cell)
    except Exception:
        return None
