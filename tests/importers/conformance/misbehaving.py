"""Importers to check: some good ones, and for each mistake one that makes it."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from importers import (
    Applied,
    Assign,
    AssignmentOf,
    AssignmentsOf,
    Case,
    CaseRef,
    Column,
    Directory,
    FailedRow,
    Importer,
    Modify,
    ModifyUser,
    OwnChange,
    Record,
    Reference,
    Remove,
    RoleRef,
    Row,
    RowError,
    SetRecord,
    Transaction,
    Unchanged,
    User,
    UserRef,
)


class Seats(Importer):
    """Put people on matters: a good importer, of which the bad ones below are made."""

    label = "Seats"
    matter = CaseRef(required=True, example="trv-001", help="The matter.")
    person = UserRef(required=True, example="jack-001", help="Who.")
    seat = RoleRef(example="staff", help="As what; blank is staff.", default="staff")
    note = Column[str](example="Window", help="Where.")

    def change(self, row: Row) -> Any:
        """Put the person on the matter."""
        return Assign(case=row.matter, user=row.person, role=row.seat)


@dataclass(frozen=True, slots=True, kw_only=True)
class Book(OwnChange):
    """Give a case a room."""

    case: Case
    room: str

    @property
    def keys(self) -> Sequence[tuple[str | int, ...]]:
        """The room."""
        return (("room", self.room),)

    @classmethod
    async def apply(cls, changes: Sequence[Book], transaction: Transaction) -> list[Applied]:
        """Book them."""
        return [Applied("CREATED") for _ in changes]


class Rooms(Importer):
    """Book rooms for cases: a good importer as well."""

    label = "Rooms"
    case_id = CaseRef(required=True, is_key=True, example="trv-001", help="The case.")
    room = Column[str](required=True, is_key=True, longest=20, example="a-14", help="The room.")

    def change(self, row: Row) -> Any:
        """Book the room."""
        return Book(case=row.case_id, room=row.room)


class Rent(Record, table="kit_rents", key="case"):
    """What the room of a case costs."""

    case: Case
    cents: int


class Rents(Importer):
    """Set the rents of cases: a good importer with a table of its own."""

    label = "Rents"
    tables = (Rent,)
    case_id = CaseRef(required=True, is_key=True, example="trv-001", help="The case.")
    rent = Column[str](required=True, example="12", help="The rent.")

    def change(self, row: Row) -> Any:
        """Set the rent."""
        return SetRecord(Rent(case=row.case_id, cents=len(row.rent)))


class Promotions(Importer):
    """Change roles of those who are there: another good one."""

    label = "Promotions"
    matter = CaseRef(required=True, example="trv-001", help="The matter.")
    person = UserRef(required=True, example="jones-001", help="Who.")
    role = RoleRef(required=True, example="staff", help="As what.")
    present = AssignmentOf("matter", "person")

    def change(self, row: Row) -> Any:
        """Change the role."""
        if row.present is None:
            return Unchanged("is not on the matter")
        return Modify(case=row.matter, user=row.person, role=row.role)


class NeedsAnAssignment(Importer):
    """Takes it for granted that a person is on a case."""

    label = "Needs an assignment"
    person = UserRef(required=True, example="jones-001", help="Who.")
    present = AssignmentsOf(user="person")

    def change(self, row: Row) -> Any:
        """Remove the first."""
        return Remove(case=row.present[0].case, user=row.person)


class OfAnother(Importer):
    """Takes a colleague off the case, whom no column names."""

    label = "Of another"
    case_id = CaseRef(required=True, example="trv-001", help="The case.")
    person = UserRef(required=True, example="jones-001", help="Who.")
    people = AssignmentsOf(user="person")

    def change(self, row: Row) -> Any:
        """Remove the colleague."""
        if len(row.people) > 1:
            return Remove(case=row.case_id, user=User(id=row.person.id + 1))
        return Remove(case=row.case_id, user=row.person)


class Desk(Reference[Case]):
    """The case that has a desk, in a table of the plugin's own."""

    async def resolve(self, directory: Directory, keys: Collection[str]) -> Mapping[str, Any]:
        """Ask for it."""
        found = await directory.fetch("SELECT …", directory.app_id, sorted(keys))
        return {row["desk"]: Case(id=row["case"]) for row in found}


class Desks(Importer):
    """Put people on the cases of desks."""

    label = "Desks"
    desk = Desk(required=True, example="d1", help="The desk.", is_key=True)
    person = UserRef(required=True, example="jack-001", help="Who.")
    seat = RoleRef(required=True, example="staff", help="As what.")

    def change(self, row: Row) -> Any:
        """Put the person on the case."""
        return Assign(case=row.desk, user=row.person, role=row.seat)


def desks_of_world(query: str, app_id: int, keys: Sequence[str]) -> list[dict[str, Any]]:
    desks = {"d1": 1, "D1": 1, "kit-1": 2}
    return [{"desk": key, "case": desks[key]} for key in keys if key in desks]


class Undescribed(Importer):
    person = UserRef(required=True, help="Who.")
    Note = Column[str](example="x")
    row = Column[str](help="What.")

    sdk = "9.0"

    def change(self, row: Row) -> Any:
        return None


class WrongSample(Seats):
    """Its example is the Tag ID of no user."""

    person = UserRef(required=True, example="nobody", help="Who.")


class CrashingSample(Seats):
    """Has a bug that every row meets."""

    def change(self, row: Row) -> Any:
        """Divide by nothing."""
        return 1 / 0


class NeedsNote(Seats):
    """Takes for granted that there is a note."""

    def change(self, row: Row) -> Any:
        """Ask for the note's length."""
        return super().change(row) if len(row.note) else None


class Requiring(Column[str]):
    def read(self, cell: str) -> str | None:
        return cell.strip()


class BlankRequired(Seats):
    """Reads required cells in its own way."""

    note = Requiring(required=True, example="x", help="Where.")


class Floor(Column[int]):
    def parse(self, text: str) -> int:
        return int(text)


class Unparsed(Seats):
    """Reads numbers without a thought."""

    note = Floor(example="12", help="The floor.")


class Price(Column[float]):
    def parse(self, text: str) -> float:
        try:
            return float(text)
        except ValueError as error:
            raise RowError(None, "NO_PRICE", "is no price.") from error


class Prices(Seats):
    """Lets a price be no number."""

    note = Price(example="12.5", help="The price.")


class Malformed(Column[str]):
    def parse(self, text: str) -> str:
        if text == "Window":
            return text
        if len(text) > 5_000:
            raise RowError(None, "LONG", f"{text} is too long.")
        if text == "0":
            raise RowError(None, "no seat", "is wrong.")
        if text == "-0":
            raise RowError(None, "NO_SEAT", "is wrong.", suggestion="")
        raise RowError(None, "WRONG_SEAT", "oops")


class MalformedErrors(Seats):
    """Says what is wrong in ways that no client can show."""

    note = Malformed(example="Window", help="Where.")


class WrongColumn(Seats):
    """Names a column that it has not."""

    def change(self, row: Row) -> Any:
        """Refuse every note but one."""
        if row.note not in (None, "Window"):
            raise RowError("Note", "WRONG_NOTE", "is wrong.")
        return super().change(row)


class Batch(Reference[Case]):
    async def resolve(self, directory: Directory, keys: Collection[str]) -> Mapping[str, Case]:
        if len(keys) > 20:
            raise ValueError("too many keys")
        return await directory.cases(keys)


class FewKeys(Seats):
    """Looks up a few keys at once, and no more."""

    matter = Batch(required=True, example="trv-001", help="The matter.")


class OnlyOnce(Rooms):
    """Takes a repeated row for a mistake."""

    def check_chunk(self, rows: Sequence[Row], memo: Any) -> Iterable[tuple[Row, RowError]]:
        """Refuse rooms that were there before."""
        seen: set[str] = set()
        for row in rows:
            if row.room in seen:
                yield row, RowError("room", "TWICE", "is there twice.")
            seen.add(row.room)


class ForgottenKey(Rooms):
    """Forgets is_key=True on what its changes are about."""

    room = Column[str](required=True, example="a-14", help="The room.")


class AnyCase(Rooms):
    """Tells rooms apart by small letters alone, and its column does not know."""

    def change(self, row: Row) -> Any:
        """Book the room."""
        return Book(case=row.case_id, room=row.room.lower())


class TwoColumns(Rooms):
    """Makes one kind of key of two columns."""

    other = Column[str](is_key=True, example="b-2", help="Another room.")

    def change(self, row: Row) -> Any:
        """Book both."""
        yield Book(case=row.case_id, room=row.room)
        if row.other and row.other != row.room:
            yield Book(case=row.case_id, room=row.other)


class Remembering(Seats):
    """Keeps something between rows."""

    def __init__(self, key: str = "", settings: Any = None) -> None:
        super().__init__(key, settings)
        self.seen: set[int] = set()

    def change(self, row: Row) -> Any:
        """Let a person onto no second matter."""
        is_known = row.person.id in self.seen
        self.seen.add(row.person.id)
        return Unchanged("is on a matter already") if is_known else super().change(row)


class LastRow(Seats):
    """Keeps the last row."""

    last: tuple[int, int | None] = (0, None)

    def change(self, row: Row) -> Any:
        """Tell of the row before."""
        last, first = type(self).last, row.number == 2
        type(self).last = (row.person.id, row.person.id)
        if not first and last[1] not in (None, row.person.id):
            return Unchanged("is somebody else")
        return super().change(row)


class Neighbours(Seats):
    """Compares rows that need not be in one chunk."""

    def check_chunk(self, rows: Sequence[Row], memo: Any) -> Iterable[tuple[Row, RowError]]:
        """Refuse a person's second matter."""
        seen: dict[int, int] = {}
        for row in rows:
            if seen.setdefault(row.person.id, row.matter.id) != row.matter.id:
                yield row, RowError("person", "BUSY", "is on another matter of the file.")


class Forgetful(Neighbours):
    """Compares rows that may be in chunks one after another, and remembers nothing."""

    person = UserRef(required=True, is_key=True, example="jack-001", help="Who.")


class Mindful(Forgetful):
    """Does so, and remembers what it has to."""

    def check_chunk(self, rows: Sequence[Row], memo: Any) -> Iterable[tuple[Row, RowError]]:
        """Refuse a person's second matter."""
        for row in rows:
            if memo.setdefault(row.person.id, row.matter.id) != row.matter.id:
                yield row, RowError("person", "BUSY", "is on another matter of the file.")


@dataclass(eq=False)
class Loose(OwnChange):
    room: str

    @property
    def keys(self) -> Sequence[tuple[str | int, ...]]:
        return (("room", self.room),)


class Forgotten(Rents):
    """Does not list its table."""

    tables = ()


class Oblivious(Record, table="kit_oblivious", key="case"):
    """Takes nothing back as it was."""

    case: Case
    cents: int

    @classmethod
    def inverse(cls, difference: Any, case: Any, user: Any) -> Any:
        return SetRecord(cls(case=case, cents=-1))


class ObliviousRents(Rents):
    """Has records of which the inverse is none."""

    tables = (Oblivious,)

    def change(self, row: Row) -> Any:
        """Set the rent."""
        return SetRecord(Oblivious(case=row.case_id, cents=1))


@dataclass(frozen=True)
class Unbound(Book):
    def inverse(self, *_: Any) -> Any:  # type: ignore[override]
        return None


class UnboundInverse(Rooms):
    """Its kind of change has an inverse that no class can be asked for."""

    def change(self, row: Row) -> Any:
        """Book the room."""
        return Unbound(case=row.case_id, room=row.room)


def hidden_kind() -> type[Book]:
    """Make a kind of change that no undo finds."""

    @dataclass(frozen=True)
    class Hidden(Book):
        @classmethod
        def inverse(cls, difference: Any, case: Any, user: Any) -> Any:
            return cls(case=case, room="x")

    return Hidden


_HIDDEN = hidden_kind()


class HiddenInverse(Rooms):
    """Its kind of change is in a function."""

    def change(self, row: Row) -> Any:
        """Book the room."""
        return _HIDDEN(case=row.case_id, room=row.room)


class LooseChanges(Rooms):
    """Asks for changes that are no values, and that the engine can't carry out."""

    def change(self, row: Row) -> Any:
        """Book the room."""
        return Loose(row.room)


@dataclass(frozen=True)
class Sync(Book):
    @classmethod
    def apply(cls, changes: Any, transaction: Any) -> Any:
        return []


class SyncChanges(Rooms):
    """Its kind of change forgets to be a coroutine."""

    def change(self, row: Row) -> Any:
        """Book the room."""
        return Sync(case=row.case_id, room=row.room)


@dataclass(frozen=True)
class Timed(Book):
    def wish(self) -> Any:
        return ("Timed", time.time_ns())


class TimedChanges(Rooms):
    """Never asks for the same twice."""

    def change(self, row: Row) -> Any:
        """Book the room."""
        return Timed(case=row.case_id, room=row.room)


@dataclass(frozen=True)
class ListKeys(Book):
    @property
    def keys(self) -> Any:
        return [["room", self.room]]


class UnsoundKeys(Rooms):
    """Has keys that are no tuples."""

    def change(self, row: Row) -> Any:
        """Book the room."""
        return ListKeys(case=row.case_id, room=row.room)


class Slow(Seats):
    """Does for each row what could be done once."""

    def change(self, row: Row) -> Any:
        """Sort a lot."""
        sorted(range(20_000), key=lambda number: -number)
        return super().change(row)


class Unset(Seats):
    """Needs a setting."""

    @dataclass(frozen=True)
    class Settings:
        """How."""

        how: str
        why: str = ""


class LooseSettings(Seats):
    """Has settings that can't be checked."""

    class Settings:
        """Anything."""


class Later(Seats):
    """Has a `change` that nothing awaits."""

    async def change(self, row: Row) -> Any:
        """Put the person on the matter, later."""
        return Assign(case=row.matter, user=row.person, role=row.seat)


class RaisingUser(UserRef):
    """Raises what it has to return."""

    def refusal(self, value: Any) -> RowError | None:
        """Object to users who are disabled."""
        if not value.is_active:
            raise RowError(None, "GONE", "is gone.")
        return None


class RaisedRefusal(Seats):
    """Raises a refusal."""

    person = RaisingUser(required=True, example="jack-001", help="Who.")


class UnaskedUser(UserRef):
    """Is not asked."""

    def refusal(self, value: Any) -> RowError | None:
        """Object to users who are disabled."""
        return None if value.is_active else RowError(None, "GONE", "is gone.")

    def _may_refuse(self, values: Iterable[Any]) -> bool:
        return False


class UnaskedRefusal(Seats):
    """Has a refusal that is not asked, and takes off who is not to be touched."""

    person = UnaskedUser(required=True, example="jack-001", help="Who.")

    def change(self, row: Row) -> Any:
        """Rename the person."""
        return ModifyUser(user=row.person, given_name=row.note)


class Crews(Importer):
    """The people of a matter, three at most: a good importer of whole groups."""

    label = "Crews"
    group_by = "matter"
    matter = CaseRef(required=True, example="trv-001", help="The matter.")
    person = UserRef(required=True, example="jack-001", help="Who.")
    seat = RoleRef(example="staff", help="As what; blank is staff.", default="staff")

    def change_group(self, key: Case, rows: Sequence[Row], failed_rows: Sequence[FailedRow]) -> Any:
        """Put the people on the matter."""
        if len(rows) + len(failed_rows) > 3:
            raise RowError("matter", "LARGE_CREW", "has more than three people.")
        for row in rows:
            yield row, Assign(case=key, user=row.person, role=row.seat)


class NeverWrong(Crews):
    """Takes it that no row of a group has a wrong cell."""

    def change_group(self, key: Case, rows: Sequence[Row], failed_rows: Sequence[FailedRow]) -> Any:
        """Put the people on the matter."""
        for row in rows[: 1 // (len(failed_rows) < 1)]:
            yield row, Assign(case=key, user=row.person, role=row.seat)


class NeverTwice(Crews):
    """Takes it that no row of a group comes twice."""

    def change_group(self, key: Case, rows: Sequence[Row], failed_rows: Sequence[FailedRow]) -> Any:
        """Put the people on the matter."""
        people = {row.person.id: row for row in rows}
        for number, row in enumerate(rows):
            first = list(people.values())[number]
            yield row, Assign(case=key, user=first.person, role=row.seat)
