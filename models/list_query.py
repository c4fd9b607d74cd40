"""What is asked of a list: which list, under which conditions, and which part of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

# Where a row stands in a list: its key, or what comes before the key in the order, and the key.
Place: TypeAlias = "int | tuple[int, ...]"


class Rank(NamedTuple):
    """A column that comes before the key in the order of a list.

    Args:
        column: the column.
        to_integer: SQL that makes an integer of it, for cursors; `{}` is the column.
        from_integer: SQL that makes a value of the column of that integer.
    """

    column: str
    to_integer: str = "{}"
    from_integer: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a list reads, and in which order. In its SQL the listed table is `t`.

    Args:
        name: tells its cursors from those of other lists.
        table: the table.
        words: the view that searches read: the words, and the columns that conditions may name;
            empty if there is no search.
        joins: tables whose columns can be asked for, too; none that leaves rows out.
        aliases: what the names of joined tables' columns begin with → the table's name in `joins`.
        key: unique column, an integer, that the list is ordered by.
        rank: what it is ordered by first, if anything.
        updated: column with the time of a row's last change.
        parent: condition that ties rows to what they belong to, `{}`; empty for lists of the app.
        is_descending: whether the largest key comes first.
    """

    name: str
    table: str
    words: str = ""
    joins: str = ""
    aliases: Mapping[str, str] = field(default_factory=dict)
    key: str = "t.id"
    rank: Rank | None = None
    updated: str = "t.updated_at"
    parent: str = ""
    is_descending: bool = False

    @property
    def place(self) -> str:
        """What to select for the place of a row."""
        if self.rank is None:
            return self.key
        return f"ARRAY[{self.rank.to_integer.format(self.rank.column)}, {self.key}]"

    def order(self, direction: str) -> str:
        columns = [self.rank.column, self.key] if self.rank else [self.key]
        return ", ".join(f"{column} {direction}" for column in columns)

    def compare(self, sign: str, place: str) -> str:
        """Return the condition that rows stand on one side of a place.

        Example:
            >>> Listing(name="x", table="cases", rank=Rank("t.role_id")).compare(">", "$3")
            '(t.role_id, t.id) > (($3::bigint[])[1], ($3::bigint[])[2])'
        """
        if self.rank is None:
            return f"{self.key} {sign} {place}"
        rank, key = (f"({place}::bigint[])[{number}]" for number in (1, 2))
        return (
            f"({self.rank.column}, {self.key}) {sign}"
            f" ({self.rank.from_integer.format(rank)}, {key})"
        )

    def select(self, columns: Collection[str] | None = None) -> str:
        """Return what to select: the columns of these names, or all of the listed table.

        Example:
            >>> listing = Listing(name="x", table="assignments", aliases={"case_": "c"})
            >>> listing.select(["notify", "case_about"])
            'c.about AS case_about, t.notify AS notify'
        """
        if columns is None:
            return "t.*"
        # Sorted, as a set has no order and each order would be another statement to be prepared.
        # NULL where only cursors are selected: another column follows after a comma.
        return ", ".join(f"{self._source(name)} AS {name}" for name in sorted(columns)) or "NULL"

    def _source(self, name: str) -> str:
        for prefix, alias in self.aliases.items():
            if name.startswith(prefix):
                return f"{alias}.{name.removeprefix(prefix)}"
        return f"t.{name}"


class Condition(NamedTuple):
    """A condition on the rows of a list; `{}` or `{0}` in the SQL stands for the value.

    `is_search` says that it asks for words, which only the list's view has. `kinds` are conditions
    of which each row meets one at most, and `sql` is any of them; each has an index in the order of
    the list. `of_row` asks the same by look-ups of its own for each row: quick for few rows, where
    `sql` first finds everything that it may be about.
    """

    sql: str
    value: object = None
    is_search: bool = False
    kinds: Sequence[str] = ()
    of_row: str = ""

    @property
    def is_tried_nearby(self) -> bool:
        """Whether to ask it of the next rows of a list first, as they may fill the page."""
        return self.is_search or bool(self.of_row)


class ListQuery(NamedTuple):
    """The lists that some parents have of one kind, and the conditions on their rows.

    A list of the app has the app for its only parent.
    """

    app_id: int
    listing: Listing
    parents: Sequence[int]
    conditions: Sequence[Condition]


class Window(NamedTuple):
    """Which part of a list: `size` rows after one place and before another.

    `is_backward` takes them from the end.
    """

    size: int
    after: Place | None = None
    before: Place | None = None
    is_backward: bool = False
