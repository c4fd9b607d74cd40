"""Row results: status, outcome and errors of each row of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from tortoise import fields
from tortoise.models import Model

from models.assignment import Edit, Present
from models.described_enum import DescribedIntEnum
from models.entity_history import EntityEdit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from asyncpg import Connection, Record

# This leaves 31 bits of a bigint for imports.
_ROW_BITS = 32
_ROWS_PER_PAGE = 5_000


class RowStatus(DescribedIntEnum):
    """Whether a row took effect."""

    PASSED = 1, "It took effect, or had none to take."
    FAILED = 2, "It did nothing; its errors say why."
    CANCELLED = 3, "The import was cancelled before the row's turn."


class RowOutcome(DescribedIntEnum):
    """What a passed row did."""

    CREATED = 1, "It created something."
    UPDATED = 2, "It changed something."
    REMOVED = 3, "It removed something."
    UNCHANGED = 4, "Everything was so already."


WRITTEN = (RowOutcome.CREATED, RowOutcome.UPDATED, RowOutcome.REMOVED)
STORED_CHANGES = ("id", "case_id", "user_id", "before", "after", "edits")
"""The columns that `changes_of` reads."""
# By number, as to call an enum takes ten times as long.
_STATUSES = {int(each): each for each in RowStatus}
_OUTCOMES: dict[int | None, RowOutcome | None] = {None: None, **{int(e): e for e in RowOutcome}}
_NO_CHANGES = (None, None, None, None, None, None)
_COLUMNS = (
    "id",
    "app_id",
    "status",
    "outcome",
    "message",
    "errors",
    "warnings",
    "cells",
    "case_id",
    "user_id",
    "before",
    "after",
    "edits",
    "edit_count",
    "is_planned",
    "plan_chunk",
)


class ImportRow(Model):
    """The result of one row, written once, by the chunk that ran it.

    The key packs the import and the row's number (`row_key`): one index orders the rows of each
    import. Beside it, each row has an entry in one of six, by its status or what it did.

    What the row has changed, or would change if it is one of a dry run, stands beside the result,
    so that a plan needs no table of its own. A row that changes one assignment has `case_id`,
    `user_id` and both sides, each `role_id * 2 + notify`, or null where there is no assignment. All
    else is in `edits`, JSON (`packed_changes`), with `edit_count` if there are several changes.
    `is_planned` marks rows of an import that is no dry run, which have been planned and not been
    applied yet. `plan_chunk` says where a row was planned (`ChunkWork.of_plan`).
    """

    id = fields.BigIntField(primary_key=True)
    app_id = fields.BigIntField()
    status = fields.IntEnumField(RowStatus)
    outcome: RowOutcome | None = fields.IntEnumField(RowOutcome, null=True)  # type: ignore[assignment]
    message = fields.TextField(null=True)
    errors: list[dict[str, Any]] | None = fields.JSONField(null=True)
    warnings: list[dict[str, Any]] | None = fields.JSONField(null=True)
    cells: list[str] = fields.JSONField()
    case_id = fields.BigIntField(null=True)
    user_id = fields.BigIntField(null=True)
    before = fields.IntField(null=True)
    after = fields.IntField(null=True)
    edits = fields.TextField(null=True)
    edit_count = fields.IntField(null=True)
    is_planned: bool | None = fields.BooleanField(null=True)  # type: ignore[assignment]
    plan_chunk: int | None = fields.IntField(null=True)

    class Meta:
        table = "import_rows"


class RowResult(NamedTuple):
    """The result of a row.

    Args:
        text: its cells, a JSON list of strings.
        edits: assignments that it has changed, or would change.
        entity_edits: what else it has changed.
        group_removals: how many removals belong to its group and to no row, beyond its outcome.
    """

    number: int
    text: bytes
    status: RowStatus
    outcome: RowOutcome | None = None
    message: str | None = None
    errors: Sequence[dict[str, Any]] = ()
    warnings: Sequence[dict[str, Any]] = ()
    edits: Sequence[Edit] = ()
    entity_edits: Sequence[EntityEdit] = ()
    group_removals: int = 0

    @property
    def cells(self) -> list[str]:
        cells: list[str] = orjson.loads(self.text)
        return cells


def row_key(import_id: int, number: int) -> int:
    """Return the primary key of a row's result: the import above 32 bits of the row's number."""
    return import_id << _ROW_BITS | number


def row_number(key: int) -> int:
    return key & ((1 << _ROW_BITS) - 1)


def import_of(key: int) -> int:
    return key >> _ROW_BITS


async def write_rows(
    db: Connection,
    app_id: int,
    import_id: int,
    results: Iterable[RowResult],
    *,
    is_plan: bool = False,
    plan_chunk: int | None = None,
) -> None:
    """Write row results with one COPY.

    Args:
        is_plan: whether the rows that passed are still to be applied.
        plan_chunk: of a plan, that of another import's too: the chunk (`ChunkWork.of_plan`).
    """
    first = row_key(import_id, 0)
    await db.copy_records_to_table(
        "import_rows",
        columns=_COLUMNS,
        records=(
            (
                first + number,
                app_id,
                status,
                outcome,
                message,
                orjson.dumps(errors).decode() if errors else None,
                orjson.dumps(warnings).decode() if warnings else None,
                text.decode(),
                case_id,
                user_id,
                before,
                after,
                packed,
                edit_count,
                (status is RowStatus.PASSED) if is_plan else None,
                plan_chunk,
            )
            for (
                number,
                text,
                status,
                outcome,
                message,
                errors,
                warnings,
                edits,
                others,
                removals,
            ) in results
            # No `*packed_changes(…)`: for that, Python makes a list of each row.
            for case_id, user_id, before, after, packed, edit_count in [
                packed_changes(outcome, edits, others, removals)
            ]
        ),
    )


def packed_changes(
    outcome: RowOutcome | None,
    edits: Sequence[Edit],
    others: Sequence[EntityEdit],
    group_removals: int = 0,
) -> tuple[Any, ...]:
    """Return what the columns from `case_id` on say of a row, given what is in its result.

    A row that changes one assignment has no JSON; one that changes one other thing has both of its
    sides, and its case or user in columns as well:

        (1, 7, 6, null, null, null)
        (null, 7, null, null, [{"locale": "en"}, {"locale": "es"}], null)

    One of a plugin's own records also has what tells that from others, behind both sides.

    Several changes are in JSON with all that they are about:

        {"assignments": [[1, 7, 6, null]], "others": [[null, 7, {"locale": "en"}, null]]}

    With `"removals": 2`, two removals are counted beside the row.
    """
    if outcome not in WRITTEN:
        return _NO_CHANGES
    if len(edits) == 1 and not others:
        [(case_id, user_id, _, before, after)] = edits
        return case_id, user_id, before and before.packed, after and after.packed, None, None
    if len(others) == 1 and not edits:
        [(_, of_case, of_user, *sides, record, _)] = others
        edit = sides if record is None else [*sides, record]
        return of_case, of_user, None, None, orjson.dumps(edit).decode(), None
    if not (edits or others):
        return _NO_CHANGES
    packed: dict[str, Any] = {
        "assignments": [
            (case_id, user_id, before and before.packed, after and after.packed)
            for case_id, user_id, _, before, after in edits
        ],
        "others": [edit[1:5] if edit.record is None else edit[1:6] for edit in others],
    }
    if group_removals:
        packed["removals"] = group_removals
    return None, None, None, None, orjson.dumps(packed).decode(), len(edits) + len(others)


def changes_of(row: Mapping[str, Any]) -> tuple[Sequence[Edit], Sequence[EntityEdit]]:
    """Read what a stored row has changed, or would change: assignments, and all else."""
    number, unpacked = row_number(row["id"]), Present.unpacked
    case_id, user_id = row["case_id"], row["user_id"]
    if row["edits"] is None:
        if case_id is None:
            return (), ()
        return [Edit(case_id, user_id, number, unpacked(row["before"]), unpacked(row["after"]))], ()
    packed = orjson.loads(row["edits"])
    if isinstance(packed, list):
        return [], [EntityEdit(number, case_id, user_id, *packed)]
    edits = [
        Edit(case_id, user_id, number, unpacked(before), unpacked(after))
        for case_id, user_id, before, after in packed["assignments"]
    ]
    return edits, [EntityEdit(number, *edit) for edit in packed["others"]]


async def row_numbers(db: Connection, import_id: int) -> list[int]:
    """Return the first numbers of rows of an import that have results, 5,000 at most."""
    rows = await db.fetch(
        "SELECT id FROM import_rows WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3",
        row_key(import_id, 0),
        row_key(import_id + 1, 0),
        _ROWS_PER_PAGE,
    )
    return [row_number(row["id"]) for row in rows]


async def replace_rows(
    db: Connection,
    app_id: int,
    import_id: int,
    results: Collection[RowResult],
    *,
    is_plan: bool = False,
    plan_chunk: int | None = None,
) -> None:
    """Write the results of rows that have some already; what is the same as before stays.

    Args:
        is_plan, plan_chunk: as `write_rows` takes them.
    """
    same = await _find_same(db, import_id, results)
    new = [result for result in results if result.number not in same]
    await delete_rows(db, import_id, [result.number for result in new])
    await write_rows(db, app_id, import_id, new, is_plan=is_plan, plan_chunk=plan_chunk)


async def _find_same(db: Connection, import_id: int, results: Iterable[RowResult]) -> set[int]:
    """Find rows that have failed again, with the same cells and errors as before."""
    # To read these is a third of the work of writing them.
    failed = {each.number: each for each in results if each.status is RowStatus.FAILED}
    if not failed:
        return set()
    sql = """
        SELECT id, cells, errors FROM unnest($1::bigint[]) AS k(id) JOIN import_rows USING (id)
        WHERE status = 2
    """
    stored = await db.fetch(sql, [row_key(import_id, number) for number in failed])
    found = zip(stored, _decode([row["errors"] for row in stored]), strict=True)
    return {
        number
        for (key, cells, _), errors in found
        for number in [row_number(key)]
        if cells.encode() == failed[number].text and errors == failed[number].errors
    }


async def delete_rows(db: Connection, import_id: int, numbers: Iterable[int]) -> None:
    """Remove results that are about to be replaced."""
    await db.execute(
        "DELETE FROM import_rows r USING unnest($1::bigint[]) AS k(id) WHERE r.id = k.id",
        [row_key(import_id, number) for number in numbers],
    )


async def read_in_order(db: Connection) -> None:
    """Let this transaction read pages of rows by the index that has them in order.

    Without statistics of an import that has just ended, PostgreSQL expects hardly any rows, and
    would sort all that are left for each page.
    """
    sql = """
        SELECT set_config(name, 'off', true)
        FROM pg_settings WHERE name IN ('enable_sort', 'enable_bitmapscan')
    """
    await db.execute(sql)


async def failed_page(
    db: Connection,
    app_id: int,
    import_id: int,
    numbers: Sequence[int] | None = None,
    *,
    after: int,
    most: int,
    error: str = "[]",
    excepted: Sequence[str] = (),
) -> list[RowResult]:
    """Read the next failed rows of an import, in order; none at the end.

    Args:
        numbers: only these rows; None for all.
        after: number of the last row of the page before, or 0.
        most: bytes of the page's cells, its last row not counted.
        error: as JSON, what their errors contain.
        excepted: likewise, what none of their errors contain.
    """
    # A constant for the sake of the partial index of failed rows.
    condition, chosen = "AND status = 2 AND coalesce(errors, '[]') @> $6::jsonb", ""
    window = row_key(import_id, after), row_key(import_id + 1, 0), app_id, _ROWS_PER_PAGE, most
    values: list[Any] = [*window, error]
    if excepted:
        values.append(list(excepted))
        condition += f" AND NOT coalesce(errors, '[]') @> ANY(${len(values)}::jsonb[])"
    if numbers is not None:
        values.append([row_key(import_id, number) for number in numbers])
        chosen = f"JOIN unnest(${len(values)}::bigint[]) AS k(id) USING (id)"
    rows = await db.fetch(_page_sql(condition, chosen), *values)
    return _results_of(rows)


async def result_page(
    db: Connection, app_id: int, import_id: int, *, after: int, most: int
) -> list[RowResult]:
    """Read the next rows of an import, in order, with their warnings; none at the end.

    Args:
        after: number of the last row of the page before, or 0.
        most: bytes of the page's cells, its last row not counted.
    """
    window = row_key(import_id, after), row_key(import_id + 1, 0), app_id, _ROWS_PER_PAGE, most
    rows = await db.fetch(_page_sql(), *window)
    warnings = _decode([row["warnings"] for row in rows])
    return [
        result._replace(warnings=some)
        for result, some in zip(_results_of(rows), warnings, strict=True)
    ]


def _page_sql(condition: str = "", join: str = "") -> str:
    """Return the statement that reads rows of an import between two keys.

    The size *before* a row is compared: so a page has at least one row, however large, and the next
    page comes further.
    """
    return f"""
        SELECT * FROM (
          SELECT id, cells, status, outcome, message, errors, warnings,
            sum(octet_length(cells::text)) OVER before AS size_before
          FROM import_rows {join}
          WHERE id > $1 AND id < $2 AND app_id = $3 {condition}
          WINDOW before AS (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
          ORDER BY id LIMIT $4) page
        WHERE size_before IS NULL OR size_before < $5
        ORDER BY id
    """


async def find_rows(db: Connection, import_id: int, numbers: Sequence[int]) -> dict[int, RowResult]:
    sql = "SELECT r.* FROM unnest($1::bigint[]) AS k(id) JOIN import_rows r USING (id)"
    rows = await db.fetch(sql, [row_key(import_id, number) for number in numbers])
    return {result.number: result for result in _results_of(rows)}


async def find_not_passed(db: Connection, import_id: int, numbers: Sequence[int]) -> set[int]:
    """Return the numbers of those of some rows that have not taken effect."""
    sql = """
        SELECT id FROM unnest($1::bigint[]) AS k(id) JOIN import_rows USING (id) WHERE status <> 1
    """
    rows = await db.fetch(sql, [row_key(import_id, number) for number in numbers])
    return {row_number(row["id"]) for row in rows}


async def find_passed(
    db: Connection, import_id: int, place: int, cells: Collection[str]
) -> list[RowResult]:
    """Find the passed rows of an import with one of these cells. Reads all rows of the import.

    Args:
        place: index of the cell in its row.
        cells: trimmed.
    """
    sql = """
        SELECT r.id, cells, status, outcome, message, errors FROM import_rows r
        JOIN unnest($4::text[]) AS k(cell) ON btrim(r.cells ->> $3::int) = k.cell
        WHERE r.id > $1 AND r.id < $2 AND status = 1
    """
    rows = await db.fetch(sql, row_key(import_id, 0), row_key(import_id + 1, 0), place, list(cells))
    return _results_of(rows)


def _results_of(rows: Sequence[Record]) -> list[RowResult]:
    return [
        RowResult(
            row_number(row["id"]),
            row["cells"].encode(),
            _STATUSES[row["status"]],
            _OUTCOMES[row["outcome"]],
            row["message"],
            errors,
        )
        for row, errors in zip(rows, _decode([row["errors"] for row in rows]), strict=True)
    ]


def _decode(errors: Iterable[str | None]) -> list[list[dict[str, Any]]]:
    """Read the errors of rows at once: a call of orjson for each takes longer."""
    decoded: list[list[dict[str, Any]]] = orjson.loads(f"[{','.join(e or '[]' for e in errors)}]")
    return decoded
