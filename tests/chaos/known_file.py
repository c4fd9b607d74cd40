"""Files whose results are known row by row, from the rules in docs/files.md alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from tests.chaos.dataset import ROLES, Dataset, Pair, State

HEADERS = {
    "assign": "case_id,user_id,case_role_order,case_role_id,case_notify",
    "modify": "case_id,user_id,case_role_id,case_notify",
    "remove": "user_id,case_id",
    "deadly": "case_id,user_id,role,deed",
}
_MAILED = 0.01
_FIRST_ROW = 2


class Expected(NamedTuple):
    """The result and the effect that a row must have.

    Args:
        status, outcome, codes: of the row's result.
        pair, before, after: the change of an assignment; `pair` is None when nothing changes.
    """

    status: str
    outcome: str | None = None
    codes: tuple[str, ...] = ()
    pair: Pair | None = None
    before: State | None = None
    after: State | None = None

    @property
    def has_mail(self) -> bool:
        """Whether the user gets a mail."""
        return self.pair is not None and self.after is not None and self.after.notify


@dataclass(slots=True)
class KnownFile:
    """A file, and the result that each of its rows must have.

    Args:
        lines: the file's records, the header left out.
        rows: the result of each row, by its number.
        again: the results of failed rows when they are retried after `dataset.reopen`.
    """

    type: str
    dataset: Dataset
    lines: list[str] = field(default_factory=list)
    rows: dict[int, Expected] = field(default_factory=dict)
    again: dict[int, Expected] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """The bytes of the file."""
        return "\r\n".join([HEADERS[self.type], *self.lines, ""]).encode()

    def add(self, line: str, expected: Expected, again: Expected | None = None) -> int:
        """Add a row; return its number."""
        number = len(self.lines) + _FIRST_ROW
        self.lines.append(line)
        self.rows[number] = expected
        if expected.status == "FAILED":
            self.again[number] = again or expected
        return number

    def passing(self) -> KnownFile:
        """Return a file of only the rows that pass."""
        file = KnownFile(self.type, self.dataset)
        for line, row in zip(self.lines, self.rows.values(), strict=True):
            if row.status == "PASSED":
                file.add(line, row)
        return file

    def planned(self) -> dict[int, Expected]:
        """Return the result of each row of the plan that is applied."""
        return {number: row for number, row in self.rows.items() if row.status == "PASSED"}

    def whole(self) -> dict[int, Expected]:
        """Return the result of each row when all are applied, or none."""
        if len(self.planned()) == len(self.rows):
            return self.rows
        return {
            number: failed("NOT_APPLIED") if row.status == "PASSED" else row
            for number, row in self.rows.items()
        }

    def retried(self) -> dict[int, Expected]:
        """Return the result of each row after all failed rows were retried."""
        return {**self.rows, **self.again}


def failed(*codes: str) -> Expected:
    """Make the result of a row that fails with these errors."""
    return Expected("FAILED", codes=codes)


def changed(outcome: str, pair: Pair, before: State | None, after: State | None) -> Expected:
    """Make the result of a row that takes effect."""
    return Expected("PASSED", outcome, (), pair, before, after)


def undone(row: Expected) -> Expected:
    """Make the result of the row that takes back what a row has changed."""
    outcomes = {"CREATED": "REMOVED", "UPDATED": "UPDATED", "REMOVED": "CREATED"}
    assert row.pair
    assert row.outcome
    return changed(outcomes[row.outcome], row.pair, row.after, row.before)


UNCHANGED = Expected("PASSED", "UNCHANGED")


class _First(NamedTuple):
    """The pair of a first row, and the state that the row asks for."""

    pair: Pair
    state: State


class _Writer:
    """Writes the rows of a file, each first row with a new pair."""

    def __init__(self, file: KnownFile, random: Random) -> None:
        self.file = file
        self.random = random
        self.firsts: list[_First] = []
        present = file.dataset.present
        self._pairs = {
            (kind, is_assigned): iter([pair for pair in pairs if (pair in present) is is_assigned])
            for kind in ("open", "closed", "disabled")
            for pairs in [file.dataset.pairs(kind, random)]
            for is_assigned in (True, False)
        }

    def pair(self, kind: str, *, is_assigned: bool) -> Pair:
        """Return a pair that no row has named."""
        return next(self._pairs[kind, is_assigned])

    def state(self, pair: Pair) -> State:
        """Return the assignment before the import."""
        return self.file.dataset.present[pair]

    def new_state(self, *, but: str = "") -> State:
        """Choose a state with another role."""
        role = self.random.choice([role for role in ROLES if role != but])
        return State(role, notify=self.random.random() < _MAILED)

    def case(self, tag: str) -> str:
        """Name a case in a cell: by its Tag ID, or by the API's ID."""
        return self.file.dataset.api_id(tag) if self.random.random() < 0.2 else tag

    def line(self, pair: Pair, role: str = "", notify: str = "") -> str:
        """Write a row of the file's type."""
        case, user = pair
        case = self.case(case) if case.startswith(self.file.dataset.prefix) else case
        if self.file.type == "remove":
            return f"{user},{case}"
        if self.file.type == "modify":
            return f"{case},{user},{role},{notify}"
        return f"{case},{user},,{role},{notify}"

    def say(self, pair: Pair, state: State) -> str:
        """Write a row that asks for a state."""
        return self.line(pair, state.role, str(int(state.notify)))

    def first(self, pair: Pair, state: State, expected: Expected) -> None:
        """Add a row that passes, and that later rows may repeat."""
        self.file.add(self.say(pair, state), expected)
        self.firsts.append(_First(pair, state))


def _assign_new(writer: _Writer) -> None:
    pair, state = writer.pair("open", is_assigned=False), writer.new_state()
    writer.first(pair, state, changed("CREATED", pair, None, state))


def _assign_same(writer: _Writer) -> None:
    pair = writer.pair("open", is_assigned=True)
    writer.file.add(writer.say(pair, writer.state(pair)), UNCHANGED)


def _assign_other(writer: _Writer) -> None:
    pair = writer.pair("open", is_assigned=True)
    line = writer.say(pair, writer.new_state(but=writer.state(pair).role))
    writer.file.add(line, failed("ALREADY_ASSIGNED"))


def _assign_closed(writer: _Writer) -> None:
    pair, state = writer.pair("closed", is_assigned=False), writer.new_state()
    again = changed("CREATED", pair, None, state)
    writer.file.add(writer.say(pair, state), failed("CASE_CLOSED"), again)


def _assign_disabled(writer: _Writer) -> None:
    pair, state = writer.pair("disabled", is_assigned=False), writer.new_state()
    again = changed("CREATED", pair, None, state)
    writer.file.add(writer.say(pair, state), failed("USER_DISABLED"), again)


def _modify_there(writer: _Writer, kind: str = "open") -> None:
    pair = writer.pair(kind, is_assigned=True)
    before = writer.state(pair)
    after = writer.new_state(but=before.role)
    writer.first(pair, after, changed("UPDATED", pair, before, after))


def _modify_disabled(writer: _Writer) -> None:
    _modify_there(writer, "disabled")


def _modify_blank(writer: _Writer) -> None:
    writer.file.add(writer.line(writer.pair("open", is_assigned=True)), UNCHANGED)


def _modify_absent(writer: _Writer) -> None:
    pair = writer.pair("open", is_assigned=False)
    writer.file.add(writer.say(pair, writer.new_state()), failed("NOT_ASSIGNED"))


def _modify_closed(writer: _Writer) -> None:
    pair = writer.pair("closed", is_assigned=True)
    before = writer.state(pair)
    after = writer.new_state(but=before.role)
    again = changed("UPDATED", pair, before, after)
    writer.file.add(writer.say(pair, after), failed("CASE_CLOSED"), again)


def _remove_there(writer: _Writer, kind: str = "open") -> None:
    pair = writer.pair(kind, is_assigned=True)
    before = writer.state(pair)
    writer.first(pair, before, changed("REMOVED", pair, before, None))


def _remove_closed(writer: _Writer) -> None:
    _remove_there(writer, "closed")


def _remove_disabled(writer: _Writer) -> None:
    _remove_there(writer, "disabled")


def _remove_absent(writer: _Writer) -> None:
    writer.file.add(writer.line(writer.pair("open", is_assigned=False)), UNCHANGED)


def _repeat(writer: _Writer) -> None:
    first = writer.random.choice(writer.firsts)
    writer.file.add(writer.say(*first), UNCHANGED)


def _conflict(writer: _Writer) -> None:
    pair, state = writer.random.choice(writer.firsts)
    line = writer.say(pair, writer.new_state(but=state.role))
    writer.file.add(line, failed("CONFLICTS_WITH_ROW"))


def _nowhere(writer: _Writer) -> None:
    _, user = writer.file.dataset.open_cases[0], writer.file.dataset.active_users[0]
    writer.file.add(writer.line(("nowhere", user), "staff", "0"), failed("NOT_FOUND"))


def _all_wrong(writer: _Writer) -> None:
    wrong = failed("NOT_FOUND", "NOT_FOUND", "INVALID_CHOICE", "INVALID_FLAG")
    writer.file.add(writer.line(("nowhere", "nobody"), "staf", "2"), wrong)


def _long(writer: _Writer) -> None:
    writer.file.add("has,many,more,cells,than,the,header", failed("TOO_MANY_CELLS"))


_Kind = Callable[[_Writer], None]
_ANYWHERE: dict[_Kind, int] = {_nowhere: 1, _long: 1}
_KINDS: dict[str, dict[_Kind, int]] = {
    "assign": {
        _assign_new: 80, _assign_same: 4, _assign_other: 3, _assign_closed: 3,
        _assign_disabled: 3, _repeat: 3, _conflict: 2, _all_wrong: 1, **_ANYWHERE,
    },
    "modify": {
        _modify_there: 75, _modify_disabled: 3, _modify_blank: 4, _modify_absent: 3,
        _modify_closed: 3, _repeat: 4, _conflict: 3, _all_wrong: 1, **_ANYWHERE,
    },
    "remove": {
        _remove_there: 80, _remove_closed: 3, _remove_disabled: 3, _remove_absent: 5,
        _repeat: 6, **_ANYWHERE,
    },
}  # fmt: skip
SHARES = {"assign": 0.15, "modify": 0.85, "remove": 0.85}
"""The part of all pairs that must be assigned before a file of a type."""


def cases_for(rows: int) -> int:
    """Compute how many cases a file needs so that it does not run out of pairs."""
    return max(20, rows // 25)


def write_file(type_: str, dataset: Dataset, rows: int, random: Random) -> KnownFile:
    """Write a file with some rows of every kind."""
    file = KnownFile(type_, dataset)
    writer = _Writer(file, random)
    first, *others = _KINDS[type_]
    first(writer)
    for kind in [*others, *_choose(_KINDS[type_], rows - len(others) - 1, random)]:
        kind(writer)
    return file


def _choose(kinds: dict[_Kind, int], count: int, random: Random) -> Iterator[_Kind]:
    yield from random.choices(list(kinds), weights=list(kinds.values()), k=count)
