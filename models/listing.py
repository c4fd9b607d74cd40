"""The lists that clients page through, and what they can be searched and filtered by."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING

from models.page import Condition, Listing, Rank
from models.row import RowOutcome, RowStatus

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from asyncpg import Connection

    from models.audit import Action
    from models.imports import ImportStatus
    from models.page import Place

# The views of words are those of migration 0010: row-level security would keep searches of the
# tables from the indexes.
CASES = Listing(name="case", table="cases", words="case_words")
USERS = Listing(name="user", table="users", words="user_words")
ROLES = Listing(name="role", table="roles")
IMPORTS = Listing(
    name="import",
    table="imports",
    words="import_words",
    updated="t.changed_at",
    is_descending=True,
)
AUDIT_EVENTS = Listing(name="audit-event", table="audit_events", is_descending=True)

# An import's rows are those whose keys begin with its own (`models.row.row_key`).
IMPORT_ROWS = Listing(
    name="row", table="import_rows", parent="t.id > {0} << 32 AND t.id < ({0} + 1) << 32"
)

ERROR_GROUPS = Listing(name="error-group", table="error_groups", parent=IMPORT_ROWS.parent)

_SEARCH_LONGEST = 500
"""Characters. PostgreSQL's words have 2,046 bytes at most."""
_WORD = re.compile(r"[^\W_]+")
# Any number of words in the index may begin with one: this bounds what a search costs.
_MOST_WORDS = 8

# So many rows are read and sorted in a few milliseconds.
_FEW = 1_000

_ASSIGNMENT_ALIASES = {"case_": "c", "user_": "u", "role_": "r"}
_ASSIGNMENT_JOINS = """
JOIN cases c ON c.id = t.case_id JOIN users u ON u.id = t.user_id JOIN roles r ON r.id = t.role_id
"""
CASE_ASSIGNMENTS = Listing(
    name="case-assignment",
    table="assignments",
    joins=_ASSIGNMENT_JOINS,
    aliases=_ASSIGNMENT_ALIASES,
    key="t.user_id",
    parent="t.case_id = {}",
)
USER_ASSIGNMENTS = Listing(
    name="user-assignment",
    table="assignments",
    joins=_ASSIGNMENT_JOINS,
    aliases=_ASSIGNMENT_ALIASES,
    key="t.case_id",
    parent="t.user_id = {}",
)


ASSIGNMENTS = Listing(
    name="assignment", table="assignments", joins=_ASSIGNMENT_JOINS, aliases=_ASSIGNMENT_ALIASES
)
# By the history, which has an index by imports: one of the assignments would make each update of an
# assignment write to all of their indexes.
IMPORT_ASSIGNMENTS = Listing(
    name="import-assignment",
    table="""(
      SELECT h.import_id, h.id AS history_id, a.* FROM assignment_history h
      JOIN assignments a ON a.case_id = h.case_id AND a.user_id = h.user_id
      WHERE CASE WHEN a.updated_import_id = h.import_id
        THEN a.updated_row = h.row AND h.before_role_id IS NOT NULL
        ELSE a.created_import_id = h.import_id AND a.created_row = h.row END)""",
    joins=_ASSIGNMENT_JOINS,
    aliases=_ASSIGNMENT_ALIASES,
    key="t.history_id",
    parent="t.import_id = {}",
)

# Cursors hold a time as microseconds since 1970, so that none is rounded.
_TIME = (
    "(extract(epoch FROM {}) * 1000000)::bigint",
    "timestamptz 'epoch' + {} * interval '1 microsecond'",
)


def in_order(listing: Listing, *, by_update: bool, is_descending: bool) -> Listing:
    """Return a list in another order; it has cursors of its own.

    Args:
        by_update: by the time of the last change, instead of in the order in which rows came.
    """
    if not by_update and is_descending == listing.is_descending:
        return listing
    name = f"{listing.name}{'-update' if by_update else ''}{'-down' if is_descending else '-up'}"
    rank = Rank(listing.updated, *_TIME) if by_update else None
    return replace(listing, name=name, rank=rank, is_descending=is_descending)


def has_id(keys: Collection[int]) -> Condition:
    return Condition("t.id = ANY({}::bigint[])", list(keys))


def prefix_query(text: str) -> str | None:
    """Translate what a person typed for `to_tsquery('simple', …)`; None when it has no word.

    Words are letters and digits alone, so no sign of the query language is left in them.

    Example:
        >>> prefix_query("Jones trv-0")
        "'Jones':* & 'trv':* & '0':*"
    """
    words = _WORD.findall(text)[:_MOST_WORDS]
    return " & ".join(f"'{word}':*" for word in words) or None


def matches_search(text: str) -> Condition:
    """Ask for rows in which every word of the text begins a word; for nothing if it has none.

        t.words @@ to_tsquery('simple', $2)

    with `'smith':* & 'trv':*` for "smith trv".
    """
    query = prefix_query(text[:_SEARCH_LONGEST])
    if query is None:
        return Condition("false")
    return Condition("t.words @@ to_tsquery('simple', {})", query, is_search=True)


def is_active(value: bool) -> Condition:
    """Ask for open cases or enabled users, or for the others."""
    # A constant, not a parameter: PostgreSQL sees when planning whether that is most of the rows.
    return Condition("t.is_active" if value else "NOT t.is_active")


def has_tag(tag_id: str) -> Condition:
    return Condition("t.tag_id = {}", tag_id)


def has_email(email: str) -> Condition:
    """Ask for an e-mail address, in any case."""
    # `=`, not IN: joined with the table, the view would come under its policy. $1 is the app in
    # every statement of `models.page`.
    found = "SELECT id FROM user_words WHERE app_id = $1 AND email = lower({})"
    return Condition(f"t.id = ({found})", email)


def has_role(key: str) -> Condition:
    """Ask for assignments in a role of the app."""
    return Condition("t.role_id = (SELECT id FROM roles WHERE app_id = $1 AND key = {})", key)


def carries_out(plan_id: int) -> Condition:
    """Ask for the import that carries out a plan."""
    return Condition("t.applied_from_id = {}", plan_id)


def is_pair(case: int, user: int) -> Condition:
    """Ask for the assignment of a user to a case."""
    sql = "t.case_id = ({0}::bigint[])[1] AND t.user_id = ({0}::bigint[])[2]"
    return Condition(sql, (case, user))


def has_user(key: int) -> Condition:
    return Condition("t.user_id = {}", key)


def was_written_by(import_key: int) -> Condition:
    """Ask for assignments that an import created, or was the last to change."""
    return Condition("(t.created_import_id = {0} OR t.updated_import_id = {0})", import_key)


async def concerns(db: Connection, app_id: int, text: str) -> Condition:
    """Ask for the assignments of the cases, and of the users, that a search finds.

    Few of them are looked up here, so that the list need not be walked for them. If they are many,
    a page of them is near:

        t.case_id IN (SELECT id FROM case_words WHERE words @@ to_tsquery('simple', $2))
        OR t.user_id IN (SELECT id FROM user_words WHERE words @@ to_tsquery('simple', $2))
    """
    query = prefix_query(text[:_SEARCH_LONGEST])
    if query is None:
        return Condition("false")
    hits = {
        column: f"SELECT id FROM {listing.words} WHERE words @@ to_tsquery('simple', {{0}})"
        for column, listing in (("case_id", CASES), ("user_id", USERS))
    }
    few = " UNION ".join(
        f"(SELECT a.id FROM ({words.format('$2')}) AS w, LATERAL (SELECT id FROM assignments"
        f" WHERE app_id = $1 AND {column} = w.id LIMIT $3) a LIMIT $3)"
        for column, words in hits.items()
    )
    rows = await db.fetch(few, app_id, query, _FEW + 1)
    if len(rows) <= _FEW:
        return has_id([row[0] for row in rows])
    found = " OR ".join(f"t.{column} IN ({words})" for column, words in hits.items())
    return Condition(f"({found})", query)


def was_updated_since(listing: Listing, time: datetime) -> Condition:
    return Condition(f"{listing.updated} >= {{}}", _in_utc(time))


def has_import_status(statuses: Collection[ImportStatus]) -> Condition:
    return Condition("t.status = ANY({}::text[])", [status.value for status in statuses])


def has_type(types: Collection[str]) -> Condition:
    return Condition("t.type = ANY({}::text[])", list(types))


def did_one_of(actions: Collection[Action]) -> Condition:
    return Condition("t.action = ANY({}::text[])", [action.value for action in actions])


def was_done_by(actor: str) -> Condition:
    return Condition("t.actor = {}", actor)


def happened_between(since: datetime | None, until: datetime | None) -> list[Condition]:
    """Ask for audit events from one time on, and before another."""
    limits = (("t.occurred_at >= {}", since), ("t.occurred_at < {}", until))
    return [Condition(sql, _in_utc(time)) for sql, time in limits if time is not None]


def has_row_status(statuses: Collection[RowStatus]) -> Condition:
    # A constant, not a parameter, where there is a partial index of just these rows: PostgreSQL
    # uses it where it can see when planning that its condition holds.
    if set(statuses) in ({RowStatus.FAILED}, {RowStatus.CANCELLED}):
        [status] = set(statuses)
        return Condition(f"t.status = {status:d}")
    return Condition("t.status = ANY({}::int[])", [int(status) for status in statuses])


def has_outcome(outcomes: Collection[RowOutcome]) -> Condition:
    if set(outcomes) == {RowOutcome.UNCHANGED}:
        return Condition(f"t.outcome = {RowOutcome.UNCHANGED:d}")
    return Condition("t.outcome = ANY({}::int[])", [int(outcome) for outcome in outcomes])


def _in_utc(time: datetime) -> datetime:
    """Return a time in UTC.

    The first and last hours of the calendar may have no such time; nothing happened near enough to
    them for the zone to matter.
    """
    try:
        return time.astimezone(UTC)
    except OverflowError:
        return time.replace(tzinfo=UTC)


def is_beyond(listing: Listing, place: Place, *, forward: bool) -> Condition:
    """Ask for a place, and what lies after it in the list, or before it."""
    sign = ">=" if forward != listing.is_descending else "<="
    return Condition(listing.compare(sign, "{0}"), place)
