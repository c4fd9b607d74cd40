"""Conditions on the errors of rows, and on their texts."""

from __future__ import annotations

import json
import re
from itertools import product
from typing import TYPE_CHECKING, Any

from models.list_query import Condition

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_LONGEST_SEARCH = 500
_LIKE_SIGNS = re.compile(r"[\\%_]")

# Each text is looked at on its own. The JSON as a whole comes first: it has all of them, and is
# compared in a fifth of the time, but its commas, quotes and names of fields are no texts.
_MENTIONS = """
(t.message ILIKE ({0}::text[])[1]
  OR t.cells::text ILIKE ({0}::text[])[2] AND EXISTS (
    SELECT FROM json_array_elements_text(t.cells) AS c(text) WHERE c.text ILIKE ({0}::text[])[1])
  OR t.errors::text ILIKE ({0}::text[])[2] AND EXISTS (
    SELECT FROM jsonb_array_elements(t.errors) AS e WHERE e ->> 'message' ILIKE ({0}::text[])[1]))
"""


def has_error(
    codes: Collection[str] | None, columns: Collection[str] | None, value: str | None
) -> Condition:
    """Ask for failed rows that have an error with one of the codes, at one of the columns.

        t.status = 2 AND t.errors @> ANY('{"[{\\"code\\": \\"NOT_FOUND\\"}]"}'::jsonb[])

    Args:
        codes: None for any.
        columns: None for any.
        value: of the cell at fault, as the error has it; None for any.
    """
    given: list[list[dict[str, Any]]] = [
        [{name: each} for each in values]
        for name, values in (("code", codes), ("column", columns))
        if values is not None
    ]
    if value is not None:
        given.append([{"value": value}])
    wanted = [
        error_pattern({name: each for part in parts for name, each in part.items()})
        for parts in product(*given)
    ]
    return Condition("t.status = 2 AND t.errors @> ANY({}::jsonb[])", wanted)


def error_pattern(error: Mapping[str, str | None]) -> str:
    """Return what `errors` contain (`@>`) where one of them has these fields.

    Example:
        >>> error_pattern({"code": "REQUIRED", "column": None})
        '[{"code": "REQUIRED", "column": null}]'
    """
    return json.dumps([error], ensure_ascii=False)


def mentions(text: str) -> Condition:
    """Ask for rows of which a cell, or a message, contains a text in any case."""
    plain = text.strip()[:_LONGEST_SEARCH]
    in_json = json.dumps(plain, ensure_ascii=False)[1:-1]
    return Condition(_MENTIONS, [_contains(plain), _contains(in_json)])


def _contains(text: str) -> str:
    """Return the pattern of ILIKE for texts that contain a text."""
    return "%" + _LIKE_SIGNS.sub(r"\\\g<0>", text) + "%"
