"""Conformance: the checks that every importer, reader and validator must pass, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from importers.conformance.cells import check_blank_cells, check_hostile_cells
from importers.conformance.changes import check_own_changes
from importers.conformance.description import (
    check_catalogues,
    check_description,
    check_sample,
    settings_problem,
)
from importers.conformance.files import check_independence, check_repeats
from importers.conformance.groups import check_groups
from importers.conformance.present import check_present
from importers.conformance.problem import Problem, raise_problems
from importers.conformance.reader_files import check_reader_class, check_reader_files
from importers.conformance.refusals import check_refusals
from importers.conformance.specimens import specimens
from importers.conformance.speed import check_speed
from importers.conformance.subject import Subject
from importers.conformance.vetoes import check_vetoes
from importers.conformance.whole_file import check_whole_file
from importers.plugins.change_methods import change_problems
from importers.plugins.reader_checks import reader_problems
from importers.sdk.errors import ConfigError
from importers.testkit.fixture_app import World
from importers.testkit.local_reader import sample_of
from importers.testkit.memory_runner import P, instance_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from importers.sdk.importer import Importer
    from importers.sdk.reader import Reader
    from importers.sdk.validator import Validator


def check_conformance(
    importer: type[Importer] | Importer,
    *,
    world: World | None = None,
    validators: Sequence[Validator] = (),
    rows: int = 10_000,
    budget: float = 10.0,
) -> None:
    """Check that an importer keeps the rules of all importers.

    It is described, and its sample file passes. Blank cells, missing columns and unusual cells
    never make it fail, nor do any assignments that there are before. What its columns refuse fails
    the row. A repeated row changes nothing. Rows
    about the same thing share a group key; others have the same outcome alone, together and in any
    order. It is not much slower than `assign`, the importer that comes with Caseroll. Rows are made
    of the examples of the columns, and of what `world` holds. Not for use in a coroutine.

    Args:
        importer: the class, or an instance with its settings.
        world: what there is before; None for the default world. The sample file must pass on it.
        validators: those that judge the rows as well.
        rows: how many rows the largest file has.
        budget: how many times as long as `assign` it may compute for a row.

    Raises:
        AssertionError: with every problem found: what, where, and what to do.

    Example:
        >>> from importers.builtin.modify import ModifyAssignments
        >>> check_conformance(ModifyAssignments, rows=100)
    """
    name, made = _named_instance(importer)
    problems = [*settings_problem(made), *check_description(made), *check_catalogues(made)]
    can_run = made.columns and not any(change_problems(type(made)))
    if not can_run or any(problem.where == "settings" for problem in problems):
        raise_problems(name, problems)
    subject = Subject(made, world or World(), validators)
    problems += check_sample(subject)
    if not subject.sampled.only.crashes:
        problems += check_hostile_cells(subject)
    if not subject.sampled.only.errors:
        problems += check_refusals(subject)
        problems += check_present(subject)
        problems += check_whole_file(subject)
        problems += check_groups(subject)
        rest = specimens(subject)
        problems += check_blank_cells(subject)
        problems += check_own_changes(subject, rest)
        problems += check_independence(subject, rest)
        problems += check_repeats(subject, rows)
        problems += check_speed(subject, rows, budget)
    raise_problems(name, problems)


def check_validator(
    validator: type[Validator] | Validator,
    *,
    world: World | None = None,
) -> None:
    """Check that a validator keeps the rules of all validators.

    It is described. It lets any effect pass, of changes of every kind, new, repeated or taking
    away, or refuses it with a sound `RowError`. Its `check` changes nothing. Not for use in a
    coroutine.

    Args:
        validator: the class, or an instance with its settings.
        world: what there is; None for the default world.

    Raises:
        AssertionError: with every problem found: what, where, and what to do.

    Example:
        >>> from importers.builtin.users_per_case import UsersPerCase
        >>> check_validator(UsersPerCase("test", UsersPerCase.Settings(limit=1)))
    """
    name, made = _named_instance(validator)
    problems = [*settings_problem(made), *check_catalogues(made)]
    raise_problems(name, [*problems, *check_vetoes(made, world or World())])


def check_reader(reader: type[Reader] | Reader, file: str | bytes | Path, name: str = "") -> None:
    """Check that a reader keeps the rules of all readers.

    It is described, and can be copied into another process. It takes the sample file, and neither
    CSV text nor workbooks. It reads the sample, twice the same. The sample cut short, damaged and
    in other encodings, and files that no reader expects, are read or refused with a `FileError`;
    they neither make it fail nor last. Not for use in a coroutine.

    Args:
        reader: the class, or an instance with its settings.
        file: a sample of the files that it reads: its text, its bytes or its path.
        name: the sample's name; of a path, its own.

    Raises:
        AssertionError: with every problem found: what, where, and what to do.

    Example:
        >>> class Pairs(Reader):
        ...     def takes(self, beginning, name):
        ...         return name.endswith(".pairs")
        >>> check_reader(Pairs, "trv-001=jack-001", "a.pairs")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        AssertionError: Pairs has 3 problems:
        1. the class: the class needs a method rows(file)
           Caseroll would not switch it on.
        ...
    """
    kind, made = _named_instance(reader)
    problems = [*settings_problem(made), *check_reader_class(made), *check_catalogues(made)]
    if not any(reader_problems(type(made))):
        sample, name = sample_of(file, name)
        problems += check_reader_files(made, sample, name)
    raise_problems(kind, problems)


def _named_instance(plugin: type[P] | P) -> tuple[str, P]:
    name = plugin.__name__ if isinstance(plugin, type) else type(plugin).__name__
    try:
        return name, instance_of(plugin)
    except ConfigError as error:
        raise_problems(name, [Problem("settings", problem) for problem in error.problems])
        raise
