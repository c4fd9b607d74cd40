"""The SQL of lists: where their rows are read from, and under which conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.list_query import Condition, ListQuery, Window


class ListStatement:
    """Collects the parameters of a statement about lists; the first is always the app."""

    def __init__(self, query: ListQuery) -> None:
        app_id, self._listing, self._parents, self._conditions = query
        self.values: list[object] = [app_id]

    def add(self, value: object) -> str:
        self.values.append(value)
        return f"${len(self.values)}"

    def parents(self) -> str:
        """Return the table `p` with a row for each list; a list of the app belongs to the app."""
        if not self._listing.parent:
            return "(SELECT $1::bigint) AS p(parent)"
        # As text: of a list, asyncpg asks of each item several times whether it is a list, too.
        keys_text = self.add(f"{{{','.join(map(str, self._parents))}}}")
        return f"unnest({keys_text}::text::bigint[]) AS p(parent)"

    def source(self) -> str:
        """Return what the rows are read from: the table, all of some kinds, or of a search.

            (SELECT * FROM case_words t WHERE t.words @@ to_tsquery('simple', $2) OFFSET 0)

        The OFFSET lets PostgreSQL look for nothing but the words. It would rather walk the list in
        its order, and make the words of each row again, of all rows where few are found.
        """
        searches = [each for each in self._conditions if each.is_search]
        if searches:
            words = self._all_of(searches)
            return f"(SELECT * FROM {self._listing.words} t WHERE {words} OFFSET 0)"
        return f"({self.union()})" if self.kinds else self._listing.table

    @property
    def kinds(self) -> Sequence[str]:
        """The kinds of the condition that has some; a search reads what it finds instead."""
        if any(each.is_search for each in self._conditions):
            return ()
        return next((each.kinds for each in self._conditions if each.kinds), ())

    def union(self, rest: str = "") -> str:
        """Return a query of the rows of each kind, whose own index PostgreSQL then walks.

        It would not merge the indexes by itself, so the rest of each query cuts a page of one kind:

            (SELECT * FROM import_rows t WHERE t.status = 2 AND t.app_id = $1 ORDER BY t.id …)
            UNION ALL
            (SELECT * FROM import_rows t WHERE t.outcome = 1 AND t.app_id = $1 ORDER BY t.id …)
        """
        return " UNION ALL ".join(
            f"(SELECT * FROM {self._listing.table} t WHERE {kind} {rest})" for kind in self.kinds
        )

    def nearby(self, where: str, cut: str) -> str:
        """Return the next rows of a list that meet the conditions that are tried nearby.

        (SELECT * FROM case_words t WHERE t.app_id = $1 ORDER BY t.id ASC LIMIT 102) t
        WHERE t.words @@ to_tsquery('simple', $3)
        """
        tried = [
            each._replace(sql=each.of_row or each.sql)
            for each in self._conditions
            if each.is_tried_nearby
        ]
        has_words = any(each.is_search for each in tried)
        table = self._listing.words if has_words else self._listing.table
        return f"(SELECT * FROM {table} t WHERE {where} {cut}) t WHERE {self._all_of(tried)}"

    def within(self, window: Window) -> str:
        """Return the conditions that rows stand inside a window."""
        up, down = ("<", ">") if self._listing.is_descending else (">", "<")
        limits = ((up, window.after), (down, window.before))
        return "".join(
            f" AND {self._listing.compare(sign, self.add(place))}"
            for sign, place in limits
            if place is not None
        )

    def where(self, parent: str, *, is_nearby: bool = False) -> str:
        """Return the conditions but for those that the rows are read by.

        These are searches and kinds, which `source` has, or what is tried nearby.
        """
        # Also where a policy hides other apps: not every database has the role for that.
        found = ["t.app_id = $1"]
        if parent and self._listing.parent:
            found.append(self._listing.parent.format(parent))
        kinds = () if is_nearby else self.kinds
        others = [
            each
            for each in self._conditions
            if not (each.is_search or (kinds and each.kinds is kinds))
            and not (is_nearby and each.of_row)
        ]
        return " AND ".join([*found, *([self._all_of(others)] if others else [])])

    def _all_of(self, conditions: Sequence[Condition]) -> str:
        return " AND ".join(
            each.sql.format(self.add(each.value)) if "{" in each.sql else each.sql
            for each in conditions
        )
