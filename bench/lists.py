"""Measures lists, filters and searches of cases, users and assignments, as a client sees them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import asyncpg

from bench.figure import Figure, median_of
from models.database_url import credentials

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.client import Client
    from bench.options import Options
    from bench.system import Database, System

_BAR = 50.0
_PAGE = 50
# One in so many users and cases has a rare name, is disabled or closed, or is on a case as `rare`.
_SHARE_RARE = 20_000
_FILL = f"""
SET session_replication_role = replica;
INSERT INTO roles (app_id, key, label) VALUES (1, 'rare', 'Rare'), (1, 'unused', 'Unused');
INSERT INTO users (app_id, tag_id, email, given_name, family_name, is_active)
  SELECT 1, 'jack-' || to_char(n, 'FM000000'), 'jack' || n || '@example.org',
    CASE WHEN n % 3 = 0 THEN 'Jo' ELSE 'Kim' END,
    CASE WHEN n % {_SHARE_RARE} = 7 THEN 'Rarebit' ELSE 'Smith' END, n % {_SHARE_RARE} <> 7
  FROM generate_series(1, {{people}}) AS n;
INSERT INTO cases (app_id, tag_id, about, is_active)
  SELECT 1, 'trv-' || to_char(n, 'FM000000'),
    CASE WHEN n % {_SHARE_RARE} = 7 THEN 'Rarebit Lines' ELSE 'Smith v. Harbor Freight Lines' END,
    n % {_SHARE_RARE} <> 7
  FROM generate_series(1, {{people}}) AS n;
INSERT INTO assignments (app_id, case_id, user_id, role_id)
  SELECT 1, c.id, u.id, r.id
  FROM (SELECT n, 1 + n % {{people}} AS case_number,
      1 + (n::bigint * 7919 + n / {{people}}) % {{people}} AS user_number,
      CASE WHEN n % (10 * {_SHARE_RARE}) = 9 THEN 'rare' ELSE 'staff' END AS role
    FROM generate_series(1, {{rows}}) AS n) AS pairs
  JOIN cases c ON c.tag_id = 'trv-' || to_char(case_number, 'FM000000')
  JOIN users u ON u.tag_id = 'jack-' || to_char(user_number, 'FM000000')
  JOIN roles r ON r.key = pairs.role
  ORDER BY n ON CONFLICT DO NOTHING;
"""
_PEOPLE = """
query ($first: Int, $last: Int, $search: String, $orderBy: ListOrder, $updatedSince: DateTime,
    $status: %(kind)sStatus) {
  %(noun)s(first: $first, last: $last, search: $search, orderBy: $orderBy,
      updatedSince: $updatedSince, status: $status) {
    edges { node { id tagId status updatedAt } } pageInfo { hasNextPage endCursor } } }
"""
_ASSIGNMENTS = """
query ($first: Int, $last: Int, $search: String, $role: String, $case: ID, $user: ID,
    $caseStatus: CaseStatus, $userStatus: UserStatus) {
  assignments(first: $first, last: $last, search: $search, role: $role, case: $case, user: $user,
      caseStatus: $caseStatus, userStatus: $userStatus) {
    edges { node { id role { key } case { tagId } user { tagId } } }
    pageInfo { hasNextPage endCursor } } }
"""
_FIRST: Mapping[str, Any] = {"first": _PAGE}
_OF_PEOPLE: Mapping[str, Mapping[str, Any]] = {
    "first page": _FIRST,
    "last page": {"last": _PAGE},
    "changed last": {**_FIRST, "orderBy": "UPDATED_AT_DESC"},
    "changed since": {**_FIRST, "updatedSince": "2020-01-01T00:00:00Z"},
    "a word of a third or all": {**_FIRST, "search": "jo"},
    "a rare word": {**_FIRST, "search": "rarebit"},
    "no hit": {**_FIRST, "search": "nobody"},
}
_OF_ASSIGNMENTS: Mapping[str, Mapping[str, Any]] = {
    "first page": _FIRST,
    "last page": {"last": _PAGE},
    "a word of a third or all": {**_FIRST, "search": "jo"},
    "a rare word": {**_FIRST, "search": "rarebit"},
    "no hit": {**_FIRST, "search": "nobody"},
    "a frequent role": {**_FIRST, "role": "staff"},
    "a rare role": {**_FIRST, "role": "rare"},
    "a rare role, last page": {"last": _PAGE, "role": "rare"},
    "a role that none has": {**_FIRST, "role": "unused"},
    "closed cases": {**_FIRST, "caseStatus": "CLOSED"},
    "disabled users": {**_FIRST, "userStatus": "DISABLED"},
    "a rare role of a frequent word": {**_FIRST, "role": "rare", "search": "jo"},
}
_LISTS: Mapping[str, tuple[str, Mapping[str, Mapping[str, Any]]]] = {
    "users": (
        _PEOPLE % {"kind": "User", "noun": "users"},
        {**_OF_PEOPLE, "disabled": {**_FIRST, "status": "DISABLED"}},
    ),
    "cases": (
        _PEOPLE % {"kind": "Case", "noun": "cases"},
        {**_OF_PEOPLE, "closed": {**_FIRST, "status": "CLOSED"}},
    ),
    "assignments": (_ASSIGNMENTS, _OF_ASSIGNMENTS),
}


async def measure(system: System, options: Options) -> list[Figure]:
    """Ask for each list in each way."""
    people = options.rows * 3 // 10
    filled = await system.create("lists")
    await _run(filled, _FILL.format(people=people, rows=options.rows))
    await _run(filled, "VACUUM ANALYZE")
    scenario = (
        f"a page of {_PAGE} of {people:,} users, {people:,} cases, {options.rows:,} assignments"
    )
    figures = []
    async with system.running(filled, workers=0) as running:
        for name, (query, ways) in _LISTS.items():
            for way, variables in ways.items():
                times = await _times(running.client, query, variables, options.rounds)
                figures.append(median_of(scenario, f"{name}: {way}", times, "ms", bar=_BAR))
    return figures


async def _times(
    client: Client, query: str, variables: Mapping[str, Any], rounds: int
) -> list[float]:
    """Return the milliseconds of some requests, after one that warms up."""
    times = []
    for _ in range(2 * rounds + 1):
        start = time.perf_counter()
        await client.query(query, variables)
        times.append((time.perf_counter() - start) * 1_000)
    return times[1:]


async def _run(target: Database, sql: str) -> None:
    db = await asyncpg.connect(**credentials(target.url))
    try:
        await db.execute(sql, timeout=3_600)
    finally:
        await db.close()
