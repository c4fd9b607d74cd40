"""The lists that clients page through, and what they can be searched and filtered by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.page import Condition, Listing
from models.row import RowStatus
from models.search import prefix_query

if TYPE_CHECKING:
    from collections.abc import Collection

    from models.row import RowOutcome
    from models.upload import ImportStatus

CASES = Listing(name="case", table="cases")
USERS = Listing(name="user", table="users")
ROLES = Listing(name="role", table="roles")
IMPORTS = Listing(name="import", table="imports", is_descending=True)

# An import's rows are those whose keys begin with its own (`models.row.row_key`).
IMPORT_ROWS = Listing(
    name="row",
    table="import_rows",
    parent="t.id > {0} << 32 AND t.id < ({0} + 1) << 32",
)

# PostgreSQL's words have 2,046 bytes at most.
_SEARCH_LONGEST = 500

_ASSIGNMENT_COLUMNS = """
t.id, t.notify, t.created_at, t.updated_at,
t.created_import_id, t.created_row, t.updated_import_id, t.updated_row,
t.case_id, c.tag_id AS case_tag_id, c.about AS case_about, c.is_active AS case_is_active,
c.date_opened AS case_date_opened, c.created_at AS case_created_at, c.updated_at AS case_updated_at,
t.user_id, u.tag_id AS user_tag_id, u.email AS user_email, u.given_name AS user_given_name,
u.family_name AS user_family_name, u.locale AS user_locale, u.zoneinfo AS user_zoneinfo,
u.is_active AS user_is_active, u.created_at AS user_created_at, u.updated_at AS user_updated_at,
r.key AS role_key, r.label AS role_label
"""
_ASSIGNMENT_JOINS = """
JOIN cases c ON c.id = t.case_id JOIN users u ON u.id = t.user_id JOIN roles r ON r.id = t.role_id
"""
CASE_ASSIGNMENTS = Listing(
    name="case-assignment",
    table="assignments",
    columns=_ASSIGNMENT_COLUMNS,
    joins=_ASSIGNMENT_JOINS,
    key="t.user_id",
    parent="t.case_id = {}",
)
USER_ASSIGNMENTS = Listing(
    name="user-assignment",
    table="assignments",
    columns=_ASSIGNMENT_COLUMNS,
    joins=_ASSIGNMENT_JOINS,
    key="t.case_id",
    parent="t.user_id = {}",
)

# The indexed expressions of migration 0002: a search is only quick when it says the same.
_SEARCHED = {
    CASES.name: "search_words(coalesce(t.tag_id, '') || ' ' || t.about)",
    USERS.name: (
        "search_words(coalesce(t.tag_id, '') || ' ' || t.email || ' ' || t.given_name || ' ' ||"
        " t.family_name)"
    ),
    IMPORTS.name: "search_words(t.name || ' ' || t.file_name)",
}


def matches_search(listing: Listing, text: str) -> Condition:
    """Ask for rows in which every word of the text begins a word; for nothing if it has none."""
    query = prefix_query(text[:_SEARCH_LONGEST])
    if query is None:
        return Condition("false")
    return Condition(f"{_SEARCHED[listing.name]} @@ to_tsquery('simple', {{}})", query)


def is_active(value: bool) -> Condition:
    """Ask for open cases or enabled users, or for the others."""
    return Condition("t.is_active = {}", value)


def has_tag(tag_id: str) -> Condition:
    """Ask for a Tag ID."""
    return Condition("t.tag_id = {}", tag_id)


def has_email(email: str) -> Condition:
    """Ask for an e-mail address, in any case."""
    return Condition("lower(t.email) = lower({})", email)


def has_role(key: str) -> Condition:
    """Ask for assignments in a role of the app."""
    return Condition("t.role_id = (SELECT id FROM roles WHERE app_id = $1 AND key = {})", key)


def has_import_status(statuses: Collection[ImportStatus]) -> Condition:
    """Ask for imports in one of these states."""
    return Condition("t.status = ANY({}::text[])", [status.value for status in statuses])


def has_type(types: Collection[str]) -> Condition:
    """Ask for imports of one of these types."""
    return Condition("t.type = ANY({}::text[])", list(types))


def has_row_status(statuses: Collection[RowStatus]) -> Condition:
    """Ask for rows in one of these states."""
    if set(statuses) == {RowStatus.FAILED}:
        # Said like this, PostgreSQL sees that the index of failed rows will do.
        return Condition("t.status = 2")
    return Condition("t.status = ANY({}::int[])", [int(status) for status in statuses])


def has_outcome(outcomes: Collection[RowOutcome]) -> Condition:
    """Ask for rows with one of these outcomes."""
    return Condition("t.outcome = ANY({}::int[])", [int(outcome) for outcome in outcomes])


def is_beyond(listing: Listing, key: int, *, forward: bool) -> Condition:
    """Ask for a key, and what lies after it in the list, or before it."""
    return Condition(
        f"{listing.key} {'>=' if forward != listing.is_descending else '<='} {{}}", key
    )
