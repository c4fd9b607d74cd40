"""A Caseroll reader: JSON Lines, with an object of texts and numbers on each line."""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from importers import FileError, Reader


class JsonLines(Reader):
    """Read JSON Lines (.jsonl, .ndjson): the keys of all lines together are the columns."""

    sdk = "1.0"

    def takes(self, beginning: bytes, name: str) -> bool:
        first = beginning.partition(b"\n")[0].strip()
        is_named = name.lower().endswith((".jsonl", ".ndjson"))
        return is_named or (first.startswith(b'{"') and first.endswith(b"}"))

    def rows(self, file: BinaryIO) -> Iterator[tuple[int, list[str]]]:
        keys = dict.fromkeys(key for _, values in _objects(file) for key in values)
        yield 0, list(keys)
        for line, values in _objects(file):
            yield line, [_text(values.get(key), key, line) for key in keys]


def _objects(file: BinaryIO) -> Iterator[tuple[int, dict[str, Any]]]:
    """Read the file from its beginning, as it is read twice: for its keys, and for its rows."""
    file.seek(0)
    for line, content in enumerate(file, 1):
        if content.strip():
            try:
                # Numbers stay as they are written: 1.10 is not 1.1.
                pairs = json.loads(
                    content, object_pairs_hook=_Pairs, parse_int=str, parse_float=str
                )
            except (ValueError, RecursionError) as error:
                message, reason = "Line {line} is no JSON: {reason}.", getattr(error, "msg", error)
                raise FileError("NOT_JSON", message, line=line, reason=str(reason)) from error
            if not isinstance(pairs, _Pairs) or len(values := dict(pairs)) < len(pairs):
                message = "Line {line} is no JSON object, or has a key twice."
                raise FileError("NOT_JSON", message, line=line)
            yield line, values


class _Pairs(list[tuple[str, Any]]):
    """The keys of a JSON object with their values; a key may come twice."""


def _text(value: Any, key: str, line: int) -> str:
    if isinstance(value, list):
        message = "Line {line} has several values in '{key}', and a cell holds one."
        raise FileError("NESTED_VALUE", message, line=line, key=key)
    return value if isinstance(value, str) else "" if value is None else str(value).lower()
