"""The lists of changes that clients page through: of assignments, of cases and of users."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from models.list_query import Condition, Listing, Rank
from models.listing import TIME, is_between

if TYPE_CHECKING:
    from datetime import datetime

_CHANGE_JOINS = """
JOIN cases c ON c.id = t.case_id JOIN users u ON u.id = t.user_id
JOIN imports i ON i.id = t.import_id LEFT JOIN token_names k ON k.id = i.token_id
LEFT JOIN roles b ON b.id = t.before_role_id LEFT JOIN roles a ON a.id = t.after_role_id
"""
_CHANGE_ALIASES = {
    "case_": "c",
    "user_": "u",
    "token_": "k",
    "before_role_": "b",
    "after_role_": "a",
}
# Changes of assignments, newest first. An order by users, in which an import would write all over
# an index, would cost it a tenth of its time. So the changes of a user are those of the pairs that
# are assigned, or were: their last change has removed them. These lists, and those of a case, are
# short enough to be sorted; `+ 0`, lest PostgreSQL walk through all changes in their order instead.
ASSIGNMENT_CHANGES = Listing(
    name="change",
    table="assignment_history",
    joins=_CHANGE_JOINS,
    aliases=_CHANGE_ALIASES,
    rank=Rank("t.changed_at", *TIME),
    updated="t.changed_at",
    is_descending=True,
)
IMPORT_CHANGES = replace(
    ASSIGNMENT_CHANGES, name="import-change", rank=None, parent="t.import_id = {}"
)
CASE_CHANGES = replace(
    IMPORT_CHANGES, name="case-change", key="(t.id + 0)", parent="t.case_id = {}"
)
USER_CHANGES = replace(
    CASE_CHANGES,
    name="user-change",
    table="""(
      SELECT h.* FROM (
        SELECT user_id, case_id FROM assignments
        UNION SELECT user_id, case_id FROM assignment_history WHERE after_role_id IS NULL) pairs
      JOIN assignment_history h USING (case_id, user_id))""",
    parent="t.user_id = {}",
)
# Changes of cases and users themselves, newest first. The actor is the mutation's, or the import's.
ENTITY_CHANGES = Listing(
    name="entity-change",
    table="entity_history",
    joins="""
      LEFT JOIN imports i ON i.id = t.import_id
      LEFT JOIN token_names k ON k.id = coalesce(t.token_id, i.token_id)""",
    aliases={"token_": "k"},
    updated="t.changed_at",
    is_descending=True,
)
CASE_HISTORY = replace(ENTITY_CHANGES, name="case-history", parent="t.case_id = {}")
USER_HISTORY = replace(ENTITY_CHANGES, name="user-history", parent="t.user_id = {}")
PAIR_CHANGES = replace(
    CASE_CHANGES,
    name="assignment-change",
    table="""(
      SELECT p.id AS assignment_id, h.* FROM assignments p
      JOIN assignment_history h USING (app_id, case_id, user_id))""",
    parent="t.assignment_id = {}",
)


def was_changed_by(import_key: int) -> Condition:
    """Ask for the changes that an import made."""
    return Condition("t.import_id = {}", import_key)


def changed_between(since: datetime | None, until: datetime | None) -> list[Condition]:
    """Ask for changes from one time on, and before another."""
    return is_between("t.changed_at", since, until)
