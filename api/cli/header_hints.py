"""What `caseroll import` proposes when a file's header is not that of its type."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import click
from gql import FileVar

from api.cli.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from api.cli.client import ApiClient

_PREVIEW = """
mutation ($input: PreviewFileInput!) {
  previewFile(input: $input) {
    preview {
      columns { header column suggestion ignored }
      mappedBefore { name columnMapping { header column } ignoredColumns }
    }
  }
}
"""
_CODES = frozenset({"UNKNOWN_COLUMN", "MISSING_COLUMN"})
# A larger file would take longer to send again than its header is worth.
_MOST_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderHints:
    """Says by which options a file can be imported as it is.

    Args:
        fields: the input of the mutation that has imported the file, its encoding and mapping
            among them.
    """

    file: Path
    fields: dict[str, Any]

    async def print(self, api: ApiClient, errors: Iterable[dict[str, Any]]) -> None:
        """Look at the file again if it was refused for its header, and print the options."""
        is_header = any(error["code"] in _CODES for error in errors)
        if not is_header or self.file.stat().st_size > _MOST_BYTES:
            return
        content = BytesIO(self.file.read_bytes())
        names = ("type", "encoding", "columns", "ignoreColumns")
        fields = {name: self.fields[name] for name in names}
        fields["file"] = FileVar(content, filename=self.file.name)
        preview = (await api.execute(_PREVIEW, input=fields))["previewFile"]["preview"]
        for line in hint_lines(preview) if preview else ():
            click.echo(printable(line), err=True)


def hint_lines(preview: dict[str, Any]) -> list[str]:
    """Return a line for what an earlier import has said of the header, or for each unknown name."""
    before = preview["mappedBefore"]
    if before:
        mapped = [(each["header"], each["column"]) for each in before["columnMapping"]]
        said = _options(mapped, before["ignoredColumns"])
        return [f"The import '{before['name']}' had the same header, and said: {said}"]
    unknown = [
        each
        for each in preview["columns"]
        if each["column"] is None and not each["ignored"] and each["header"].strip()
    ]
    lines = [_proposal(each["header"], each["suggestion"]) for each in unknown]
    return ["To import the file as it is, say what its columns are:", *lines] if lines else []


def _proposal(header: str, suggestion: str | None) -> str:
    mapped = _options([(header, suggestion or "COLUMN")], [])
    return f"  {mapped}, or {_options([], [header])}"


def _options(mapped: Sequence[tuple[str, str]], ignored: Sequence[str]) -> str:
    options = [("--map", f"{header}={column}") for header, column in mapped]
    options += [("--ignore", header) for header in ignored]
    return " ".join(f"{name} {shlex.quote(value)}" for name, value in options)
