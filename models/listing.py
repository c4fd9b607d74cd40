"""The lists that clients page through, and what they can be searched and filtered by."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from models.audit import Action
from models.imports import HAS_DONE_NOTHING
from models.list_query import Condition, Listing, Rank
from models.row import RowOutcome, RowStatus

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from enum import StrEnum

    from asyncpg import Connection

    from models.imports import ImportStatus
    from models.list_query import Place

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
WEBHOOKS = Listing(name="webhook", table="webhooks")
WEBHOOK_DELIVERIES = Listing(
    name="webhook-delivery",
    table="webhook_deliveries",
    parent="t.webhook_id = {}",
    is_descending=True,
)
# The views of migrations 0017 and 0020: the API reads no digests of tokens, and of the imports of
# other apps only how many are before one's own.
TOKENS = Listing(name="token", table="token_names", is_descending=True)
IMPORT_QUEUE = Listing(name="queue", table="import_queue")

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

# Cursors hold a time as microseconds since 1970, so that none is rounded.
TIME = (
    "(extract(epoch FROM {}) * 1000000)::bigint",
    "timestamptz 'epoch' + {} * interval '1 microsecond'",
)

# By time, not by key, so that each filter has one index that gives a range of time in this order.
AUDIT_EVENTS = Listing(
    name="audit-event",
    table="audit_events",
    rank=Rank("t.occurred_at", *TIME),
    is_descending=True,
)

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


def in_order(listing: Listing, *, by_update: bool, is_descending: bool) -> Listing:
    """Return a list in another order; it has cursors of its own.

    Args:
        by_update: by the time of the last change, instead of in the order in which rows came.
    """
    if not by_update and is_descending == listing.is_descending:
        return listing
    name = f"{listing.name}{'-update' if by_update else ''}{'-down' if is_descending else '-up'}"
    rank = Rank(listing.updated, *TIME) if by_update else None
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
    # every statement of `models.list_statement`.
    found = "SELECT id FROM user_words WHERE app_id = $1 AND email = lower({})"
    return Condition(f"t.id = ({found})", email)


def has_role(key: str) -> Condition:
    """Ask for assignments in a role of the app; no list is walked for a role that there is not."""
    role = "SELECT id FROM roles WHERE app_id = $1 AND key = {0}"
    return Condition(f"EXISTS ({role}) AND t.role_id = ({role})", key)


def carries_out(plan_id: int) -> Condition:
    """Ask for the import that carries out a plan, unless it has ended and done nothing of it."""
    return Condition(f"t.applied_from_id = {{}} AND NOT ({HAS_DONE_NOTHING})", plan_id)


def undoes(import_id: int) -> Condition:
    """Ask for the imports that undo another one, and have not failed."""
    sql = "t.undo_of_id = {} AND NOT t.is_dry_run AND t.status NOT IN ('FAILED', 'CANCELLED')"
    return Condition(sql, import_id)


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
    # No EXISTS, for which PostgreSQL might find all hits first, as for IN.
    of_row = " OR ".join(
        f"(SELECT words @@ to_tsquery('simple', {{0}}) FROM {words} w WHERE w.id = t.{column})"
        for column, words in (("case_id", CASES.words), ("user_id", USERS.words))
    )
    return Condition(f"({found})", query, of_row=f"({of_row})")


async def changed_since(db: Connection, app_id: int, listing: Listing, time: datetime) -> Condition:
    """Ask for what was changed at a time or later.

    In another order than that of changes, few of them are looked up here, so that the list need not
    be walked for them:

        SELECT t.id FROM users t WHERE t.app_id = $1 AND t.updated_at >= $2
        ORDER BY t.updated_at, t.id LIMIT $3
    """
    condition = Condition(f"{listing.updated} >= {{}}", time)
    if listing.rank is not None:
        return condition
    few = f"""
        SELECT t.id FROM {listing.table} t WHERE t.app_id = $1 AND {condition.sql.format("$2")}
        ORDER BY {listing.updated}, t.id LIMIT $3
    """
    rows = await db.fetch(few, app_id, condition.value, _FEW + 1)
    return has_id([row[0] for row in rows]) if len(rows) <= _FEW else condition


def has_import_status(statuses: Collection[ImportStatus]) -> Condition:
    return _is_one_of("status", statuses)


def has_type(types: Collection[str]) -> Condition:
    # Equality keeps the order of the index of types.
    if len(types) == 1:
        return Condition("t.type = {}", next(iter(types)))
    return Condition("t.type = ANY({}::text[])", list(types))


def did_one_of(actions: Collection[Action]) -> Condition:
    return _is_one_of("action", actions)


def _is_one_of(column: str, members: Collection[StrEnum]) -> Condition:
    """Ask for members of an enum in a column that comes before the list's order in an index.

    t.action IN ('TOKEN_CREATED', 'TOKEN_REVOKED')
    """
    names = sorted({f"'{member.value}'" for member in members})
    kinds = [f"t.{column} = {name}" for name in names]
    return Condition(f"t.{column} IN ({', '.join(names)})" if names else "false", kinds=kinds)


def was_done_to(kind: str, key: int) -> tuple[Condition, ...]:
    """Ask for audit events of an object, by the kind in its ID and its primary key."""
    actions = [action.value for action in Action if action.target == kind]
    # No kinds, as `did_one_of` has: the index of targets finds the few events of one.
    return Condition("t.target_id = {}", key), Condition("t.action = ANY({}::text[])", actions)


def was_done_by(actor: str) -> Condition:
    return Condition("t.actor = {}", actor)


def happened_between(since: datetime | None, until: datetime | None) -> list[Condition]:
    """Ask for audit events from one time on, and before another."""
    return is_between("t.occurred_at", since, until)


def is_between(column: str, since: datetime | None, until: datetime | None) -> list[Condition]:
    """Ask for rows from one time on, and before another; `column` has their times."""
    limits = ((f"{column} >= {{}}", since), (f"{column} < {{}}", until))
    return [Condition(sql, time) for sql, time in limits if time is not None]


def has_result(
    statuses: Collection[RowStatus] | None = None, outcomes: Collection[RowOutcome] | None = None
) -> Condition:
    """Ask for rows in one of some states, or for passed rows that did one of some things, or both.

    Each passed row has an outcome, and only passed rows have one. So every row is of one of six
    kinds, each of which has a partial index. PostgreSQL uses it where it can see when planning that
    its condition holds, so these are constants, no parameters:

        t.status = 2 OR t.outcome = 1 OR t.outcome = 2
    """
    chosen = set(RowStatus if statuses is None else statuses)
    done = set(RowOutcome if outcomes is None else outcomes)
    others = chosen - {RowStatus.PASSED} if outcomes is None else ()
    kinds = [f"t.status = {status:d}" for status in sorted(others)]
    if RowStatus.PASSED in chosen:
        kinds += [f"t.outcome = {outcome:d}" for outcome in sorted(done)]
    return Condition(f"({' OR '.join(kinds)})" if kinds else "false", kinds=kinds)


def is_beyond(listing: Listing, place: Place, *, forward: bool) -> Condition:
    """Ask for a place, and what lies after it in the list, or before it."""
    sign = ">=" if forward != listing.is_descending else "<="
    return Condition(listing.compare(sign, "{0}"), place)
