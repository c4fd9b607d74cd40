"""What the checks that every plugin has to pass let pass, and what they tell of."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points

import pytest

from importers import Importer
from importers.testing import World, check_conformance
from tests.importers.conformance.misbehaving import (
    AnyCase,
    BlankRequired,
    CrashingSample,
    Crews,
    Desks,
    FewKeys,
    Forgetful,
    Forgotten,
    ForgottenKey,
    HiddenInverse,
    LastRow,
    Later,
    LooseChanges,
    LooseSettings,
    MalformedErrors,
    Mindful,
    NeedsAnAssignment,
    NeedsNote,
    Neighbours,
    NeverTwice,
    NeverWrong,
    ObliviousRents,
    OfAnother,
    OnlyOnce,
    Prices,
    Promotions,
    RaisedRefusal,
    Remembering,
    Rents,
    Rooms,
    Seats,
    Slow,
    SyncChanges,
    TimedChanges,
    TwoColumns,
    UnaskedRefusal,
    UnboundInverse,
    Undescribed,
    Unparsed,
    Unset,
    UnsoundKeys,
    WrongColumn,
    WrongSample,
    desks_of_world,
)

BUILT_IN = {
    point.name: point.value
    for point in entry_points(group="caseroll.importers")
    if point.value.startswith("importers.builtin.")
}


@pytest.mark.parametrize("key", BUILT_IN)
def test_built_in_importers(key: str) -> None:
    """The importers that come with Caseroll keep the rules that they are there to show."""
    module, _, name = BUILT_IN[key].partition(":")

    check_conformance(
        getattr(import_module(module), name), rows=10_000 if key == "assign" else 1_000
    )

    assert len(BUILT_IN) == 8


@pytest.mark.parametrize(
    "importer", [Seats, Rooms, Rents, Promotions, Mindful, Crews], ids=lambda each: each.__name__
)
def test_importers_of_others(importer: type[Importer]) -> None:
    """Defaults, changes of own kinds, rows that want nothing and the present state are in order."""
    check_conformance(importer, rows=100)


def test_a_world_of_ones_own() -> None:
    """A look-up of one's own is answered by the world; rows are made of the cells that it knows.

    Two names of one desk are no trap, as the group key of a reference is that of what was found.
    """
    check_conformance(Desks, world=World(fetch=desks_of_world), rows=100)


ROWS = "rows 'trv-001,a-14' and 'trv-002,a-14': both speak of ('room', 'a-14'), and share no group"


@pytest.mark.parametrize(
    ("importer", "expected"),
    [
        (
            Undescribed,
            [
                "the class: it was written for version 9.0 of the SDK",
                "the class: the class has no label",
                "the class: it has no docstring",
                "the class: a column can't be called 'Note': use small letters",
                "column 'Note': it has no help",
                "the class: a column can't be called 'row'",
                "column 'person': it is required, and the sample file has no cell for it",
                "the sample file: it is refused",
                "the sample file: its row fails: REQUIRED (Person: is required.)",
            ],
        ),
        (WrongSample, ["the sample file: its row fails: NOT_FOUND (Person: no user has"]),
        (
            CrashingSample,
            ["the importer fails on its row: ZeroDivisionError: division by zero (misbehaving.py:"],
        ),
        (
            NeverWrong,
            [
                "the sample row, in a group with a row with a wrong 'person': the importer fails: ",
                "the sample row, in a group with a row with a wrong 'seat': the importer fails: ",
            ],
        ),
        (
            NeverTwice,
            ["the sample row, in a group with itself: the importer fails: IndexError"],
        ),
        (
            NeedsNote,
            [
                "column 'note', left blank: the plugin fails: TypeError: object of type",
                "all columns that are not required, left blank: the plugin fails: TypeError",
            ],
        ),
        (
            BlankRequired,
            ["column 'note', left blank: a required cell is blank, and the row comes to CREATED"],
        ),
        (
            Unparsed,
            [
                "column 'note', cell ",
                "the plugin fails: ValueError: invalid literal for int()",
                "raised by `parse`",
                "cell '\\uff11\\uff12': it is read as 12, like '12'",
                "text.isascii()",
            ],
        ),
        (Prices, ["column 'note', cell 'nan': it is read as the number nan", "math.isfinite"]),
        (
            MalformedErrors,
            [
                "the error 'LONG' has a message of more than 600 characters",
                "column 'note', cell '0': the plugin fails: ValueError: the code of a RowError is",
                " like SEAT_TAKEN, not 'no seat' (errors.py:",
                "column 'note', cell '-0': the error 'NO_SEAT' suggests ''",
                "the error 'WRONG_SEAT' has a message that is no sentence on one line",
            ],
        ),
        (WrongColumn, ["fails: TypeError: the error WRONG_NOTE is on 'Note', which is no column"]),
        (Later, ["the class: its change is async, and is not awaited", "would not switch it on"]),
        (
            RaisedRefusal,
            ["column 'person', cell 'gone-001': `refusal` raises RowError", "Return a RowError"],
        ),
        (
            UnaskedRefusal,
            ["cell 'gone-001': `refusal` objects with GONE, and the row comes to CREATED"],
        ),
        (
            NeedsAnAssignment,
            [
                "the sample row, where nobody is on any case: the plugin fails: IndexError: tuple",
                "an `AssignmentsOf` empty where there are none",
            ],
        ),
        (
            OfAnother,
            [
                "the sample row, where all users are on all cases: the plugin fails: TypeError:"
                " change() returned Remove(case=Case(id=1, ",
                "a change has to be about what a column names",
            ],
        ),
        (FewKeys, ["column 'matter', a file of ", "the plugin fails: ValueError: too many keys"]),
        (
            OnlyOnce,
            [
                "the sample row, 100 times: 98 rows don't repeat row 2: row 3 comes to"
                " TWICE (Room: is there twice.)",
                "uploaded again",
            ],
        ),
        (ForgottenKey, [ROWS, "need is_key=True: set it on 'room'."]),
        (AnyCase, ["share no group key", "the column 'room' for one thing"]),
        (TwoColumns, ["share no group key", "can't be made of two columns"]),
        (
            Remembering,
            [
                "row 'trv-001,jack-001,staff,Window': alone it comes to CREATED, asking for"
                " Assign(case=trv-001, user=jack-001, role=staff, notify=False); alone again, to"
                ' UNCHANGED, "is on a matter already"',
                "keep nothing between rows",
            ],
        ),
        (LastRow, ["it comes to", "keep nothing between rows"]),
        (
            Neighbours,
            ["it comes to BUSY", "in a chunk without those that share", "an `is_key` col"],
        ),
        (Forgetful, ["it comes to BUSY", "cut in two", "remember in `memo`"]),
        (Forgotten, ["the plugin has to list Rent in its tables"]),
        (
            ObliviousRents,
            ["class Oblivious: the inverse of a change does not give back what was there before"],
        ),
        (UnboundInverse, ["class Unbound: `inverse` is no plain method of the class"]),
        (HiddenInverse, ["class Hidden: an undo does not find the class by its name"]),
        (
            LooseChanges,
            [
                "class Loose: it is not a frozen dataclass",
                "class Loose: it does not say how to carry it out",
                "class Loose: two changes that say the same are not equal",
            ],
        ),
        (SyncChanges, ["class Sync: `apply` is no coroutine of the class"]),
        (
            TimedChanges,
            ["alone it comes to the wish [", "the sample row, 100 times: 99 rows don't"],
        ),
        (UnsoundKeys, ["fails on its row: TypeError: keys and wish of ListKeys(", "to be tuples"]),
        (Slow, ["a file of 100 rows: it computes", "times as much, where the budget is 10 times"]),
        (
            Unset,
            ["settings: the setting 'how' is missing", 'Unset("test", Unset.Settings(…))'],
        ),
        (LooseSettings, ["settings: its Settings is not a dataclass"]),
        (Unset("test"), ["settings: they are None, not an instance of its Settings"]),
    ],
    ids=lambda each: getattr(each, "__name__", None),
)
def test_bad_importers(importer: type[Importer] | Importer, expected: list[str]) -> None:
    """Each mistake is reported, with its place and a remedy."""
    with pytest.raises(AssertionError) as caught:
        check_conformance(importer, rows=100)

    reported = str(caught.value)
    assert [text for text in expected if text not in reported] == []


def test_given_settings() -> None:
    """An instance with its settings is checked as it is."""
    check_conformance(Unset("test", Unset.Settings(how="well")), rows=100)
